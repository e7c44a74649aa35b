"""The development kit of ILSVRC-2012: which classes there are, and which class each validation picture is of."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reproductions.lab.data.imagenet import official
from reproductions.lab.errors import UsageError, file_errors

META, TRUTH, BLACKLIST = "meta.mat", "ILSVRC2012_validation_ground_truth.txt", "validation_blacklist.txt"
LARGEST = 1 << 26  # bytes; the real ones have some 300 thousand at most


@dataclass(frozen=True)
class Devkit:
    """What the devkit says.

    Attributes:
        wnids: ILSVRC2012_ID to WNID, of the classes (synsets without children).
        words: WNID to words.
        truth: ILSVRC2012_ID of each validation picture, in the order of their numbers.
        blacklist: numbers of validation pictures, from 1; None where the devkit lists none.
    """

    wnids: dict[int, str]
    words: dict[str, str]
    truth: list[int]
    blacklist: list[int] | None

    def wnid_of(self, number: int) -> str:
        """The WNID of the validation picture of this number, from 1; KeyError for a number there is not."""
        if not 1 <= number <= len(self.truth):
            raise KeyError(number)
        return self.wnids[self.truth[number - 1]]


def find(folder: Path) -> Devkit | None:
    """The devkit in a folder, packed or extracted; None where there is none."""
    packed = folder / f"{official.DEVKIT}.tar.gz"
    if packed.is_file():
        with file_errors(packed, "download it again"):
            return parsed(files_in_tar(packed))
    for place in (folder / official.DEVKIT / "data", folder / "data", folder):
        if (place / META).is_file():
            with file_errors(place):
                return parsed({path.name: path.read_bytes() for path in place.iterdir() if wanted(path.name)})
    return None


def wanted(name: str) -> bool:
    return name in (META, TRUTH) or name.endswith(BLACKLIST)


def files_in_tar(path: Path) -> dict[str, bytes]:
    """The files that are wanted, by name; read in memory, never extracted."""
    found = {}
    with tarfile.open(path) as tar:
        for member in tar:
            name = PurePosixPath(member.name).name
            file = tar.extractfile(member) if member.isfile() and wanted(name) else None
            if file is None:
                continue
            if member.size > LARGEST:
                raise ValueError(f"{member.name} in it has {member.size} bytes")
            found[name] = file.read()
    return found


def parsed(files: Mapping[str, bytes]) -> Devkit:
    """The devkit from its files; ValueError says what is wrong with them."""
    for name in (META, TRUTH):
        if name not in files:
            raise ValueError(f"it lacks {name}")
    wnids, words = classes(files[META])
    truth = numbers(files[TRUTH])
    strange = sorted(set(truth) - set(wnids))
    if strange:
        raise ValueError(f"{TRUTH} names class {strange[0]}, which {META} does not have")
    listed = [data for name, data in files.items() if name.endswith(BLACKLIST)]
    return Devkit(wnids, words, truth, numbers(listed[0]) if listed else None)


def classes(meta: bytes) -> tuple[dict[int, str], dict[str, str]]:
    """ILSVRC2012_ID to WNID, and WNID to words, of the synsets without children; from meta.mat."""
    import scipy.io

    rows = scipy.io.loadmat(io.BytesIO(meta), squeeze_me=True)["synsets"].reshape(-1)
    leaves = [row for row in rows if int(row["num_children"]) == 0]
    wnids = {int(row["ILSVRC2012_ID"]): str(row["WNID"]) for row in leaves}
    return wnids, {str(row["WNID"]): str(row["words"]) for row in leaves}


def numbers(text: bytes) -> list[int]:
    return [int(line) for line in text.split()]


def blacklist(path: Path) -> list[int]:
    """The numbers in a blacklist of one's own; UsageError where the file is none."""
    try:
        return numbers(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is no list of numbers of validation pictures: {error}") from None
