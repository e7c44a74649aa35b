"""Arrays of an HDF5 file, in the part of the format that Keras writes by h5py.

The HDF5 library (1.14) does not return, or crashes, for some damaged files, and its filters, links and external files
can do more than read the file. So this reader has none of them: it knows groups with symbol tables, and numbers that
are stored in one piece. Source: HDF5 File Format Specification, version 3.0, sections II to IV, with their names.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import unpack_from

import numpy as np

SIGNATURE = b"\x89HDF\r\n\x1a\n"
ROOT = 56  # symbol table entry of the root group, in a superblock of version 0
DATASPACE, DATATYPE, EXTERNAL, LAYOUT, FILTERS, CONTINUATION, SYMBOL_TABLE = 1, 3, 7, 8, 11, 16, 17
LINK_INFO, LINK, SHARED = 2, 6, 2
CONTIGUOUS, SOFT_LINK = 1, 2
# Type and properties (bit offset, precision, exponent and mantissa, bias) of floating-point numbers, by their size.
FLOATS = {2: (0, 16, 10, 5, 0, 10, 15), 4: (0, 32, 23, 8, 0, 23, 127), 8: (0, 64, 52, 11, 0, 52, 1023)}
LONGEST_PATH, MOST_ADDRESSES = 1000, 300_000


@dataclass
class Hdf5:
    """The bytes of an HDF5 file.

    Attributes:
        content: The whole file.
        seen: Addresses of what has been read, which is not read twice.
    """

    content: bytes
    seen: set[int] = field(default_factory=set)

    def visit(self, address: int) -> None:
        """Note that something is read, so that no loop in the file is followed.

        Raises:
            ValueError: If it has been read before, or too much has been read.
        """
        if address in self.seen or len(self.seen) >= MOST_ADDRESSES:
            raise ValueError(f"an object is in two places, or it has more than {MOST_ADDRESSES:,} parts")
        self.seen.add(address)

    def messages(self, address: int) -> dict[int, bytes]:
        """Return the messages of an object header, by type; of attributes and unused space only the last."""
        version, count, length = unpack_from("<BxH4xI", self.content, address)
        if version != 1:
            raise ValueError("an object has another format than Keras writes")
        self.visit(address)
        blocks, found = [(address + 16, length)], {}
        for start, length in blocks:
            at = start
            while at < start + length and count:
                self.visit(at)
                kind, size, flags = unpack_from("<HHB", self.content, at)
                data = self.content[at + 8 : at + 8 + size]
                if kind == CONTINUATION:
                    blocks.append(unpack_from("<QQ", data))
                elif kind in (DATASPACE, DATATYPE, LAYOUT) and flags & SHARED:
                    raise ValueError("an array shares its description with another, which Keras does not write")
                found[kind] = data
                at, count = at + 8 + size, count - 1
        return found

    def members(self, table: bytes) -> Iterator[tuple[str, int]]:
        """Yield the names and addresses of a group's members, from its symbol table message."""
        tree, heap = unpack_from("<QQ", table)
        if self.content[heap : heap + 4] != b"HEAP":
            raise ValueError("a group has no names")
        size, names = unpack_from("<Q8xQ", self.content, heap + 8)
        for at in self.entries(tree):
            offset, address, cached = unpack_from("<QQI", self.content, at)
            if cached == SOFT_LINK:
                raise ValueError("a member of a group is a link, which Keras does not write")
            end = self.content.find(b"\0", names + offset, min(names + size, names + offset + LONGEST_PATH))
            if end < 0 or offset >= size:
                raise ValueError("a name does not end")
            yield self.content[names + offset : end].decode(), address

    def entries(self, tree: int) -> Iterator[int]:
        """Yield the addresses of the symbol table entries in a B-tree."""
        nodes = [tree]
        while nodes:
            node = nodes.pop()
            self.visit(node)
            signature, kind, _, used = unpack_from("<4sBBH", self.content, node)
            if signature == b"SNOD":
                [symbols] = unpack_from("<H", self.content, node + 6)
                for at in range(node + 8, node + 8 + 40 * symbols, 40):
                    self.visit(at)
                    yield at
            elif signature == b"TREE" and kind == 0:
                for at in range(node + 32, node + 32 + 16 * used, 16):
                    self.visit(at)
                    nodes.extend(unpack_from("<Q", self.content, at))
            else:
                raise ValueError("the index of a group is damaged")

    def array(self, path: str, messages: dict[int, bytes]) -> np.ndarray:
        """Return an array, which shares its memory with the content.

        Raises:
            ValueError: If it is not made of numbers, or is compressed, incomplete or in another file.
        """
        layout = messages[LAYOUT]
        if layout[:2] != bytes((3, CONTIGUOUS)) or EXTERNAL in messages or FILTERS in messages:
            raise ValueError(f"{path} is compressed, in pieces or in another file, which Keras does not write")
        shape, number = dataspace(messages[DATASPACE]), number_type(path, messages[DATATYPE])
        address, size = unpack_from("<QQ", layout, 2)
        needed = math.prod(shape) * number.itemsize
        if size < needed or (needed and address + needed > len(self.content)):
            raise ValueError(f"{path} of shape {shape} has more values than the file")
        return np.frombuffer(self.content, number, math.prod(shape), address if needed else 0).reshape(shape)


