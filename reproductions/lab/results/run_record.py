"""The record of a run: everything that one run writes down, in one JSON file."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from reproductions.lab import json_files
from reproductions.lab.errors import UsageError
from reproductions.lab.files import write_json
from reproductions.lab.ranges import Name, NonNegative, Whole
from reproductions.lab.results.entries import (
    DataSummary,
    EpochResult,
    ErrorRate,
    EvaluationResult,
    Execution,
    Misclassified,
)
from reproductions.lab.spec import recipe_changes, recipe_files
from reproductions.lab.spec.recipe import plain

SCHEMA = 2  # of the files that this version writes
TIMES = ("finished", "wall_seconds", "images_per_second")

T = TypeVar("T")


@dataclass(frozen=True)
class Record:
    """What a run was, and its results.

    Two runs of one seed differ in `finished`, `wall_seconds`, `images_per_second` and the seconds of their epochs only.

    Attributes:
        study: Name of the paper.
        network: Name of the network.
        seed: Random seed.
        recipe: Resolved recipe as it was run, from `Recipe.as_data`.
        data: The data set.
        commit: Commit of the code; None outside a git checkout.
        dirty: Whether the code was changed since that commit; None outside a git checkout.
        versions: Versions of Python and the libraries.
        device: Description of the devices.
        strategy: Distribution strategy.
        parameters: Number of "trainable" and "non_trainable" parameters, for a network.
        history: Metrics of each epoch; none for a classifier.
        test: Result of the test after training.
        misclassified: The errors of that test, for images held in memory.
        finished: When the run finished, UTC.
        wall_seconds: Time from start to record, in all sessions together.
        images_per_second: Training throughput: the median over all epochs but the first; None for a classifier,
            which is fitted at once.
        execution: How it was executed.
        tests: Results by further protocols, by their names.
        validation: Error rate of a classifier on the validation split, if it is held out.
        schema: Version of this format.
    """

    study: Name
    network: Name
    seed: Whole
    recipe: dict[str, Any]
    data: DataSummary
    commit: str | None
    dirty: bool | None
    versions: dict[str, str]
    device: str
    strategy: str
    parameters: dict[str, Whole]
    history: list[EpochResult]
    test: EvaluationResult
    misclassified: Misclassified
    finished: str
    wall_seconds: NonNegative
    images_per_second: NonNegative | None
    execution: Execution = field(default_factory=Execution)
    tests: dict[str, EvaluationResult] = field(default_factory=dict)
    validation: ErrorRate | None = None
    schema: int = SCHEMA

    def __repr__(self) -> str:
        return f"Record({self.network!r}, {self.data.name!r}, seed {self.seed}, test error {self.test.top1.error:.2f}%)"

    @property
    def precision(self) -> str:
        """Keras dtype policy of the run."""
        return self.execution.precision

    @property
    def group(self) -> str:
        """Key that is equal for runs that differ in their seed only, which may be averaged."""
        recipe = recipe_changes.completed(self.recipe)
        normalized = recipe.get("micro_batch_size") and self.execution.forward_batch_size
        return json.dumps([self.network, self.data.sha256, recipe, self.precision, normalized], sort_keys=True)

    @property
    def training_images(self) -> int:
        """Number of images that the network was trained on."""
        return int(
            self.recipe.get("training_images") or self.data.images(recipe_changes.completed(self.recipe)["splits"])
        )

    @property
    def by_protocol(self) -> dict[str, EvaluationResult]:
        """The results of all tests by protocol, that of the test after training first."""
        return {self.test.protocol: self.test, **self.tests}

    def with_test(self, result: EvaluationResult) -> Record:
        """Return the record with the result of a further test."""
        return replace(self, tests={**self.tests, result.protocol: result})

    def as_data(self) -> dict[str, Any]:
        """Return the record as JSON would give it back, the schema first."""
        data = asdict(self)
        if self.validation is None:
            del data["validation"]
        history = [each.as_data() for each in self.history]
        return plain({"schema": data.pop("schema"), **data, "history": history})

    def without_times(self) -> dict[str, Any]:
        """Return what must be equal in two runs of one seed."""
        data = {name: value for name, value in self.as_data().items() if name not in TIMES}
        data["history"] = [{**row, "seconds": None} for row in data["history"]]
        return data

    def write(self, path: Path) -> None:
        """Write the record to a file, atomically."""
        write_json(path, self.as_data())


@dataclass(frozen=True)
class Run:
    """A record and where it was found: a run's folder, or a file."""

    path: Path
    record: Record

    @property
    def sheet(self) -> Path:
        """Contact sheet of the misclassified images; the file need not exist."""
        return self.path / "misclassified.png" if self.path.is_dir() else self.path.with_suffix(".png")


