"""Where the pictures lie: in the official tars, read in place, or in folders. A listing has a row a picture.

Nothing is ever extracted. A member of a tar whose path leads elsewhere, or that is a link, is refused all the same: the
official files have none, so the file is not what it claims to be.
"""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np

from reproductions.lab.data.imagenet import official
from reproductions.lab.errors import UsageError

WNID = re.compile(r"n\d{8}")
VALIDATION_NAME = re.compile(r"ILSVRC2012_val_(\d{8})\.\w+")
PICTURES = (".jpeg", ".jpg", ".png")
Member = tuple[str, int, int]  # name, offset of its data in the file, size


@dataclass(frozen=True)
class Place:
    """A tar with all pictures of a part, a folder of pictures ("flat"), or one of folders named by WNID ("classes")."""

    path: Path
    kind: Literal["tar", "flat", "classes"]

    def read(self, row: Any, wnid: str) -> bytes:
        """The file of a row of the listing."""
        if self.kind == "tar":
            with self.path.open("rb") as file:
                return os.pread(file.fileno(), int(row["size"]), int(row["offset"]))
        folder = self.path / wnid if self.kind == "classes" else self.path
        return (folder / os.fsdecode(row["name"])).read_bytes()


def find(folder: Path, part: Literal["train", "validation"]) -> Place | None:
    """Where a part of the pictures lies in a folder; None where it does not."""
    tar = folder / (official.TRAIN_TAR if part == "train" else official.VALIDATION_TAR)
    if tar.is_file():
        return Place(tar, "tar")
    for name in ("train",) if part == "train" else ("val", "validation"):
        if (folder / name).is_dir():
            sorted_by_class = any(WNID.fullmatch(path.name) for path in (folder / name).iterdir() if path.is_dir())
            return Place(folder / name, "classes" if sorted_by_class or part == "train" else "flat")
    return None


# --- Tars


def refuse(tar: str, member: tarfile.TarInfo) -> None:
    """UsageError where a member is anything but a plain file or folder below the tar's own root."""
    path = PurePosixPath(member.name)
    if path.is_absolute():
        wrong = "its path is absolute"
    elif ".." in path.parts:
        wrong = "its path leads out of the tar"
    elif member.issym() or member.islnk():
        wrong = "it is a link"
    elif member.issparse() or not (member.isfile() or member.isdir()):
        wrong = "it is no plain file"
    else:
        return
    raise UsageError(f"{tar}: the member {member.name} is refused: {wrong}; download the official file again")


def members(path: Path, start: int = 0, end: int | None = None, inside: str = "") -> Iterator[Member]:
    """The plain files in a tar, or in the one that lies from `start` to `end` in it; UsageError where it is damaged."""
    name = f"{path}: {inside}" if inside else str(path)
    end = path.stat().st_size if end is None else end
    try:
        with path.open("rb") as file:
            file.seek(start)
            with tarfile.open(fileobj=file, mode="r:") as tar:
                for member in tar:
                    refuse(name, member)
                    if member.offset_data + member.size > end:
                        raise tarfile.ReadError("unexpected end of data")
                    if member.isfile():
                        yield member.name, member.offset_data, member.size
                # tarfile takes a damaged header for the end: the real end is a block of zeros.
                file.seek(tar.offset)
                if tar.offset + tarfile.BLOCKSIZE > end or any(file.read(tarfile.BLOCKSIZE)):
                    raise tarfile.ReadError("unexpected end of data")
    except tarfile.TarError as error:
        raise UsageError(f"{name} is damaged, or was not downloaded whole: {error}; download it again") from None


def inner_tars(path: Path) -> list[tuple[str, int, int]]:
    """(WNID, start, end) of the tar of each class inside the training tar."""
    found = []
    for name, offset, size in members(path):
        wnid, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix
        if suffix != ".tar" or not WNID.fullmatch(wnid):
            raise UsageError(f"{path} is not the official training tar: it holds {name}, where nXXXXXXXX.tar should be")
        found.append((wnid, offset, offset + size))
    return found