def read(content: bytes) -> dict[str, np.ndarray]:
    """Return all arrays by their paths, "group/name".

    Args:
        content: The file. The arrays share its memory.

    Raises:
        ValueError: If the file is damaged or has anything that Keras does not write.
    """
    if not content.startswith(SIGNATURE + b"\0") or content[13:15] != b"\x08\x08" or any(content[24:32]):
        raise ValueError("it is not an HDF5 file of the version that Keras writes")
    file, found, left = Hdf5(content), {}, len(content)
    groups = [("", unpack_from("<Q", content, ROOT + 8)[0])]
    while groups:
        path, address = groups.pop()
        if len(path) > LONGEST_PATH or path in found:
            raise ValueError(f"the path {path[:50]}... is there twice or has more than {LONGEST_PATH:,} characters")
        messages = file.messages(address)
        if SYMBOL_TABLE in messages:
            members = [(f"{path}/{name}", child) for name, child in file.members(messages[SYMBOL_TABLE])]
            groups.extend(reversed(members))
        elif LAYOUT in messages:
            found[path] = file.array(path.removeprefix("/"), messages)
            left -= found[path].nbytes
        elif LINK_INFO in messages or LINK in messages:
            raise ValueError("a group has another format than Keras writes")
        if left < 0:
            raise ValueError("its arrays have more bytes than the file")
    return {path.removeprefix("/"): values for path, values in found.items()}


def dataspace(message: bytes) -> tuple[int, ...]:
    """Return the shape in a dataspace message."""
    version, rank, kind = unpack_from("<BBxB", message)
    if version not in (1, 2) or (version == 2 and kind > 1):
        raise ValueError("an array has no shape")
    return unpack_from(f"<{rank}Q", message, 8 if version == 1 else 4)


def number_type(path: str, message: bytes) -> np.dtype:
    """Return the data type in a datatype message.

    Raises:
        ValueError: If it is not of numbers as NumPy has them.
    """
    kind, bits, size = unpack_from("<BB2xI", message)
    order = ">" if bits & 1 else "<"
    if kind & 15 == 0 and size in (1, 2, 4, 8) and unpack_from("<HH", message, 8) == (0, 8 * size):
        return np.dtype(f"{order}{'i' if bits & 8 else 'u'}{size}")
    if kind & 15 == 1 and not bits & 64 and unpack_from("<HHBBBBI", message, 8) == FLOATS.get(size):
        return np.dtype(f"{order}f{size}")
    raise ValueError(f"{path} is not an array of numbers")
