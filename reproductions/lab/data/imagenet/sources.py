"""Where the images are: in the official tars, read in place, or in folders. A listing has one row per image.

Nothing is extracted. A member of a tar that is a link, or whose path leads elsewhere, is refused nevertheless: the
official files have none, so the file is not what it should be.
"""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

import numpy as np

from reproductions.lab.data.imagenet import official
from reproductions.lab.data.imagenet.parallel import Map
from reproductions.lab.errors import UsageError

WNID = re.compile(r"n\d{8}")
VALIDATION_NAME = re.compile(r"ILSVRC2012_val_(\d{8})\.\w+")
LONGEST_NAME = 255  # bytes, as in most file systems; a tar may have any
BROKEN, BROKEN_LINK = -1, " (broken link)"
IMAGE_SUFFIXES = (".jpeg", ".jpg", ".png")


class Member(NamedTuple):
    """A file in a folder or tar: its name, the offset of its data in the tar, and its size; `BROKEN` for a link."""

    name: str
    offset: int
    size: int


Files = dict[str, list[Member]]  # by WNID


@dataclass(frozen=True)
class ImageSource:
    """Where the images of a split are.

    Attributes:
        path: Tar or folder.
        kind: "tar"; "flat" for a folder of images; "classes" for one of folders named by WNID.
    """

    path: Path
    kind: Literal["tar", "flat", "classes"]

    def read(self, row: np.void, wnid: str) -> bytes:
        """Return the file of a row of the listing."""
        if self.kind == "tar":
            with self.path.open("rb") as file:
                return os.pread(file.fileno(), int(row["size"]), int(row["offset"]))
        folder = self.path / wnid if self.kind == "classes" else self.path
        return (folder / os.fsdecode(row["name"])).read_bytes()


def find(folder: Path, split: Literal["train", "validation"]) -> ImageSource | None:
    """Return where the images of a split are in a folder; None if they are not there."""
    tar = folder / (official.TRAIN_TAR if split == "train" else official.VALIDATION_TAR)
    if tar.is_file():
        return ImageSource(tar, "tar")
    for name in ("train",) if split == "train" else ("val", "validation"):
        if (folder / name).is_dir():
            sorted_by_class = any(WNID.fullmatch(path.name) for path in (folder / name).iterdir() if path.is_dir())
            return ImageSource(folder / name, "classes" if sorted_by_class or split == "train" else "flat")
    return None


# --- Tars


def check_member(tar: str, member: tarfile.TarInfo) -> None:
    """Raise a UsageError unless a member is a regular file or folder below the root of the tar."""
    path = PurePosixPath(member.name)
    if path.is_absolute():
        reason = "its path is absolute"
    elif ".." in path.parts:
        reason = "its path leads out of the tar"
    elif member.issym() or member.islnk():
        reason = "it is a link"
    elif member.issparse() or not (member.isfile() or member.isdir()):
        reason = "it is not a regular file"
    else:
        return
    raise UsageError(
        f"{tar}: the member {printable(member.name)} is refused because {reason}; download the official file again"
    )


def members(path: Path, start: int = 0, end: int | None = None, inside: str = "") -> Iterator[Member]:
    """Yield the regular files in a tar.

    Args:
        path: Tar.
        start: Offset of a tar inside it to read instead.
        end: End of that tar.
        inside: Name of that tar, for error messages.

    Raises:
        UsageError: If the tar is damaged, or has a member of another kind.
    """
    name = f"{path}: {inside}" if inside else str(path)
    end = path.stat().st_size if end is None else end
    try:
        with path.open("rb") as file:
            file.seek(start)
            with tarfile.open(fileobj=file, mode="r:") as tar:
                for member in tar:
                    check_member(name, member)
                    if member.offset_data + member.size > end:
                        raise tarfile.ReadError("unexpected end of data")
                    if member.isfile():
                        yield Member(member.name, member.offset_data, member.size)
                # tarfile takes a damaged header for the end: the real end is a block of zeros.
                file.seek(tar.offset)
                if tar.offset + tarfile.BLOCKSIZE > end or any(file.read(tarfile.BLOCKSIZE)):
                    raise tarfile.ReadError("unexpected end of data")
    except tarfile.TarError as error:
        raise UsageError(f"{name} is damaged or incomplete: {error}; download it again") from None


def inner_tars(path: Path) -> list[tuple[str, int, int]]:
    """Return (WNID, start, end) of the tar of each class in the training tar."""
    found = []
    for name, offset, size in members(path):
        wnid, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix
        if suffix != ".tar" or not WNID.fullmatch(wnid):
            raise UsageError(
                f"{path} is not the official training tar: expected members nXXXXXXXX.tar, found {printable(name)}; "
                "download the official file again"
            )
        found.append((wnid, offset, offset + size))
    return found


def members_of_class(task: tuple[Path, str, int, int]) -> list[Member]:
    """Return the files of one class in the training tar: work for one process."""
    path, wnid, start, end = task
    return list(members(path, start, end, inside=f"{wnid}.tar"))