def members_of_class(task: tuple[Path, str, int, int]) -> list[Member]:
    """The files of one class in the training tar: work for one process."""
    path, wnid, start, end = task
    return list(members(path, start, end, inside=f"{wnid}.tar"))


# --- Folders


def files(folder: Path) -> list[Member]:
    """The files in a folder; hidden ones are left out."""
    with os.scandir(folder) as entries:
        return [(e.name, 0, e.stat().st_size) for e in entries if e.is_file() and not e.name.startswith(".")]


# --- Listings


def by_class(place: Place, share: Callable[..., Iterable[Any]]) -> dict[str, list[Member]]:
    """WNID to files, of a training tar or of folders named by WNID; what else is there stands under "".

    `share` maps, perhaps over processes.
    """
    if place.kind == "tar":
        inner = inner_tars(place.path)
        listed = share(members_of_class, [(place.path, *one) for one in inner])
        return dict(zip((wnid for wnid, *_ in inner), listed))
    inside = sorted(path.name for path in place.path.iterdir() if not path.name.startswith("."))
    wnids = [name for name in inside if WNID.fullmatch(name)]
    listed = share(files, [place.path / wnid for wnid in wnids])
    return {**dict(zip(wnids, listed)), "": [(name, 0, 0) for name in inside if name not in wnids]}


def by_number(place: Place, wnid_of: Callable[[int], str]) -> dict[str, list[Member]]:
    """WNID to files, of validation pictures whose class the devkit knows by the number in their names.

    Files that are no pictures stand under "".
    """
    found: dict[str, list[Member]] = {}
    for member in members(place.path) if place.kind == "tar" else files(place.path):
        name = PurePosixPath(member[0]).name
        number = VALIDATION_NAME.fullmatch(name)
        if number is None and is_picture(name):
            raise UsageError(f"{place.path} holds {name}, where ILSVRC2012_val_ and a number should be")
        if number is None:
            found.setdefault("", []).append(member)
            continue
        try:
            found.setdefault(wnid_of(int(number[1])), []).append(member)
        except KeyError:
            raise UsageError(f"{place.path} holds {name}, a number that the devkit has no class for") from None
    return found


def is_picture(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in PICTURES


def key(name: bytes) -> int:
    """A number of 64 bits that is a fixed function of a file's name, and that spreads names evenly."""
    return int.from_bytes(hashlib.sha256(b"shard " + name).digest()[:8], "big")


def left_out(files_of: Mapping[str, list[Member]], classes: list[str]) -> list[str]:
    """The files that are no pictures, or of none of the classes."""
    return [name for wnid, own in files_of.items() for name, *_ in own if wnid not in classes or not is_picture(name)]


def listing(files_of: Mapping[str, list[Member]], classes: list[str]) -> np.ndarray:
    """A row a picture of one of the classes: name, label, offset, size and key, in the order of keys.

    UsageError for a picture that is there twice.
    """
    rows = [
        (os.fsencode(PurePosixPath(name).name), label, offset, size)
        for label, wnid in enumerate(classes)
        for name, offset, size in files_of.get(wnid, [])
        if is_picture(name)
    ]
    longest = max((len(name) for name, *_ in rows), default=1)
    kind = [("name", f"S{longest}"), ("label", "<i4"), ("offset", "<i8"), ("size", "<i8"), ("key", "<u8")]
    table = np.array([(*row, key(row[0])) for row in rows], dtype=kind)
    table = table[np.lexsort((table["label"], table["name"], table["key"]))]
    same = (table["name"][1:] == table["name"][:-1]) & (table["label"][1:] == table["label"][:-1])
    if same.any():
        raise UsageError(f"{os.fsdecode(table['name'][1:][same][0])} is there twice in the source")
    return table
