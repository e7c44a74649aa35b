"""The development kit of ILSVRC-2012: the classes, and the class of each validation image."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reproductions.lab.data.imagenet import matlab, official
from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.files import read_bytes

META, GROUND_TRUTH = "meta.mat", "ILSVRC2012_validation_ground_truth.txt"
BLACKLIST = "validation_blacklist.txt"
LARGEST = 1 << 26  # bytes of the kit, decompressed, and of each file; the real kit has some 5 million
LARGEST_META = 1 << 24  # bytes of META, also decompressed


@dataclass(frozen=True)
class Synset:
    """A synset of ILSVRC: its ILSVRC2012_ID, WNID and words, and whether it has children."""

    number: int
    wnid: str
    words: str
    children: bool


@dataclass(frozen=True)
class Devkit:
    """Content of the development kit.

    Attributes:
        wnids: WNIDs of the classes (synsets without children) by ILSVRC2012_ID.
        words: Words of the classes by WNID.
        ground_truth: ILSVRC2012_ID of each validation image, in the order of their numbers.
        blacklist: Numbers of validation images, from 1; None if the kit has no list.
    """

    wnids: dict[int, str]
    words: dict[str, str]
    ground_truth: list[int]
    blacklist: list[int] | None

    def wnid_of(self, number: int) -> str:
        """Return the WNID of a validation image.

        Args:
            number: Number of the image, from 1.

        Raises:
            KeyError: If there is no such image.
        """
        if not 1 <= number <= len(self.ground_truth):
            raise KeyError(number)
        return self.wnids[self.ground_truth[number - 1]]


def find(folder: Path) -> Devkit | None:
    """Return the development kit in a folder, packed or extracted; None if there is none."""
    packed = folder / f"{official.DEVKIT}.tar.gz"
    if packed.is_file():
        with file_errors(packed):
            return parse(read_tar(packed))
    for candidate in (folder / official.DEVKIT / "data", folder / "data", folder):
        if (candidate / META).is_file():
            with file_errors(candidate):
                return parse(
                    {path.name: read_bytes(path, LARGEST) for path in candidate.iterdir() if is_needed(path.name)}
                )
    return None


def is_needed(name: str) -> bool:
    """Return whether a file of the kit is read."""
    return name in (META, GROUND_TRUTH) or name.endswith(BLACKLIST)


def read_tar(path: Path) -> dict[str, bytes]:
    """Return the files of the packed kit that are read, by name; they are not extracted to the disk."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(read_bytes(path, LARGEST)), mode="r:") as tar:
        for member in tar:
            name = PurePosixPath(member.name).name
            file = tar.extractfile(member) if member.isfile() and is_needed(name) else None
            if file is None:
                continue
            found[name] = file.read(LARGEST)
    return found


def parse(files: Mapping[str, bytes]) -> Devkit:
    """Return the kit from the content of its files.

    Raises:
        ValueError: If a file is missing or does not fit the others.
    """
    for name in (META, GROUND_TRUTH):
        if name not in files:
            raise ValueError(f"it lacks {name}")
    wnids, words = parse_classes(files[META])
    ground_truth = parse_numbers(files[GROUND_TRUTH])
    unknown = sorted(set(ground_truth) - set(wnids))
    if unknown:
        raise ValueError(f"{GROUND_TRUTH} has class {unknown[0]}, which {META} does not have")
    lists = [content for name, content in files.items() if name.endswith(BLACKLIST)]
    return Devkit(wnids, words, ground_truth, parse_numbers(lists[0]) if lists else None)


def parse_classes(meta: bytes) -> tuple[dict[int, str], dict[str, str]]:
    """Return WNIDs by ILSVRC2012_ID and words by WNID of the synsets without children in meta.mat; see `synsets`."""
    leaves = [synset for synset in synsets(meta) if not synset.children]
    return {each.number: each.wnid for each in leaves}, {each.wnid: each.words for each in leaves}


def synsets(meta: bytes) -> list[Synset]:
    """Return the synsets in meta.mat; ValueError if it is damaged or has other fields."""
    found = []
    for row in matlab.read(meta, "synsets", LARGEST_META):
        number, wnid = row.get("ILSVRC2012_ID"), row.get("WNID")
        if not (isinstance(number, float) and number.is_integer() and isinstance(wnid, str)):
            raise ValueError(f"a synset in {META} has no number or no WNID")
        found.append(Synset(int(number), wnid, str(row.get("words") or ""), row.get("num_children") != 0))
    return found


def parse_numbers(text: bytes) -> list[int]:
    """Return the integers in a text file."""
    return [int(line) for line in text.split()]


def read_blacklist(path: Path) -> list[int]:
    """Return the numbers of validation images in the user's own blacklist.

    Raises:
        UsageError: If the file cannot be read or has other content.
    """
    try:
        return parse_numbers(read_bytes(path, LARGEST))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: expected numbers of validation images, one per line: {error}") from None
