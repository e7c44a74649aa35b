"""Files of weights that Keras writes, and those that it does not."""

import json
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from reproductions.lab.errors import UsageError
from reproductions.lab.weights import own, tensor_file
from reproductions.lab.weights.formats import hdf5


def small_network() -> keras.Model:
    """A convolution with an automatic name, batch normalization and a dense layer; trained for a step."""
    model = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            keras.layers.Conv2D(3, 2),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dropout(0.5),
            keras.layers.Flatten(),
            keras.layers.Dense(2, name="fc"),
        ]
    )
    model.compile("adam", "mse")
    model.fit(np.ones((2, 4, 4, 2)), np.ones((2, 2)), verbose=0)
    return model


def written(path: Path, **datasets: object) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file[name] = values
    return path


@pytest.mark.parametrize("ending", [".keras", ".weights.h5", ".h5"])
def test_all_arrays_of_a_file_are_read(tmp_path, ending):
    model = small_network()
    path = tmp_path / f"net{ending}"
    model.save_weights(path) if ending == ".weights.h5" else model.save(path)
    tensors = tensor_file.read(path).tensors
    places = {
        ("conv2d/kernel", "layers/conv2d/vars/0"): model.layers[0].kernel,
        ("norm/gamma", "layers/batch_normalization/vars/0"): model.layers[1].gamma,
        ("norm/moving_variance", "layers/batch_normalization/vars/3"): model.layers[1].moving_variance,
        ("fc/bias", "layers/dense/vars/1"): model.layers[4].bias,
    }
    for names, variable in places.items():
        np.testing.assert_array_equal(tensors[names[ending != ".h5"]], variable)


@pytest.mark.parametrize("ending", [".weights.h5", ".h5"])
def test_the_reader_agrees_with_the_hdf5_library(tmp_path, ending):
    model = small_network()
    path = tmp_path / f"net{ending}"
    model.save_weights(path) if ending == ".weights.h5" else model.save(path)
    expected = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, found: expected.update({name: found[()]} if hasattr(found, "shape") else {}))
    arrays = hdf5.read(path.read_bytes())
    assert arrays.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(arrays[name], values, strict=True)


def test_numbers_of_all_types_and_orders_are_read(tmp_path):
    kinds = ["<f2", "<f4", "<f8", ">f4", ">i2", "u8"]
    values = {kind: np.arange(-3, 3).astype(kind).reshape(2, 3) for kind in kinds}
    arrays = hdf5.read(written(tmp_path / "a.h5", **values, number=3, empty=np.ones((0, 3))).read_bytes())
    for kind, expected in values.items():
        np.testing.assert_array_equal(arrays[kind], expected)
    assert arrays["number"] == 3 and arrays["empty"].shape == (0, 3)


def test_names_of_keras_1_are_understood(tmp_path):
    kernel, bias = np.ones((2, 2), np.float32), np.zeros(2, np.float32)
    path = written(tmp_path / "a.h5", **{"fc1/fc1_W_1:0": kernel, "fc1/fc1_b_1:0": bias})
    assert list(tensor_file.read(path).tensors) == ["fc1/kernel", "fc1/bias"]


def test_automatic_names_are_numbered_from_zero(tmp_path):
    numbers = {f"conv2d_{n}/conv2d_{n}/kernel:0": np.full(1, n) for n in (12, 9, 100)}
    tensors = tensor_file.read(written(tmp_path / "a.h5", **numbers)).tensors
    assert {name: int(values[0]) for name, values in tensors.items()} == {
        "conv2d/kernel": 9, "conv2d_1/kernel": 12, "conv2d_2/kernel": 100,
    }  # fmt: skip


def unusual(path: Path, kind: str) -> None:
    """Write a file that HDF5 allows and Keras does not write."""
    with h5py.File(path, "w", libver="latest" if kind == "latest" else "earliest") as file:
        file["x/a"] = np.ones(4)
        if kind == "soft link":
            file["x/b"] = h5py.SoftLink("/x/a")
        elif kind == "external link":
            file["x/b"] = h5py.ExternalLink("other.h5", "/a")
        elif kind == "hard link":
            file["x/b"] = file["x/a"]
        elif kind == "loop":
            file["x/b"] = file["x"]
        elif kind == "compressed":
            file.create_dataset("b", data=np.zeros(10**6), compression="gzip")
        elif kind == "never stored":
            file.create_dataset("b", (10**9, 10**9), "f4")
        elif kind == "huge chunks":
            file.create_dataset("b", (10**9, 10**9), "f4", chunks=(10**4, 10**4))
        elif kind == "external storage":
            file.create_dataset("b", (4,), "f4", external=[(path.parent / "other.bin", 0, 16)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout((4,), "f4")
            layout[:] = h5py.VirtualSource(path.parent / "other.h5", "a", (4,))
            file.create_virtual_dataset("b", layout)
        elif kind == "texts":
            file["b"] = ["a", "b"]
        elif kind == "compound":
            file["b"] = np.zeros(2, "f4,i4")


KINDS = [
    "soft link", "external link", "hard link", "loop", "compressed", "never stored", "huge chunks", "external storage",
    "virtual", "texts", "compound", "latest",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_keras_does_not_write_is_refused(tmp_path, kind):
    unusual(tmp_path / "a.h5", "none")
    assert list(tensor_file.read(tmp_path / "a.h5").tensors) == ["x/a"]
    unusual(tmp_path / "a.h5", kind)
    with pytest.raises(UsageError, match=r"a\.h5 cannot be read: "):
        tensor_file.read(tmp_path / "a.h5")


def test_an_archive_that_expands_hugely_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(10**7))
    with pytest.raises(UsageError, match=r"its model\.weights\.h5 has 10,000,000 bytes, more than"):
        tensor_file.read(tmp_path / "a.keras")


def test_an_archive_without_weights_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
        archive.writestr("../model.weights.h5", b"")
    with pytest.raises(UsageError, match=r"expected one model\.weights\.h5"):
        tensor_file.read(tmp_path / "a.keras")


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ({"config": {"name": []}}, "expected `str`, got `array` - at `$.config.json.config.layers[0].config.name`"),
        ({"config": {}}, "expected `str`, got `null` - at `$.config.json.config.layers[0].config.name`"),
        ({"config": 3}, "expected `object`, got `int` - at `$.config.json.config.layers[0].config`"),
        ({"class_name": 3, "config": {}}, "expected `str`, got `int` - at `$.config.json.config.layers[0].class_name`"),
    ],
)
def test_a_damaged_configuration_names_the_field(layer, message, tmp_path):
    path = tmp_path / "a.keras"
    content = {"config": {"name": "a", "layers": [{"class_name": "Dense", **layer}], "others": 1}, "others": 1}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(content))
    with pytest.raises(UsageError) as refused:
        own.configuration(path)
    assert str(refused.value) == f"{path} is not a network that Keras saved: {message}"
