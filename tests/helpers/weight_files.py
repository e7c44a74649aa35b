"""Tiny files of weights in every format that is read, by name."""

import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
from safetensors.numpy import save_file

from reproductions.lab.weights.formats import caffe, onnx

KERNEL = np.linspace(-1, 1, 2 * 3 * 2 * 2, dtype=np.float32).reshape(2, 3, 2, 2)
BIAS = np.array([0.5, -0.5], np.float32)


def caffe_blob(values: np.ndarray, *, shape: tuple[int, ...] = (), old: bool = False) -> bytes:
    """A blob with a shape, by default that of its values; in the old way, of four dimensions."""
    shape = shape or values.shape
    if old:
        dimensions = dict(zip(caffe.LEGACY_SHAPE, (1,) * (4 - len(shape)) + shape))
        return caffe.SCHEMA.messages["Blob"](data=values.tobytes(), **dimensions).SerializeToString()
    return caffe.SCHEMA.messages["Blob"](data=values.tobytes(), shape={"dim": shape}).SerializeToString()


def caffe_file(path: Path, layers: list[tuple[str, list[bytes]]], old: list[tuple[str, list[bytes]]] = ()) -> None:
    """Write layers with their names and blobs."""
    kinds = caffe.SCHEMA.messages
    content = {
        "layer": [kinds["Layer"](name=name, blobs=blobs).SerializeToString() for name, blobs in layers],
        "layers": [kinds["V1Layer"](name=name, blobs=blobs).SerializeToString() for name, blobs in old],
    }
    path.write_bytes(kinds["NetParameter"](**content).SerializeToString())


def caffe_net(path: Path) -> None:
    """Two layers of the current kind and one of the old one."""
    blobs = [caffe_blob(KERNEL), caffe_blob(BIAS)]
    old = [caffe_blob(KERNEL, old=True), caffe_blob(BIAS, old=True)]
    caffe_file(path, [("conv1", blobs), ("conv2", blobs)], [("old", old)])


def convnetjs_net(path: Path) -> None:
    """A convolution of two filters."""
    one = {"sx": 3, "sy": 2, "depth": 2, "w": {str(number): number / 8 for number in range(12)}}
    biases = {"sx": 1, "sy": 1, "depth": 2, "w": {"0": 0.5, "1": -0.5}}
    layer = {"layer_type": "conv", "filters": [one, one], "biases": biases}
    path.write_text(json.dumps({"layers": [{"layer_type": "input"}, layer, layer]}), encoding="utf-8")


def keras_2(path: Path) -> None:
    """Two layers, with the attributes that Keras 2 writes."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"conv1", b"conv2"]
        for name in ("conv1", "conv2"):
            file.create_group(name).attrs["weight_names"] = [f"{name}/kernel:0".encode(), f"{name}/bias:0".encode()]
            file[f"{name}/{name}/kernel:0"], file[f"{name}/{name}/bias:0"] = KERNEL, BIAS


def keras_3(path: Path | io.BytesIO) -> None:
    """Two layers, with the attributes that Keras 3 writes."""
    with h5py.File(path, "w") as file:
        for number in range(2):
            group = file.create_group(f"layers/conv2d_{number}/vars")
            group.attrs["name"] = f"conv{number}"
            group["0"], group["1"] = KERNEL, BIAS


def keras_archive(path: Path) -> None:
    """The same in an archive, not compressed, as Keras writes it."""
    content = io.BytesIO()
    keras_3(content)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", content.getvalue())


def safetensors_file(path: Path) -> None:
    """Three tensors, one of them an integer without dimensions."""
    save_file({"conv.weight": KERNEL, "conv.bias": BIAS, "conv.bn.num_batches_tracked": np.array(3)}, path)


def onnx_file(path: Path, tensors: list[bytes]) -> None:
    """Write initializers."""
    kinds = onnx.SCHEMA.messages
    path.write_bytes(kinds["Model"](graph={"initializer": tensors}).SerializeToString())


def onnx_tensor(name: str, values: np.ndarray, **fields: object) -> bytes:
    """An initializer of float32, with its values where `fields` say, raw by default."""
    content = {"name": name, "dims": values.shape, "data_type": 1, **(fields or {"raw_data": values.tobytes()})}
    return onnx.SCHEMA.messages["Tensor"](**content).SerializeToString()


def onnx_net(path: Path) -> None:
    """Three floating-point initializers, one of them not raw, and a shape."""
    shape = onnx_tensor("shape", BIAS, data_type=7)
    bias = onnx_tensor("conv1_b_0", BIAS, float_data=BIAS.tobytes())
    onnx_file(path, [onnx_tensor("conv1_w_0", KERNEL), bias, shape, onnx_tensor("conv2_w_0", KERNEL)])


WRITERS = {
    "net.caffemodel": caffe_net,
    "net.json": convnetjs_net,
    "net.h5": keras_2,
    "net.weights.h5": keras_3,
    "net.keras": keras_archive,
    "net.safetensors": safetensors_file,
    "net.onnx": onnx_net,
}
