"""Ensembles of runs: which of them answer a published figure, and their table on the page of a paper."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reproductions.lab.errors import unknown
from reproductions.lab.results import ensemble_record
from reproductions.lab.results.ensemble_record import EnsembleRecord, Member
from reproductions.lab.results.entries import ErrorRate
from reproductions.lab.results.run_group import ERROR, TOP_5, Measure, measures_of, normalized_as_in
from reproductions.lab.results.run_record import files_in
from reproductions.lab.spec import recipe_changes
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.spec.study import Network, Study


@dataclass(frozen=True)
class MeasuredEnsemble:
    """The record of an ensemble, and the own recipes of its networks by name."""

    record: EnsembleRecord
    own: Mapping[str, Recipe]

    @property
    def dataset(self) -> str:
        """Data set of its networks' own recipes, as far as they agree."""
        return self.own[self.record.members[0].network].dataset

    @property
    def measures(self) -> list[Measure]:
        """Everything that was measured."""
        return measures_of(self.record.test)

    @property
    def why_not_comparable(self) -> str:
        """Why no published figure is compared with it; empty if all members are by their networks' own recipes."""
        return next(self._problems(), "")

    def _problems(self) -> Iterator[str]:
        seeds = Counter(map(str, self.record.members))
        yield from (f"{member} is in it {count} times" for member, count in seeds.items() if count > 1)
        for member in self.record.members:
            own = self.own[member.network]
            if self.record.data.name != own.dataset:
                yield f"the data are {self.record.data.name}"
            changes = recipe_changes.changes(member.recipe, own.as_data())
            if changes:
                yield f"{member} has another recipe: {'; '.join(changes)}"
            if not normalized_as_in(own, [member.execution]):
                yield f"in {member}, batch normalization saw other numbers of images"


@dataclass(frozen=True)
class EnsembleRow:
    """One row of the table of ensembles: what is averaged, by which protocol and metric, and the errors as text."""

    members: str
    measure: str
    measured: str
    interval: str
    mean: str
    comparable: str


def read_ensembles(folder: Path, studies: Mapping[str, Study]) -> list[EnsembleRecord]:
    """Return all records of ensembles in a folder; see `read_ensemble`."""
    return [read_ensemble(path, studies) for path in files_in(folder)]


def read_ensemble(path: Path, studies: Mapping[str, Study]) -> EnsembleRecord:
    """Return the record of an ensemble; UsageError if it cannot be read or a network does not exist."""
    record = ensemble_record.read(path)
    check_networks(record, networks_of(studies), f"in {path}")
    return record


def networks_of(studies: Mapping[str, Study]) -> dict[str, Network]:
    """Return the networks of papers by name."""
    return {network.name: network for study in studies.values() for network in study.networks}


def check_networks(record: EnsembleRecord, networks: Mapping[str, Network], where: str) -> None:
    """Raise UsageError, which says where it is, if a network of an ensemble does not exist."""
    for name in record.networks:
        if name not in networks:
            raise unknown(f"network ({where})", name, networks)


def measured_ensembles(studies: Mapping[str, Study], records: Sequence[EnsembleRecord]) -> list[MeasuredEnsemble]:
    """Return ensembles with the own recipes of their networks; UsageError if a network does not exist."""
    networks = networks_of(studies)
    for record in records:
        check_networks(record, networks, f"in the record of the ensemble {record.name}")
    return [MeasuredEnsemble(each, {name: networks[name].to_train() for name in each.networks}) for each in records]


def ensemble_rows(ensembles: Sequence[MeasuredEnsemble], study: str) -> list[EnsembleRow]:
    """Return the table of the ensembles that have a network of a paper."""
    own = [each for each in ensembles if study in {member.study for member in each.record.members}]
    return sorted(
        (ensemble_row(each, measure) for each in own for measure in each.measures),
        key=lambda row: (row.members, row.measure),
    )


def ensemble_row(ensemble: MeasuredEnsemble, measure: Measure) -> EnsembleRow:
    """Return the row of an ensemble."""
    record, why = ensemble.record, ensemble.why_not_comparable
    rate = measure.rate(record.test)
    return EnsembleRow(
        members=describe(record.members),
        measure=str(measure) or ERROR,
        measured=f"{rate.error:.2f}%",
        interval=f"{rate.interval[0]:.2f} to {rate.interval[1]:.2f}",
        mean=f"{statistics.mean(own_rate(member, measure).error for member in record.members):.2f}%",
        comparable=f"no: {why}" if why else "yes",
    )


def own_rate(member: Member, measure: Measure) -> ErrorRate:
    """Return a member's own error rate by a metric."""
    return member.top5 if measure.metric == TOP_5 and member.top5 else member.top1


def describe(members: Sequence[Member]) -> str:
    """Return members as text, such as "lenet5, seeds 1, 2 and 3; lenet1, seed 1"."""
    seeds: dict[str, list[str]] = {}
    for member in members:
        seeds.setdefault(member.network, []).append(str(member.seed))
    return "; ".join(
        f"{network}, seeds {', '.join(own[:-1])} and {own[-1]}" if own[1:] else f"{network}, seed {own[0]}"
        for network, own in seeds.items()
    )
