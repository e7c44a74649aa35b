"""Caffe's binary NetParameter (`.caffemodel`), old (V1) and current layers, by the protobuf library."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

Field = descriptor_pb2.FieldDescriptorProto

# The fields of caffe.proto with names and weights, as (name, number, type, message type). `data` is declared as bytes,
# not as packed floats, which have the same encoding, so that NumPy reads them at once.
FIELDS: dict[str, tuple[tuple[str, int, int, str], ...]] = {
    "NetParameter": (("layers", 2, Field.TYPE_MESSAGE, "V1Layer"), ("layer", 100, Field.TYPE_MESSAGE, "Layer")),
    "V1Layer": (("name", 4, Field.TYPE_STRING, ""), ("blobs", 6, Field.TYPE_MESSAGE, "Blob")),
    "Layer": (("name", 1, Field.TYPE_STRING, ""), ("blobs", 7, Field.TYPE_MESSAGE, "Blob")),
    "Blob": (
        ("num", 1, Field.TYPE_INT32, ""),
        ("channels", 2, Field.TYPE_INT32, ""),
        ("height", 3, Field.TYPE_INT32, ""),
        ("width", 4, Field.TYPE_INT32, ""),
        ("data", 5, Field.TYPE_BYTES, ""),
        ("shape", 7, Field.TYPE_MESSAGE, "Shape"),
    ),
    "Shape": (("dim", 1, Field.TYPE_INT64, ""),),
}
REPEATED = ("layers", "layer", "blobs", "dim")
LEGACY_SHAPE = ("num", "channels", "height", "width")


@functools.cache
def net_parameter() -> type[message.Message]:
    """Return the message class for the fields in `FIELDS`; the parser skips all others."""
    file = descriptor_pb2.FileDescriptorProto(name="reproductions/caffe.proto", package="reproductions.caffe")
    for name, fields in FIELDS.items():
        described = file.message_type.add(name=name)
        for field, number, kind, of in fields:
            label = Field.LABEL_REPEATED if field in REPEATED else Field.LABEL_OPTIONAL
            type_name = f".reproductions.caffe.{of}" if of else None
            described.field.add(name=field, number=number, type=kind, label=label, type_name=type_name)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("reproductions.caffe.NetParameter"))


def read(path: Path) -> dict[str, np.ndarray]:
    """Return the blobs of all layers, "LAYER/0", "LAYER/1"..., float32, in Caffe's layout and the order of the file.

    Raises:
        ValueError: If the file is damaged, or two layers have one name.
    """
    net: Any = net_parameter()()
    net.ParseFromString(path.read_bytes())
    tensors: dict[str, np.ndarray] = {}
    for layer in (*net.layers, *net.layer):
        for number, blob in enumerate(layer.blobs):
            name = f"{layer.name}/{number}"
            if name in tensors:
                raise ValueError(f"two layers have the name {layer.name!r}")
            tensors[name] = array(name, blob)
    if not tensors:
        raise ValueError("it has no weights of Caffe layers")
    return tensors


def array(name: str, blob: Any) -> np.ndarray:
    """Return the values of a blob in its shape.

    Raises:
        ValueError: If the number of values is not that of the shape.
    """
    shape = tuple(blob.shape.dim) or tuple(getattr(blob, field) for field in LEGACY_SHAPE)
    if min(shape) < 1 or len(blob.data) != 4 * int(np.prod(shape, dtype=object)):
        raise ValueError(f"{name} has {len(blob.data):,} bytes of values, which its shape {shape} does not need")
    return np.frombuffer(blob.data, "<f4").reshape(shape)