# --- Folders


def files(folder: Path) -> list[Member]:
    """Return the files in a folder except hidden ones, and the links that lead nowhere."""
    with os.scandir(folder) as entries:
        visible = [entry for entry in entries if not entry.name.startswith(".")]
    return [Member(entry.name, 0, size) for entry in visible if (size := size_of(entry)) is not None]


def size_of(entry: os.DirEntry[str]) -> int | None:
    """Return the size of a file, `BROKEN` for a link that leads nowhere; None if it is neither."""
    try:
        return entry.stat().st_size if entry.is_file() else None if os.path.exists(entry.path) else BROKEN
    except OSError:  # a loop of links
        return BROKEN


# --- Listings


def list_by_class(source: ImageSource, parallel: Map) -> Files:
    """Return the files by WNID, of a training tar or of folders named by WNID; all others under ""."""
    if source.kind == "tar":
        inner = inner_tars(source.path)
        listed = parallel(members_of_class, [(source.path, *each) for each in inner])
        return dict(zip((wnid for wnid, *_ in inner), listed))
    names = sorted(path.name for path in source.path.iterdir() if not path.name.startswith("."))
    wnids = [name for name in names if WNID.fullmatch(name)]
    listed = parallel(files, [source.path / wnid for wnid in wnids])
    return {**dict(zip(wnids, listed)), "": [Member(name, 0, 0) for name in names if name not in wnids]}


def list_by_number(source: ImageSource, wnid_of: Callable[[int], str]) -> Files:
    """Return the validation files by WNID, by the numbers in their names; files that are not images under "".

    Args:
        source: Tar or folder.
        wnid_of: WNID of the validation image with a number; KeyError if there is none.

    Raises:
        UsageError: If an image has another name, or a number without a class.
    """
    found: Files = {}
    for member in members(source.path) if source.kind == "tar" else files(source.path):
        name = PurePosixPath(member.name).name
        number = VALIDATION_NAME.fullmatch(name)
        if number is None and is_image(name):
            raise UsageError(
                f"{source.path}: expected images named ILSVRC2012_val_XXXXXXXX.JPEG, found {printable(name)}"
            )
        if number is None:
            found.setdefault("", []).append(member)
            continue
        try:
            found.setdefault(wnid_of(int(number[1])), []).append(member)
        except KeyError:
            raise UsageError(f"{source.path}: the devkit does not have a class for {name}") from None
    return found


def is_image(name: str) -> bool:
    """Return whether a file is an image by its name."""
    return PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES


def sort_key(name: bytes) -> int:
    """Return a 64-bit hash of a file name, which spreads names evenly."""
    return int.from_bytes(hashlib.sha256(b"shard " + name).digest()[:8], "big")


def ignored_files(files_of: Mapping[str, list[Member]], wnids: list[str]) -> list[str]:
    """Return the names of files that are not images, or not of one of the classes, and of links that lead nowhere."""
    return [
        printable(name) + BROKEN_LINK * (size == BROKEN)
        for wnid, own in files_of.items()
        for name, _, size in own
        if wnid not in wnids or size == BROKEN or not is_image(name)
    ]


def printable(name: str) -> str:
    """Return a file name with escapes for backslashes, control characters, and bytes that are not UTF-8."""
    text = os.fsencode(name).replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)


def listing_type(longest: int) -> np.dtype:
    """Return the type of a row of a listing, given the bytes of the longest file name."""
    return np.dtype([("name", f"S{longest}"), ("label", "<i4"), ("offset", "<i8"), ("size", "<i8"), ("key", "<u8")])


def make_listing(files_of: Mapping[str, list[Member]], wnids: list[str]) -> np.ndarray:
    """Return the listing of a split.

    Args:
        files_of: Files by WNID.
        wnids: WNIDs of the classes.

    Returns:
        One row per image with name, label, offset, size and key, sorted by key.

    Raises:
        UsageError: If an image occurs twice.
    """
    rows = [
        (os.fsencode(PurePosixPath(name).name), label, offset, size)
        for label, wnid in enumerate(wnids)
        for name, offset, size in files_of.get(wnid, [])
        if is_image(name) and size != BROKEN
    ]
    longest = max((len(name) for name, *_ in rows), default=1)
    if longest > LONGEST_NAME:
        raise UsageError(f"the source has a file name of {longest} bytes, expected at most {LONGEST_NAME}: rename it")
    table = np.array([(*row, sort_key(row[0])) for row in rows], dtype=listing_type(longest))
    table = table[np.lexsort((table["label"], table["name"], table["key"]))]
    same = (table["name"][1:] == table["name"][:-1]) & (table["label"][1:] == table["label"][:-1])
    if same.any():
        raise UsageError(
            f"{printable(os.fsdecode(table['name'][1:][same][0]))} occurs twice in the source: remove one copy"
        )
    return table
