"""TFRecord files of tf.train.Example without TensorFlow, whose import costs each worker seconds and memory.

Framing, as https://www.tensorflow.org/tutorials/load_data/tfrecord gives it: length (uint64, little-endian), masked
CRC-32C of the length, the data, masked CRC-32C of the data. The message is declared to the protobuf library.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import google_crc32c
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

HEADER, FOOTER = 12, 4


def example_class() -> Any:
    """tf.train.Example, declared in a pool of its own so that it does not meet TensorFlow's declaration."""
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="own", syntax="proto3")

    def message(name: str, *fields: tuple[str, int, str, bool]) -> Any:
        made = file.message_type.add(name=name)
        for field, number, kind, repeated in fields:
            label = 3 if repeated else 1
            if kind.startswith("."):
                made.field.add(name=field, number=number, label=label, type=11, type_name=kind)
            else:
                made.field.add(name=field, number=number, label=label, type={"bytes": 12, "float": 2, "int64": 3}[kind])
        return made

    for name, kind in (("BytesList", "bytes"), ("FloatList", "float"), ("Int64List", "int64")):
        message(name, ("value", 1, kind, True))
    kinds = (("bytes_list", ".own.BytesList"), ("float_list", ".own.FloatList"), ("int64_list", ".own.Int64List"))
    feature = message("Feature", *((name, number, kind, False) for number, (name, kind) in enumerate(kinds, 1)))
    feature.oneof_decl.add(name="kind")
    for field in feature.field:
        field.oneof_index = 0
    features = message("Features", ("feature", 1, ".own.Features.FeatureEntry", True))
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=1, type=9)
    entry.field.add(name="value", number=2, label=1, type=11, type_name=".own.Feature")
    message("Example", ("features", 1, ".own.Features", False))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("own.Example"))


Example = example_class()


def serialized(features: Mapping[str, bytes | int]) -> bytes:
    """An Example of these features; equal features give equal bytes."""
    example = Example()
    for name, value in features.items():
        feature = example.features.feature[name]
        if isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        else:
            feature.int64_list.value.append(value)
    return example.SerializeToString(deterministic=True)


def encoded_image(data: bytes) -> bytes:
    """The image/encoded of a serialized Example; ValueError where it holds none."""
    try:
        return Example.FromString(data).features.feature["image/encoded"].bytes_list.value[0]
    except Exception as error:  # protobuf's DecodeError is no ValueError
        raise ValueError(f"no example with an image: {error}") from None


def masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def framed(data: bytes) -> bytes:
    """A record of a TFRecord file: the data between header and footer."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, masked_crc(length), data, masked_crc(data)))


def unframed(record: bytes) -> bytes:
    """The data of a record; ValueError where a length or a checksum is wrong."""
    length, data = record[:8], record[HEADER:-FOOTER]
    if len(record) < HEADER + FOOTER or length != struct.pack("<Q", len(data)):
        raise ValueError("its length is wrong")
    if record[8:HEADER] != masked_crc(length) or record[-FOOTER:] != masked_crc(data):
        raise ValueError("its checksum is wrong")
    return data
