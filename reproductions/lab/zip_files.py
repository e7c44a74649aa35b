"""Zip archives, of which `.keras` and npz files are two kinds, whose members are bounded in number and size."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import BinaryIO, cast

LARGEST_DIRECTORY = 1 << 20  # bytes; the state of a network with 700 variables and their moments has some 150,000
MOST_MEMBERS = 10_000
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass
class BoundedReads:
    """A file of which no single read takes more than a number of bytes.

    Attributes:
        file: The file.
        largest: Most bytes of a read.
    """

    file: BinaryIO
    largest: int

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, by default all; ValueError if they are too many."""
        content = self.file.read(size if 0 <= size <= self.largest else self.largest + 1)
        if len(content) > self.largest:
            raise ValueError(f"the directory of the archive has more than {self.largest:,} bytes")
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a place in the file, and return it."""
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place in the file."""
        return self.file.tell()


def open_archive(file: BinaryIO) -> zipfile.ZipFile:
    """Open an archive.

    Python makes an object of every member that the directory lists, whose number the header may misstate. So the
    directory, which is read in one piece, is limited.

    Args:
        file: The file, which the caller closes.

    Raises:
        ValueError: If it has too many members.
        zipfile.BadZipFile: If it is damaged.
    """
    archive = zipfile.ZipFile(cast(BinaryIO, BoundedReads(file, LARGEST_DIRECTORY)))
    if len(archive.infolist()) > MOST_MEMBERS:
        raise ValueError(f"the archive has {len(archive.infolist()):,} members, more than {MOST_MEMBERS:,}")
    archive.fp = file
    return archive


def read_member(archive: zipfile.ZipFile, name: str, largest: int) -> bytes:
    """Return the content of a member.

    Args:
        archive: The archive.
        name: Name of the member.
        largest: Most bytes that are expected, decompressed. No more are read.

    Raises:
        ValueError: If there is not exactly one, or it is larger or compressed in an unknown way.
        zipfile.BadZipFile: If it is damaged.
    """
    members = [member for member in archive.infolist() if member.filename == name]
    if len(members) != 1 or members[0].compress_type not in METHODS:
        raise ValueError(f"expected one {name} in it, stored or deflated")
    if members[0].file_size > largest:
        raise ValueError(f"its {name} has {members[0].file_size:,} bytes, more than {largest:,}")
    with archive.open(members[0]) as stream:
        return stream.read(largest)
