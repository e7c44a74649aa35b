"""The networks that the suite trained and gives out, in `reproductions/weights`: a file for each, and their list."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reproductions.lab import files, json_files
from reproductions.lab.errors import UsageError

FOLDER = Path(__file__).parents[2] / "weights"
LIST = "trained.json"
ENDING = ".safetensors"
LARGEST, LARGEST_TOGETHER = 5_000_000, 20_000_000  # bytes


@dataclass(frozen=True)
class TrainedFile:
    """A file of weights that the suite gives out.

    Attributes:
        record: Name of the committed record of the run, without ".json".
        sha256: Checksum of the file.
    """

    record: str
    sha256: str


def read_list(folder: Path = FOLDER) -> dict[str, TrainedFile]:
    """Return the files in a folder by the names of their networks; none if it has no list."""
    path = folder / LIST
    if not path.is_file():
        return {}
    return json_files.read(path, dict[str, TrainedFile], "a list of trained networks")


def path_of(network: str, folder: Path = FOLDER) -> Path:
    """Return the file with the weights of a network.

    Raises:
        UsageError: If there is none, or it is not the one that was given out.
    """
    listed = read_list(folder)
    if network not in listed:
        raise UsageError(
            f"there are no trained weights of {network} in the suite, only of {', '.join(listed) or 'no network'}: "
            "train it, or name a file"
        )
    path = folder / f"{network}{ENDING}"
    if not path.is_file() or files.sha256(path) != listed[network].sha256:
        raise UsageError(f"{path} is missing or was changed: install the suite again")
    return path
