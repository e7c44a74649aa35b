"""Results of tests compared with records, and written to them."""

from __future__ import annotations

import sys
import typing
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from reproductions.lab.errors import UsageError

if TYPE_CHECKING:
    from reproductions.lab.data.base import Dataset
    from reproductions.lab.results.entries import ErrorRate, EvaluationResult
    from reproductions.lab.results.run_record import Record
    from reproductions.lab.weights.trained import TrainedFile


class Recorded(typing.Protocol):
    """A record of its own of a test: of an ensemble, or of published weights."""

    @property
    def test(self) -> EvaluationResult:
        """Its result."""

    @property
    def identity(self) -> tuple[str, ...]:
        """What is equal in records of the same."""

    @property
    def subject(self) -> str:
        """What was tested, as text."""

    def write(self, path: Path) -> None:
        """Write the record to a file."""


def write_or_compare(record: Recorded, path: Path, read: Callable[[Path], Recorded]) -> None:
    """Write a record, or compare it with the one that the file has.

    Args:
        record: The record.
        path: Its file.
        read: Function that reads such a record.

    Raises:
        UsageError: If the file has another record, or cannot be written.
        SystemExit: If the results differ; the message gives both.
    """
    if not path.exists():
        try:
            record.write(path)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}") from None
        print(f"written to {path}")
        return
    recorded = read(path)
    if recorded.identity != record.identity:
        raise UsageError(f"{path} has the record of {recorded.subject}: name another file with --to")
    check_equal(recorded.test, record.test, path)


def compare_with_committed(result: EvaluationResult, data: Dataset, given_out: TrainedFile) -> None:
    """Compare a result of a network that the suite gives out with its record, if that is of the same data and test."""
    from reports import paths
    from reproductions.lab.results import run_record

    path = paths.RUNS / f"{given_out.record}.json"
    record = run_record.read(path)
    recorded = record.by_protocol.get(result.protocol)
    if recorded is None or data.sha256 != record.data.sha256:
        print(f"not in the record, which is of {', '.join(record.by_protocol)} on {record.data.name}")
    else:
        check_equal(recorded, result, path)


def compare_with_record(result: EvaluationResult, record: Record, path: Path) -> None:
    """Compare a result with the recorded one of the same protocol; add it to the record if there is none.

    Args:
        result: The result.
        record: Record of the run.
        path: File of the record.

    Raises:
        SystemExit: If the results differ; the message gives both.
    """
    recorded = record.by_protocol.get(result.protocol)
    if recorded is None:
        record.with_test(result).write(path)
        print(f"added to {path}")
    else:
        check_equal(recorded, result, path)


def check_equal(recorded: EvaluationResult, result: EvaluationResult, path: Path) -> None:
    """Say that a result is the recorded one, or exit with a message that gives both."""
    if recorded != result:
        sys.exit(
            f"reproduce: the result differs from the recorded one in {path}: "
            f"recorded {format_rate(recorded.top1, recorded.images)}, found {format_rate(result.top1, result.images)}"
        )
    print("equal to the recorded result")


def format_rate(rate: ErrorRate, images: int) -> str:
    """Return an error rate as text: "1.23% (123 of 10000; 95% interval 1.03 to 1.47%)"."""
    low, high = rate.interval
    return f"{rate.error:.2f}% ({rate.errors} of {images}; 95% interval {low:.2f} to {high:.2f}%)"
