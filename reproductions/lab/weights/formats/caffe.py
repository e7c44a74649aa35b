"""Caffe's binary NetParameter (`.caffemodel`), old (V1) and current layers, by the protobuf library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from reproductions.lab.weights.formats.protobuf import BYTES, INT32, INT64, MESSAGE, STRING, Field, Schema, check_shape

# The fields of caffe.proto with names and weights.
SCHEMA = Schema(
    "caffe",
    {
        "NetParameter": (Field("layers", 2, BYTES, repeated=True), Field("layer", 100, BYTES, repeated=True)),
        "V1Layer": (Field("name", 4, STRING), Field("blobs", 6, BYTES, repeated=True)),
        "Layer": (Field("name", 1, STRING), Field("blobs", 7, BYTES, repeated=True)),
        "Blob": (
            Field("num", 1, INT32),
            Field("channels", 2, INT32),
            Field("height", 3, INT32),
            Field("width", 4, INT32),
            Field("data", 5, BYTES),
            Field("shape", 7, MESSAGE, "Shape"),
        ),
        "Shape": (Field("dim", 1, INT64, repeated=True),),
    },
)
LEGACY_SHAPE = ("num", "channels", "height", "width")


def read(path: Path) -> dict[str, np.ndarray]:
    """Return the blobs of all layers, "LAYER/0", "LAYER/1"..., float32, in Caffe's layout and the order of the file.

    Raises:
        ValueError: If the file is damaged, or two layers have one name.
    """
    net = SCHEMA.parse("NetParameter", path.read_bytes())
    tensors: dict[str, np.ndarray] = {}
    for kind, content in (*(("V1Layer", each) for each in net.layers), *(("Layer", each) for each in net.layer)):
        layer = SCHEMA.parse(kind, content)
        for number, blob in enumerate(layer.blobs):
            name = f"{layer.name}/{number}"
            if name in tensors:
                raise ValueError(f"two layers have the name {layer.name!r}")
            tensors[name] = array(name, SCHEMA.parse("Blob", blob))
    if not tensors:
        raise ValueError("it has no weights of Caffe layers")
    return tensors


def array(name: str, blob: Any) -> np.ndarray:
    """Return the values of a blob in its shape.

    Raises:
        ValueError: If the number of values is not that of the shape.
    """
    shape = blob.shape.dim or [getattr(blob, field) for field in LEGACY_SHAPE]
    values = np.frombuffer(blob.data, "<f4")
    check_shape(name, shape, len(values))
    return values.reshape(tuple(shape))
