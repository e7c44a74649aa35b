"""Arrays of structures in a MATLAB file, with the numbers and texts in them.

scipy's reader follows what the file says: with a few hundred bytes it takes minutes and gigabytes, and it crashes if
arrays are nested deeply. This one has no recursion, and reads no more than there is. Source: MAT-File Format, level 5.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from struct import error as StructError
from struct import unpack_from

import numpy as np

HEADER = 128  # bytes
MATRIX, COMPRESSED = 14, 15  # types of elements
STRUCTURE, TEXT, NUMBERS = 2, 4, range(6, 16)  # classes of arrays
MOST_FIELDS, MOST_STRUCTURES = 100, 100_000  # WordNet has 82,115 synsets of nouns
DTYPES = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8", 12: "<i8", 13: "<u8"}
ENCODINGS = {1: "ascii", 2: "ascii", 4: "utf-16-le", 16: "utf-8", 17: "utf-16-le", 18: "utf-32-le"}

Value = float | str | None  # None for what is neither one number nor a text


@dataclass(frozen=True)
class Element:
    """A piece of the file.

    Attributes:
        kind: Its type.
        data: Its content.
        end: Where the next one begins, in the piece that both are in.
    """

    kind: int
    data: bytes
    end: int


def read(content: bytes, name: str, largest: int) -> list[dict[str, Value]]:
    """Return an array of structures, each with its values by field.

    Args:
        content: The file.
        name: Name of the array.
        largest: Most bytes of the file, and of each of its arrays, decompressed.

    Raises:
        ValueError: If there is no such array, or the file is damaged or too large.
    """
    if content[126:HEADER] != b"IM":
        raise ValueError("it is not a MATLAB file of level 5")
    if len(content) > largest:
        raise ValueError(f"it has more than {largest:,} bytes")
    try:
        for each in elements(content, HEADER):
            data = each.data
            if each.kind == COMPRESSED:
                unpacker = zlib.decompressobj()
                data = unpacker.decompress(data, largest)
                if unpacker.unconsumed_tail:
                    raise ValueError(f"it would expand to more than {largest:,} bytes")
                data = element(data, 0).data
            kind, own_name, parts = array(data)
            if (kind, own_name) == (STRUCTURE, name):
                return list(structures(data, parts))
    except (StructError, zlib.error) as error:
        raise ValueError(f"it is damaged: {error}") from None
    raise ValueError(f"it has no array of structures with the name {name}")


def element(data: bytes, start: int) -> Element:
    """Return the element at a place; ValueError if it is not whole."""
    kind, size = unpack_from("<II", data, start)
    first, length = start + 8, -(-size // 8) * 8
    if kind >> 16:  # up to four bytes, beside type and size
        kind, size, first, length = kind & 0xFFFF, kind >> 16, start + 4, 4
    if kind == COMPRESSED:  # the only one that is not filled up
        length = size
    if first + size > len(data):
        raise ValueError(f"it is damaged: an element of {size:,} bytes is not whole")
    return Element(kind, data[first : first + size], first + length)


def elements(data: bytes, start: int) -> Iterator[Element]:
    """Yield the elements from a place on."""
    while start < len(data):
        yield (found := element(data, start))
        start = found.end


def array(data: bytes) -> tuple[int, str, int]:
    """Return the class and the name of an array, and where its content begins."""
    flags = element(data, 0)
    shape = element(data, flags.end)
    name = element(data, shape.end)
    return flags.data[0] if flags.data else 0, name.data.decode("latin-1"), name.end


def structures(data: bytes, start: int) -> Iterator[dict[str, Value]]:
    """Yield the structures of an array whose content begins at a place."""
    shape = np.frombuffer(element(data, element(data, 0).end).data, "<i4").tolist()
    length = element(data, start)
    names = element(data, length.end)
    [size] = unpack_from("<i", length.data)
    few = min(shape, default=0) >= 0 and math.prod(shape) <= MOST_STRUCTURES
    if not (few and 0 < size <= len(names.data) <= MOST_FIELDS * size):
        raise ValueError("it is damaged: its structures have no fields or too many, or there are too many of them")
    fields = [names.data[at : at + size].split(b"\0")[0].decode("latin-1") for at in range(0, len(names.data), size)]
    at = names.end
    for _ in range(math.prod(shape)):
        found = {}
        for name in fields:
            value = element(data, at)  # raises at the end of the data, whatever the shape
            found[name], at = leaf(value.data), value.end
        yield found


def leaf(data: bytes) -> Value:
    """Return the number or the text that an array consists of; None for others."""
    if not data:
        return None
    kind, _, start = array(data)
    if kind not in (TEXT, *NUMBERS) or start >= len(data):
        return None
    values = element(data, start)
    if kind == TEXT:
        return values.data.decode(ENCODINGS.get(values.kind, "ascii"))
    numbers = np.frombuffer(values.data, DTYPES.get(values.kind, "u1"))
    return float(numbers[0]) if len(numbers) == 1 else None
