"""JSON that is read with limits of size and depth, and checked field by field against a dataclass or TypedDict."""

from __future__ import annotations

import functools
import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
from msgspec import inspect

from reproductions.lab import text
from reproductions.lab.errors import UsageError
from reproductions.lab.files import read_bytes

LARGEST = 1 << 23  # bytes; the manifest of all of ImageNet has some 200,000
DEEPEST = 32
LONGEST = 60  # characters of a value in a message
# What control characters look like in JSON, and a few other characters do, too.
CONTROLS = re.compile(
    rb"\\[bfr]|\\u(00[01789]|20[26])|\x7f|\xc2[\x80-\x9f]|\xe2(\x80[\xa8-\xae]|\x81[\xa6-\xa9])", re.I
)
STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
BRACKETS = bytes.maketrans(b"{}", b"[]")
OTHERS = bytes(set(range(256)) - set(b"[]{}"))

T = TypeVar("T")


class Excerpt:
    """Base class of dataclasses for what is read of files that others write, which have more fields."""


def read(path: Path, kind: type[T], what: str) -> T:
    """Return what a JSON file holds.

    Args:
        path: File to read.
        kind: Dataclass or TypedDict of the content.
        what: What the file is, for error messages, such as "a manifest".

    Raises:
        UsageError: If the file cannot be read, is too large or too deep, or does not fit; it names the field, what was
            expected and what was found.
    """
    return convert(read_any(path, what), kind, path, what)


def read_any(path: Path, what: str = "a JSON file") -> Any:
    """Return what a JSON file holds, unchecked but for size and depth; see `read`."""
    try:
        content = read_bytes(path, LARGEST)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    return parse(content, path, what)


def parse(content: bytes, source: object, what: str = "a JSON file") -> Any:
    """Return what JSON text holds, unchecked but for size and depth; control characters in it are escaped.

    Args:
        content: Text, in UTF-8.
        source: Where it comes from, for error messages; likewise `what`.
        what: What it is.

    Raises:
        UsageError: If it is not JSON, or too large or too deep.
    """
    if len(content) > LARGEST:
        raise UsageError(f"{source} is not {what}: it has more than {LARGEST:,} bytes")
    if is_deep(content):
        raise UsageError(f"{source} is not {what}: it is nested more than {DEEPEST} levels deep")
    try:
        value = msgspec.json.decode(content)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{source} is not {what}: {error}") from None
    return text.visible_values(value) if CONTROLS.search(content) else value


def is_deep(content: bytes) -> bool:
    """Return whether JSON text is nested more than `DEEPEST` levels deep; if its brackets do not match, mostly."""
    brackets = STRINGS.sub(b"", content).translate(BRACKETS, OTHERS)
    for _ in range(DEEPEST):
        before, brackets = len(brackets), brackets.replace(b"[]", b"")
        if len(brackets) == before:
            break
    return b"[]" in brackets or len(brackets) > DEEPEST


def convert(value: Any, kind: type[T], source: object, what: str, place: str = "$") -> T:
    """Return a JSON value as a dataclass, TypedDict or any other type.

    Args:
        value: Value as JSON gives it.
        kind: Its type.
        source: Where it comes from, for error messages; likewise `what`.
        what: What it is.
        place: Where in the file the value is.

    Raises:
        UsageError: If it does not fit or has an unknown field.
    """
    try:
        converted = msgspec.convert(value, kind)
    except (ValueError, OverflowError, RecursionError) as error:
        reason, _, path = str(error).partition(" - at `$")
        reason, path = reason[:1].lower() + reason[1:], path.removesuffix("`")
        got = "" if ", got" in reason or "field" in reason or "enum" in reason else value_at(value, path)
        raise UsageError(f"{source} is not {what}: {reason}{got} - at `{place}{path}`") from None
    for unknown in unknown_fields(value, structure_of(cast(Hashable, kind)), place):
        raise UsageError(f"{source} is not {what}: it has an unknown field - at `{unknown}`")
    return converted


def value_at(value: Any, path: str) -> str:
    """Return the value at a path such as ".tests[0].error" for a message; nothing if the path is not exact."""
    for name, index in re.findall(r"\.(\w+)|\[([\d.]+)\]", path):
        try:
            value = value[name] if name else value[int(index)]
        except (ValueError, KeyError, IndexError, TypeError):  # msgspec gives keys of dictionaries as [...]
            return ""
    return f", got {repr(value)[:LONGEST]}"


# --- Fields that a type does not have, which msgspec ignores for dataclasses


@dataclass(frozen=True)
class Structure:
    """Which fields a type has, and which its items have; None where it has none.

    Attributes:
        fields: Structures of the fields by name, of a dataclass or TypedDict.
        items: Structure of the values of a list or dictionary.
        closed: Whether there are no other fields.
    """

    fields: Mapping[str, Structure | None] | None = None
    items: Structure | None = None
    closed: bool = True


@functools.cache
def structure_of(kind: Hashable) -> Structure | None:
    """Return the structure of a type."""
    return structure(inspect.type_info(kind))


def structure(info: inspect.Type) -> Structure | None:
    """Return the structure of a type as msgspec describes it."""
    if isinstance(info, inspect.Metadata):
        return structure(info.type)
    if isinstance(info, (inspect.DataclassType, inspect.TypedDictType)):
        fields = {field.name: structure(field.type) for field in info.fields}
        return Structure(fields, closed=not issubclass(info.cls, Excerpt))
    if isinstance(info, inspect.UnionType):
        return next(filter(None, map(structure, info.types)), None)
    values = getattr(info, "value_type", None) or getattr(info, "item_type", None)
    items = structure(values) if values is not None else None
    return Structure(items=items) if items else None


def unknown_fields(value: Any, known: Structure | None, place: str) -> Iterator[str]:
    """Yield where a JSON value has fields that its type does not have, such as "$.test.error"."""
    if known is None or not isinstance(value, (dict, list)):
        return
    if known.fields is None:
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from unknown_fields(each, known.items, f"{place}[{key}]")
        return
    for name, each in value.items() if isinstance(value, dict) else ():
        if name in known.fields:
            yield from unknown_fields(each, known.fields[name], f"{place}.{name}")
        elif known.closed:
            yield f"{place}.{name}"
