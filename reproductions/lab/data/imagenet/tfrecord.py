"""TFRecord files of tf.train.Example without TensorFlow, whose import costs every worker seconds and memory.

Format, from https://www.tensorflow.org/tutorials/load_data/tfrecord: length (uint64, little-endian), masked CRC-32C of
the length, data, masked CRC-32C of the data. The message is declared with the protobuf library.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import google_crc32c
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

HEADER, FOOTER = 12, 4
# Numbers of protobuf's FieldDescriptorProto.
OPTIONAL, REPEATED = 1, 3
TYPES = {"bytes": 12, "float": 2, "int64": 3}
STRING, MESSAGE = 9, 11


def declare_messages() -> descriptor_pb2.FileDescriptorProto:
    """Return the declarations of tf.train.Example and its parts."""
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="own", syntax="proto3")

    def message(name: str, *fields: tuple[str, int, str, bool]) -> descriptor_pb2.DescriptorProto:
        declared = file.message_type.add(name=name)
        for field, number, kind, repeated in fields:
            label = REPEATED if repeated else OPTIONAL
            if kind.startswith("."):
                declared.field.add(name=field, number=number, label=label, type=MESSAGE, type_name=kind)
            else:
                declared.field.add(name=field, number=number, label=label, type=TYPES[kind])
        return declared

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
    entry.field.add(name="key", number=1, label=OPTIONAL, type=STRING)
    entry.field.add(name="value", number=2, label=OPTIONAL, type=MESSAGE, type_name=".own.Feature")
    message("Example", ("features", 1, ".own.Features", False))
    return file


# In its own pool, so that it does not clash with TensorFlow's declaration.
POOL = descriptor_pool.DescriptorPool()
POOL.Add(declare_messages())
Example = message_factory.GetMessageClass(POOL.FindMessageTypeByName("own.Example"))


def serialize(features: Mapping[str, bytes | int]) -> bytes:
    """Return a serialized Example with these features; equal features give equal bytes."""
    example = Example()
    for name, value in features.items():
        feature = example.features.feature[name]
        if isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        else:
            feature.int64_list.value.append(value)
    return example.SerializeToString(deterministic=True)


def encoded_image(data: bytes) -> bytes:
    """Return the feature image/encoded of a serialized Example.

    Raises:
        ValueError: If there is none.
    """
    try:
        return Example.FromString(data).features.feature["image/encoded"].bytes_list.value[0]
    except Exception as error:  # protobuf's DecodeError is not a ValueError
        raise ValueError(f"not an example with an image: {error}") from None


def masked_crc(data: bytes) -> bytes:
    """Return the masked CRC-32C of the data, little-endian."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def frame(data: bytes) -> bytes:
    """Return a record of a TFRecord file: the data between header and footer."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, masked_crc(length), data, masked_crc(data)))


def unframe(record: bytes) -> bytes:
    """Return the data of a record.

    Raises:
        ValueError: If a length or a checksum is wrong.
    """
    length, data = record[:8], record[HEADER:-FOOTER]
    if len(record) < HEADER + FOOTER or length != struct.pack("<Q", len(data)):
        raise ValueError("its length is wrong")
    if record[8:HEADER] != masked_crc(length) or record[-FOOTER:] != masked_crc(data):
        raise ValueError("its checksum is wrong")
    return data