def read_typed(path: Path, kind: type[T], schema: int, what: str) -> T:
    """Return the object in a JSON file that has a schema number.

    Args:
        path: File to read.
        kind: Dataclass of the object.
        schema: Newest schema that this version reads, and the only one.
        what: What the file holds, for error messages, such as "the record of a run".

    Raises:
        UsageError: If the file cannot be read, has another schema or does not fit; it names the field.
    """
    content = json_files.read_any(path, what)
    required = [each.name for each in fields(kind) if each.default is each.default_factory is MISSING]  # type: ignore[arg-type]
    missing = [name for name in required if not isinstance(content, dict) or name not in content]
    if 2 * len(missing) > len(required):  # an older schema would have more of them
        raise UsageError(f"{path} is not {what}: it lacks {', '.join(missing)}")
    found = content.get("schema", 1)
    if isinstance(found, int) and found > schema:
        raise UsageError(f"{path} has schema {found}, newer than {schema}: update the suite to read it")
    if found is not None and found != schema:
        raise UsageError(f"{path} has schema {found!r}, but this version reads {schema}: make it again")
    return json_files.convert(content, kind, path, what)


def read_checked(path: Path, kind: type[T], what: str, problems: Callable[[T], Iterator[str]]) -> T:
    """Return the record in a file of the current schema, unless there are problems with it; see `read_typed`."""
    record = read_typed(path, kind, SCHEMA, what)
    for problem in problems(record):
        raise UsageError(f"{path} is not {what}: {problem}")
    return record


def write_with_folder(path: Path, data: dict[str, Any]) -> None:
    """Write a record to a file, atomically; the folder is made if it does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, data)


def read(path: Path) -> Record:
    """Return the record in a file.

    Raises:
        UsageError: If the file does not exist, is damaged or incomplete, or has another schema.
    """
    if not path.exists():
        raise UsageError(f"{path} does not exist: the run has not finished, or has not begun")
    record = read_typed(path, Record, SCHEMA, "the record of a run")
    recipe_files.check_recorded(record.recipe, path)
    for problem in problems(record):
        raise UsageError(f"{path} is not the record of a run: {problem}")
    return record


def problems(record: Record) -> Iterator[str]:
    """Yield what is inconsistent in a record."""
    if not record.history and "steps" not in record.recipe:
        yield "it has no epochs"
    for result in record.by_protocol.values():
        yield from result_problems(result)
    yield from misclassified_problems(record.misclassified, record.test)


def result_problems(result: EvaluationResult) -> Iterator[str]:
    """Yield what is inconsistent in the result of a test."""
    if result.images < 1 or sum(result.images_per_class) != result.images:
        yield f"the images per class do not add up to {result.images} images"
    for rate in (result.top1, result.top5):
        if rate is not None:
            yield from rate_problems(rate, result.images)


def rate_problems(rate: ErrorRate, images: int) -> Iterator[str]:
    """Yield what is inconsistent in an error rate on a number of images."""
    if not 0 <= rate.errors <= images:
        yield f"the number of errors is not between 0 and {images}"
    elif not math.isclose(rate.error * images, 100 * rate.errors):
        yield f"{rate.errors} errors of {images} images are not {rate.error}%"


def misclassified_problems(errors: Misclassified, test: EvaluationResult) -> Iterator[str]:
    """Yield what is inconsistent in the misclassified images of a test; for many data sets they are not recorded."""
    classes = len(test.images_per_class)
    if not len(errors.index) == len(errors.label) == len(errors.predicted):
        yield "the lists of misclassified images differ in length"
    elif errors and len(errors) != test.top1.errors:
        yield f"it has {len(errors)} misclassified images, but {test.top1.errors} errors"
    if any(not 0 <= index < test.images for index in errors.index):
        yield "a misclassified image is not in the test set"
    if any(not 0 <= label < classes for label in (*errors.label, *errors.predicted)):
        yield "a misclassified image has a class that does not exist"


def files_in(folder: Path) -> list[Path]:
    """Return the files of records in a folder, by name; none if the folder does not exist."""
    return sorted(folder.glob("[!.]*.json"))


def read_run(path: Path) -> Run:
    """Return the run in a folder, or the one whose record a file holds.

    Raises:
        UsageError: If there is no whole record.
    """
    return Run(path, read(path / "record.json" if path.is_dir() else path))


def read_all(folder: Path) -> list[Run]:
    """Return all runs in a folder by name: those of the run folders in it, or else the records in it.

    Raises:
        UsageError: If the folder does not exist, or a record in it is damaged.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder of records or runs")
    folders = sorted(path.parent for path in folder.glob("*/record.json"))
    return [read_run(path) for path in folders or files_in(folder)]
