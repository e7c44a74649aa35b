"""The record of a test of published weights: where they come from, and the result, in one JSON file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from reproductions.lab.ranges import Name
from reproductions.lab.results import run_record
from reproductions.lab.results.entries import DataSummary, EvaluationResult
from reproductions.lab.results.run_record import write_with_folder
from reproductions.lab.spec.protocols import slug
from reproductions.lab.spec.provenance import Provenance
from reproductions.lab.spec.recipe import plain

SCHEMA = run_record.SCHEMA  # its parts are those of a run's record
FOLDER = "weights"


@dataclass(frozen=True)
class WeightsRecord:
    """What was tested and the result. It is never mixed with records of runs, which the suite trained.

    Attributes:
        study: Name of the paper.
        network: Name of the network.
        weights: Where the weights come from.
        digest: SHA-256 of the network's weights.
        data: What it was tested on.
        sample: Whether that is a sample that somebody chose: the result is then not an error rate.
        test: Result of the test.
        commit: Commit of the code; None outside a git checkout.
        dirty: Whether the code was changed since that commit; None outside a git checkout.
        versions: Versions of Python and the libraries.
        device: Description of the devices.
        finished: When the test finished, UTC.
        kind: What this is a record of.
        schema: Version of this format, that of the records of runs.
    """

    study: Name
    network: Name
    weights: Provenance
    digest: Name
    data: DataSummary
    sample: bool
    test: EvaluationResult
    commit: str | None
    dirty: bool | None
    versions: dict[str, str]
    device: str
    finished: str
    kind: Literal["published weights"] = "published weights"
    schema: int = SCHEMA

    @property
    def filename(self) -> str:
        """Name of the file in which the record is written by default."""
        return f"{slug(f'{self.network} {self.weights.preset} {self.test.protocol}')}{'-sample' * self.sample}.json"

    @property
    def identity(self) -> tuple[str, ...]:
        """What is equal in records of one test: the weights, the data, and the protocol."""
        return self.digest, self.data.sha256, self.test.protocol

    @property
    def subject(self) -> str:
        """What was tested, as text."""
        return f"{self.network} by {self.weights.publisher}, {self.test.protocol} of {self.data.name}"

    def as_data(self) -> dict[str, Any]:
        """Return the record as JSON would give it back, the schema and the kind first."""
        data = asdict(self)
        return plain({"schema": data.pop("schema"), "kind": data.pop("kind"), **data})

    def write(self, path: Path) -> None:
        """Write the record to a file, atomically; the folder is made if it does not exist."""
        write_with_folder(path, self.as_data())


def read(path: Path) -> WeightsRecord:
    """Return the record in a file.

    Raises:
        UsageError: If the file does not exist, is damaged or incomplete, or has another schema.
    """
    return run_record.read_checked(path, WeightsRecord, "the record of published weights", problems)


def problems(record: WeightsRecord) -> Iterator[str]:
    """Yield what is inconsistent in a record."""
    yield from run_record.result_problems(record.test)
    if record.network != record.weights.network:
        yield f"the weights are of {record.weights.network}, not of {record.network}"
    if record.test.images > record.data.test:
        yield f"{record.test.images} images were tested, but there are {record.data.test}"


def read_all(folder: Path) -> list[WeightsRecord]:
    """Return all records in a folder, by file name; none if the folder does not exist."""
    return [read(path) for path in run_record.files_in(folder)]
