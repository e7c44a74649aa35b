"""The record of a run: all that one run writes down, in one JSON file, whole or not at all."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from reproductions.lab.errors import UsageError
from reproductions.lab.files import atomic_write
from reproductions.lab.spec import recipe_changes

FULL = "float32"
WHOLE = "whole image"  # the protocol of records older than protocols
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
        test: errors, images, error and its Wilson 95% interval in percent, images per class, and the protocol;
            with more than ten classes also errors, error and interval of the best five answers.
        tests: the same by other protocols, by their names, as far as they were made since.
        misclassified: index in the test set, label and prediction of each error.
        pictures: base64 of a PNG with those images in a row, or null where they are too many.
        execution: precision, jit, accumulation_steps, workers, replicas; threads, on processors; and the run that it started
            from, if any.
        wall_seconds: from start to record, all sittings together.
        images_per_second: while training; the median over passes but the first.
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
    execution: dict[str, Any] = field(default_factory=dict)
    tests: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def precision(self) -> str:
        return str(self.execution.get("precision", FULL))

    @property
    def kind(self) -> str:
        """The same for runs that differ in their seed alone, which may be averaged."""
        recipe = recipe_changes.completed(self.recipe)
        normalized = recipe["micro_batch_size"] and self.execution.get("forward_batch_size")
        told = [self.network, self.data["sha256"], recipe, self.precision, normalized]
        return json.dumps(told, sort_keys=True)

    @property
    def protocol(self) -> str:
        """The protocol of the test that was made after training."""
        return str(self.test.get("protocol", WHOLE))

    @property
    def by_protocol(self) -> dict[str, dict[str, Any]]:
        """The figures of every test by its protocol, those of the test after training first."""
        return {self.protocol: self.test, **self.tests}

    def write(self, path: Path) -> None:
        text = json.dumps(asdict(self), indent=1) + "\n"
        with atomic_write(path) as unfinished:
            unfinished.write_text(text)

    def tested(self, figures: dict[str, Any]) -> Record:
        """The record with the figures of a further test."""
        return replace(self, tests={**self.tests, figures["protocol"]: figures})

    def without_times(self) -> dict[str, Any]:
        """What must be equal in two runs of one seed."""
        kept = {name: value for name, value in asdict(self).items() if name not in TIMES}
        kept["epochs"] = [{k: v for k, v in row.items() if k != "seconds"} for row in self.epochs]
        return kept


NEEDED = {
    "recipe": ("dataset", "images", "epochs", "splits", "batch_size"),
    "data": ("name", "source", "sha256", "train", "validation", "test"),
    "test": ("errors", "images", "error", "interval", "per_class"),
}


def check(record: Record) -> Record:
    """The record, if everything that the pages take from it is there; ValueError names what is not."""
    for part, names in NEEDED.items():
        missing = [name for name in names if name not in getattr(record, part)]
        if missing:
            raise ValueError(f"{part} lacks {', '.join(missing)}")
    for name, test in record.tests.items():
        if missing := [each for each in NEEDED["test"] if each not in test]:
            raise ValueError(f"the test by {name!r} lacks {', '.join(missing)}")
    if not record.epochs or not all({"epoch", "error"} <= set(row) for row in record.epochs):
        raise ValueError("epochs must be a row a pass, with epoch and error")
    if not all({"index", "label", "predicted"} <= set(row) for row in record.misclassified):
        raise ValueError("misclassified must be rows of index, label and predicted")
    return record


def read(path: Path) -> Record:
    """The record in a file; UsageError names a file that holds none."""
    try:
        return check(Record(**json.loads(path.read_text())))
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist: the run has not finished, or never began") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path} is not a whole record of a run: {error}") from None


def read_all(folder: Path) -> list[Record]:
    """Every record in a folder, by name: those of the run folders in it, or else the records in it themselves."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder of records or runs")
    return [read(path) for path in sorted(folder.glob("*/record.json")) or sorted(folder.glob("[!.]*.json"))]
