"""Messages of Protocol Buffers with the few fields that are needed; the parser of the protobuf library skips others."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

Declared = descriptor_pb2.FieldDescriptorProto
BYTES, STRING, MESSAGE = Declared.TYPE_BYTES, Declared.TYPE_STRING, Declared.TYPE_MESSAGE
INT32, INT64 = Declared.TYPE_INT32, Declared.TYPE_INT64
MOST_PARTS, MOST_DIMENSIONS = 10_000, 32


@dataclass(frozen=True)
class Field:
    """A field of a message.

    What has the same encoding is best declared as bytes: numbers, so that NumPy reads them at once, and messages of
    which there are many, so that they are counted before they are parsed: an empty one of three bytes takes hundreds.

    Attributes:
        name: Name.
        number: Number in the file.
        type: One of the types above.
        message: Name of the message's kind, if it is one.
        repeated: Whether there can be several.
    """

    name: str
    number: int
    type: int
    message: str = ""
    repeated: bool = False


@dataclass(frozen=True)
class Schema:
    """The messages of a format.

    Attributes:
        name: Name of the format.
        fields: Fields of the messages, by kind.
    """

    name: str
    fields: Mapping[str, tuple[Field, ...]]

    @functools.cached_property
    def messages(self) -> dict[str, type[message.Message]]:
        """The message classes by kind."""
        package = f"reproductions.{self.name}"
        file = descriptor_pb2.FileDescriptorProto(name=f"reproductions/{self.name}.proto", package=package)
        for kind, fields in self.fields.items():
            described = file.message_type.add(name=kind)
            for field in fields:
                label = Declared.LABEL_REPEATED if field.repeated else Declared.LABEL_OPTIONAL
                type_name = f".{package}.{field.message}" if field.message else None
                described.field.add(
                    name=field.name, number=field.number, type=field.type, label=label, type_name=type_name
                )
        pool = descriptor_pool.DescriptorPool()
        pool.Add(file)
        found = {kind: pool.FindMessageTypeByName(f"{package}.{kind}") for kind in self.fields}
        return {kind: message_factory.GetMessageClass(descriptor) for kind, descriptor in found.items()}

    def parse(self, kind: str, content: bytes) -> Any:
        """Return a message.

        Raises:
            ValueError: If it has more parts than a network has.
        """
        parsed: Any = self.messages[kind].FromString(content)
        self.check_parts(kind, parsed)
        return parsed

    def check_parts(self, kind: str, parsed: Any) -> None:
        """Raise ValueError if a field is there more often than a network needs."""
        for field in self.fields[kind]:
            if field.repeated and len(getattr(parsed, field.name)) > MOST_PARTS:
                raise ValueError(f"field {field.number} of {kind} is there more than {MOST_PARTS:,} times")


def check_shape(name: str, shape: Sequence[int], values: int) -> None:
    """Check the shape of a tensor before anything is made of it.

    Args:
        name: Name of the tensor.
        shape: Its shape in the file.
        values: Number of its values in the file.

    Raises:
        ValueError: If it has too many dimensions, or another number of values.
    """
    if len(shape) > MOST_DIMENSIONS:
        raise ValueError(f"{name} has more than {MOST_DIMENSIONS} dimensions")
    count = 1
    for size in shape:
        count *= size
    if min(shape, default=1) < 1 or count != values:
        raise ValueError(f"{name} has {values:,} values, which its shape {tuple(shape)} does not need")
