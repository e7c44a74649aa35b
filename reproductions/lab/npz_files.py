"""npz files whose headers are read before their arrays: types, shapes and sizes are bounded, pickles refused."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from reproductions.lab import zip_files
from reproductions.lab.errors import file_errors
from reproductions.lab.files import open_regular

LARGEST = 1 << 30  # bytes of compressed arrays together; those that are not compressed fit into the file
Shape = tuple[int | None, ...]  # None for any length

PICKLE = b"\x80"
FLOATS, INTEGERS, NUMBERS, BYTES, TEXTS = "f", "iu", "biuf", "S", "U"  # numpy's kinds of types


class NpzReader:
    """The arrays of an open npz file, each read when it is asked for.

    Args:
        file: The file.
        largest: Most bytes of compressed arrays together.
    """

    def __init__(self, file: BinaryIO, largest: int) -> None:
        start = file.read(len(np.lib.format.MAGIC_PREFIX))
        if start == np.lib.format.MAGIC_PREFIX:
            raise ValueError("it is one array, not an npz archive")
        if start.startswith(PICKLE):
            raise ValueError("it contains Python objects (pickles)")
        self.archive = zip_files.open_archive(file)
        self.members = {member.filename.removesuffix(".npy"): member for member in self.archive.infolist()}
        self.file_size, self.largest = os.fstat(file.fileno()).st_size, largest
        self.sizes = {zipfile.ZIP_STORED: 0, zipfile.ZIP_DEFLATED: 0}

    def __contains__(self, name: str) -> bool:
        return name in self.members

    def array(self, name: str, kinds: str, shape: Shape | None = None) -> np.ndarray:
        """Return an array.

        Args:
            name: Its name.
            kinds: Kinds of its type that are expected, as in `numpy.dtype.kind`.
            shape: Its expected shape; by default any.

        Raises:
            ValueError: If there is none, or it is of another type or shape, too large or damaged.
        """
        self.check(name, kinds, shape)
        self.count(self.members[name])
        with self.archive.open(self.members[name]) as data:
            array = np.lib.format.read_array(data, allow_pickle=False)
            data.read(1)  # the checksum is compared at the end
        return np.asarray(array)

    def table(self, name: str, columns: dict[str, str]) -> np.ndarray:
        """Return an array of one dimension with columns, given the kinds of their types by name; see `array`."""
        self.check(name, "V", (None,))
        _, dtype = self.header(name)
        found = {column: dtype[column].kind for column in dtype.names or ()}
        if set(found) != set(columns) or any(found[column] not in kinds for column, kinds in columns.items()):
            raise ValueError(f"{name} in it has the columns {found}, expected {columns}")
        return self.array(name, "V", (None,))

    def check(self, name: str, kinds: str, shape: Shape | None) -> None:
        """Raise ValueError unless the header of an array is as expected; see `array`."""
        if name not in self.members:
            raise ValueError(f"it lacks {name}")
        found, dtype = self.header(name)
        if dtype.hasobject:
            raise ValueError("it contains Python objects (pickles)")
        if dtype.kind not in kinds or not fits(found, shape):
            expected = f"{describe(kinds)} of shape {shape}" if shape is not None else describe(kinds)
            raise ValueError(f"{name} in it is {dtype} of shape {found}, expected {expected}")

    def count(self, member: zipfile.ZipInfo) -> None:
        """Add the size of a member to those read before; raise ValueError if they are too large together."""
        if member.compress_type not in self.sizes:
            raise ValueError(f"{member.filename} in it is compressed in an unknown way")
        self.sizes[member.compress_type] += member.file_size
        if self.sizes[zipfile.ZIP_STORED] > self.file_size or self.sizes[zipfile.ZIP_DEFLATED] > self.largest:
            raise ValueError(f"its arrays would expand to more than {self.largest:,} bytes")

    def header(self, name: str) -> tuple[tuple[int, ...], np.dtype]:
        """Return shape and type of an array; ValueError if they do not fit the size of the member."""
        with self.archive.open(self.members[name]) as data:
            version = np.lib.format.read_magic(data)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(data)
            start = data.tell()
        size = dtype.itemsize
        for length in shape:
            size *= length
        if not dtype.hasobject and start + size != self.members[name].file_size:
            raise ValueError(f"{name} in it is damaged: its header does not fit its size")
        return shape, dtype


def fits(shape: tuple[int, ...], expected: Shape | None) -> bool:
    """Return whether a shape is the expected one."""
    if expected is None:
        return True
    return len(shape) == len(expected) and all(own in (length, None) for length, own in zip(shape, expected))


def describe(kinds: str) -> str:
    """Return kinds of types as text."""
    names = {FLOATS: "floats", INTEGERS: "integers", NUMBERS: "numbers", BYTES: "bytes", TEXTS: "texts", "V": "rows"}
    return names.get(kinds, f"one of the kinds {kinds}")


@contextmanager
def open_npz(path: Path, advice: str = "download it again", largest: int = LARGEST) -> Iterator[NpzReader]:
    """Open an npz file; any error in the block, that of the reader included, names it.

    Args:
        path: File to read.
        advice: What the user should do if it is damaged.
        largest: Most bytes of compressed arrays together.

    Raises:
        UsageError: If it cannot be read.
    """
    with file_errors(path, advice), open_regular(path) as file:
        yield NpzReader(file, largest)
