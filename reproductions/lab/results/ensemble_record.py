"""The record of an ensemble: which runs it averages, and its result, in one JSON file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reproductions.lab.errors import UsageError
from reproductions.lab.ranges import Name, Whole
from reproductions.lab.results import predictions, run_record
from reproductions.lab.results.entries import DataSummary, ErrorRate, EvaluationResult, Execution, Misclassified
from reproductions.lab.results.predictions import Ensemble, MemberResult
from reproductions.lab.results.run_record import Record, write_with_folder
from reproductions.lab.spec import recipe_files
from reproductions.lab.spec.protocols import Protocol, slug
from reproductions.lab.spec.recipe import plain

SCHEMA = run_record.SCHEMA  # its parts are those of a run's record
FOLDER = "ensembles"
JOIN = " + "


@dataclass(frozen=True)
class Member:
    """One run of an ensemble.

    Attributes:
        study: Name of the paper.
        network: Name of the network.
        seed: Random seed.
        recipe: Resolved recipe as it was run, from `Recipe.as_data`.
        execution: How it was executed.
        commit: Commit of the code that trained it; None outside a git checkout.
        dirty: Whether the code was changed since that commit; None outside a git checkout.
        weights: SHA-256 of the network's weights.
        top1: Its own error rate by the ensemble's protocol.
        top5: Its own error rate of the best five answers; None for data sets of up to ten classes.
    """

    study: Name
    network: Name
    seed: Whole
    recipe: dict[str, Any]
    execution: Execution
    commit: str | None
    dirty: bool | None
    weights: Name
    top1: ErrorRate
    top5: ErrorRate | None = None

    def __str__(self) -> str:
        """Return network and seed, such as "lenet5 seed 1"."""
        return f"{self.network} seed {self.seed}"


@dataclass(frozen=True)
class EnsembleRecord:
    """What an ensemble is made of, and its result, which does not depend on the order of its members.

    Attributes:
        members: The averaged runs by network and seed.
        data: The data set of all of them.
        test: Result of the mean of their scores.
        misclassified: The errors of that test, for images held in memory.
        schema: Version of this format, that of the records of runs.
    """

    members: list[Member]
    data: DataSummary
    test: EvaluationResult
    misclassified: Misclassified
    schema: int = SCHEMA

    @property
    def networks(self) -> Counter[str]:
        """How often each network occurs."""
        return Counter(member.network for member in self.members)

    @property
    def name(self) -> str:
        """The networks as text, such as "inception-v4 + 3 inception-resnet-v2"."""
        return format_networks(self.networks)

    @property
    def filename(self) -> str:
        """Name of the file in which the record is written by default."""
        return f"{slug(f'{self.name} {self.test.protocol}')}.json"

    @property
    def identity(self) -> tuple[str, ...]:
        """What is equal in records of one ensemble: the weights of its members."""
        return tuple(member.weights for member in self.members)

    @property
    def subject(self) -> str:
        """The networks that are averaged, as text."""
        return f"other networks ({', '.join(map(str, self.members))})"

    def as_data(self) -> dict[str, Any]:
        """Return the record as JSON would give it back, the schema first."""
        data = asdict(self)
        return plain({"schema": data.pop("schema"), **data})

    def write(self, path: Path) -> None:
        """Write the record to a file, atomically; the folder is made if it does not exist."""
        write_with_folder(path, self.as_data())


def format_networks(networks: Counter[str]) -> str:
    """Return networks and how often each occurs as text, by name: "3 inception-resnet-v2 + inception-v4"."""
    return JOIN.join(name if count == 1 else f"{count} {name}" for name, count in sorted(networks.items()))


def parse_networks(text: str) -> Counter[str]:
    """Return the networks that a text such as "inception-v4 + 3 inception-resnet-v2" names, and how often each occurs.

    Raises:
        UsageError: If the text is not of this form, or names a network twice or fewer than two networks in all.
    """
    found: Counter[str] = Counter()
    for part in text.split(JOIN):
        match = re.fullmatch(r"(?:(\d+) )?([a-z][\w-]*)", part)
        if match is None or match[2] in found:
            raise UsageError(f"expected an ensemble such as 'a-network + 3 another-network'; got {text!r}")
        found[match[2]] = int(match[1] or 1)
    if min(found.values()) < 1 or found.total() < 2:
        raise UsageError(f"an ensemble has at least two networks; got {text!r}")
    return found


# --- Making a record


def of_runs(run_dirs: Sequence[Path], protocol: Protocol) -> tuple[EnsembleRecord, Ensemble]:
    """Average the saved predictions of finished runs.

    Args:
        run_dirs: Folders of the runs, at least two, in any order.
        protocol: Test protocol of the predictions.

    Returns:
        The record, and the averaged predictions.

    Raises:
        UsageError: If the predictions cannot be averaged, or are not those that the runs' records report.
    """
    ensemble = predictions.ensemble(run_dirs, protocol)
    runs = [(member, run_record.read(member.path / "record.json")) for member in ensemble.members]
    members = [member_of(member, record, protocol) for member, record in runs]
    mean, errors = ensemble.predictions, Misclassified([], [], [])
    if np.issubdtype(mean.names.dtype, np.integer):  # indices, of images held in memory
        errors = predictions.misclassified(predictions.predicted_classes(mean.scores), mean.labels)
    record = EnsembleRecord(
        members=sorted(members, key=lambda member: (member.network, member.seed, member.weights)),
        data=runs[0][1].data,
        test=ensemble.result,
        misclassified=errors,
    )
    return record, ensemble


def member_of(tested: MemberResult, record: Record, protocol: Protocol) -> Member:
    """Return the member that a run is.

    Raises:
        UsageError: If its predictions are of another network, of other data, or not those that its record reports.
    """
    metadata, recorded = tested.metadata, record.by_protocol.get(protocol.name)
    if (metadata["network"], metadata["sha256"]) != (record.network, record.data.sha256) or recorded != tested.result:
        raise UsageError(
            f"the predictions of {tested.path} are not those that its record reports; make them again with: "
            f"reproduce evaluate {tested.path} --protocol {protocol.name!r}"
        )
    return Member(
        study=record.study,
        network=record.network,
        seed=record.seed,
        recipe=record.recipe,
        execution=record.execution,
        commit=record.commit,
        dirty=record.dirty,
        weights=metadata["weights"],
        top1=tested.result.top1,
        top5=tested.result.top5,
    )


# --- Reading records


def read(path: Path) -> EnsembleRecord:
    """Return the record in a file.

    Raises:
        UsageError: If the file does not exist, is damaged or incomplete, or has another schema.
    """
    record = run_record.read_checked(path, EnsembleRecord, "the record of an ensemble", problems)
    for number, member in enumerate(record.members):
        recipe_files.check_recorded(member.recipe, path, f"$.members[{number}].recipe")
    return record


def problems(record: EnsembleRecord) -> Iterator[str]:
    """Yield what is inconsistent in a record."""
    if len(record.members) < 2:
        yield "it has fewer than two members"
    if len({member.weights for member in record.members}) < len(record.members):
        yield "two of its members have the same weights"
    yield from run_record.result_problems(record.test)
    yield from run_record.misclassified_problems(record.misclassified, record.test)
    for member in record.members:
        if (member.top5 is None) != (record.test.top5 is None):
            yield f"{member} and the ensemble must both have a top-5 error, or neither"
        for rate in (member.top1, member.top5):
            if rate is not None:
                yield from run_record.rate_problems(rate, record.test.images)
