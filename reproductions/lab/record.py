"""The record of a run: all that one run writes down, in one JSON file, whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from reproductions.lab.errors import UsageError

TIMES = ("finished", "wall_seconds", "images_per_second")


@dataclass(frozen=True)
class Record:
    """What a run was, and what came of it.

    Attributes:
        recipe: resolved, as it was run; `Recipe.as_data`.
        data: name, source, sha256 of the decoded arrays, and the sizes of its parts.
        commit, dirty: the code that ran; null outside a git checkout.
        parameters: trainable and fixed.
        epochs: a row a pass: epoch, learning_rate, loss, error (in percent, while training), seconds.
        test: errors, images, error and its Wilson 95% interval in percent, and images per class.
        misclassified: index in the test set, label and prediction of each error.
        pictures: base64 of a PNG with those images in a row, or null where they are too many.
        finished, wall_seconds, images_per_second and the seconds of each pass are the only fields
            that differ between two runs of one seed.
    """

    study: str
    network: str
    seed: int
    recipe: dict[str, Any]
    data: dict[str, Any]
    commit: str | None
    dirty: bool | None
    versions: dict[str, str]
    device: str
    strategy: str
    replicas: int
    parameters: dict[str, int]
    epochs: list[dict[str, float]]
    test: dict[str, Any]
    misclassified: list[dict[str, int]]
    pictures: str | None
    finished: str
    wall_seconds: float
    images_per_second: float

    def write(self, path: Path) -> None:
        with replacing(path) as file:
            file.write(json.dumps(asdict(self), indent=1).encode() + b"\n")

    def without_times(self) -> dict[str, Any]:
        """What must be equal in two runs of one seed."""
        kept = {name: value for name, value in asdict(self).items() if name not in TIMES}
        kept["epochs"] = [{k: v for k, v in row.items() if k != "seconds"} for row in self.epochs]
        return kept


def read(path: Path) -> Record:
    """The record in a file; UsageError names a file that holds none."""
    try:
        return Record(**json.loads(path.read_text()))
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist: the run has not finished, or never began") from None
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path} is not a whole record of a run: {error}") from None


def read_all(folder: Path) -> list[Record]:
    """Every record in a folder, by file name; those of run folders inside it too."""
    return [read(path) for path in sorted([*folder.glob("*.json"), *folder.glob("*/record.json")])]


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that takes its place only once it is whole."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
