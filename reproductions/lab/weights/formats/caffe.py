"""Caffe's binary NetParameter (`.caffemodel`), old (V1) and current layers, by the protobuf library."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

Field = descriptor_pb2.FieldDescriptorProto

# The fields of caffe.proto with names and weights, as (name, number, type, message type). Declared as bytes, which have
# the same encoding, are `data`, so that NumPy reads the floats at once, and layers and blobs, so that they are counted
# before they are parsed: an empty layer of three bytes takes hundreds.
FIELDS: dict[str, tuple[tuple[str, int, int, str], ...]] = {
    "NetParameter": (("layers", 2, Field.TYPE_BYTES, ""), ("layer", 100, Field.TYPE_BYTES, "")),
    "V1Layer": (("name", 4, Field.TYPE_STRING, ""), ("blobs", 6, Field.TYPE_BYTES, "")),
    "Layer": (("name", 1, Field.TYPE_STRING, ""), ("blobs", 7, Field.TYPE_BYTES, "")),
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
MOST_PARTS, MOST_DIMENSIONS = 10_000, 32
LEGACY_SHAPE = ("num", "channels", "height", "width")


@functools.cache
def messages() -> dict[str, type[message.Message]]:
    """Return the message classes for the fields in `FIELDS`, by name; the parser skips all other fields."""
    file = descriptor_pb2.FileDescriptorProto(name="reproductions/caffe.proto", package="reproductions.caffe")
    for name, fields in FIELDS.items():
        described = file.message_type.add(name=name)
        for field, number, kind, of in fields:
            label = Field.LABEL_REPEATED if field in REPEATED else Field.LABEL_OPTIONAL
            type_name = f".reproductions.caffe.{of}" if of else None
            described.field.add(name=field, number=number, type=kind, label=label, type_name=type_name)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = {name: pool.FindMessageTypeByName(f"reproductions.caffe.{name}") for name in FIELDS}
    return {name: message_factory.GetMessageClass(descriptor) for name, descriptor in found.items()}


def parse(name: str, content: bytes) -> Any:
    """Return a message.

    Raises:
        ValueError: If it has more parts than a network has.
    """
    parsed: Any = messages()[name].FromString(content)
    for field, number, *_ in FIELDS[name]:
        if field in REPEATED and len(getattr(parsed, field)) > MOST_PARTS:
            raise ValueError(f"field {number} of {name} is there more than {MOST_PARTS:,} times")
    return parsed


def read(path: Path) -> dict[str, np.ndarray]:
    """Return the blobs of all layers, "LAYER/0", "LAYER/1"..., float32, in Caffe's layout and the order of the file.

    Raises:
        ValueError: If the file is damaged, or two layers have one name.
    """
    net = parse("NetParameter", path.read_bytes())
    tensors: dict[str, np.ndarray] = {}
    for kind, content in (*(("V1Layer", each) for each in net.layers), *(("Layer", each) for each in net.layer)):
        layer = parse(kind, content)
        for number, blob in enumerate(layer.blobs):
            name = f"{layer.name}/{number}"
            if name in tensors:
                raise ValueError(f"two layers have the name {layer.name!r}")
            tensors[name] = array(name, parse("Blob", blob))
    if not tensors:
        raise ValueError("it has no weights of Caffe layers")
    return tensors


def array(name: str, blob: Any) -> np.ndarray:
    """Return the values of a blob in its shape.

    Raises:
        ValueError: If the number of values is not that of the shape.
    """
    if len(blob.shape.dim) > MOST_DIMENSIONS:
        raise ValueError(f"{name} has more than {MOST_DIMENSIONS} dimensions")
    shape = tuple(blob.shape.dim) or tuple(getattr(blob, field) for field in LEGACY_SHAPE)
    if min(shape) < 1 or len(blob.data) != 4 * int(np.prod(shape, dtype=object)):
        raise ValueError(f"{name} has {len(blob.data):,} bytes of values, which its shape {shape} does not need")
    return np.frombuffer(blob.data, "<f4").reshape(shape)
