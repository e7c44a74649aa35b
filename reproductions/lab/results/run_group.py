"""Runs that differ in their seed only: what a table has a row for."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reproductions.lab.errors import UsageError
from reproductions.lab.results.entries import FLOAT32, WHOLE_IMAGE, ErrorRate, EvaluationResult, Execution
from reproductions.lab.results.run_record import Record, Run
from reproductions.lab.results.stats import Spread
from reproductions.lab.spec import recipe_changes
from reproductions.lab.spec.classifier import FitRecipe
from reproductions.lab.spec.recipe import Recipe

ERROR, TOP_1, TOP_5 = "error", "top-1", "top-5"


@dataclass(frozen=True)
class Measure:
    """What a figure measures: the protocol of the test, and the metric: "error", "top-1" or "top-5"."""

    protocol: str
    metric: str

    def __str__(self) -> str:
        """Return what distinguishes the figure from the error on whole images."""
        words = (
            self.metric if self.metric != ERROR else "",
            self.protocol if self.protocol != WHOLE_IMAGE else "",
        )
        return ", ".join(filter(None, words))

    def rate(self, result: EvaluationResult) -> ErrorRate:
        """Return the error rate of a test by this metric."""
        rate = result.top5 if self.metric == TOP_5 else result.top1
        if rate is None:
            raise ValueError(f"a test by {result.protocol!r} has no {self.metric} error")
        return rate


def measures_of(result: EvaluationResult) -> list[Measure]:
    """Return everything that a test measures."""
    return [Measure(result.protocol, metric) for metric in ((TOP_1, TOP_5) if result.top5 else (ERROR,))]


@dataclass(frozen=True)
class RunGroup:
    """Runs of one network by one recipe.

    Attributes:
        name: Name of the network, with a number behind it if several groups of it are compared.
        runs: The runs by increasing seed.
        own: The network's own recipe, if it is known.
    """

    name: str
    runs: tuple[Run, ...]
    own: Recipe | FitRecipe | None = None

    @property
    def records(self) -> list[Record]:
        """The records of the runs."""
        return [run.record for run in self.runs]

    @property
    def first(self) -> Record:
        """The record of the first run: in all but seed and results the others equal it."""
        return self.runs[0].record

    @property
    def network(self) -> str:
        """Name of the network."""
        return self.first.network

    @property
    def data(self) -> str:
        """Name of the data set."""
        return self.first.data.name

    @property
    def by_seed(self) -> dict[int, Run]:
        """The runs by seed."""
        return {run.record.seed: run for run in self.runs}

    @property
    def settings(self) -> dict[str, Any]:
        """The recipe, and the precision of its execution."""
        return {**recipe_changes.completed(self.first.recipe), "precision": self.first.precision}

    # --- The recipe, compared with the network's own

    @property
    def own_recipe(self) -> Recipe | FitRecipe:
        """The network's own recipe."""
        if self.own is None:
            raise ValueError(f"the own recipe of {self.network} was not given")
        return self.own

    @property
    def own_settings(self) -> dict[str, Any]:
        """The network's own recipe, and its precision: the papers compute in float32."""
        return {**self.own_recipe.as_data(), "precision": FLOAT32}

    @property
    def changes(self) -> list[str]:
        """Human-readable differences to the network's own recipe, and in precision."""
        return recipe_changes.changes(self.settings, self.own_settings)

    @property
    def changed_fields(self) -> set[str]:
        """Fields in which the recipe differs from the network's own, and "precision" if that does."""
        return set(recipe_changes.changed_fields(self.settings, self.own_settings))

    @property
    def comparable(self) -> bool:
        """Whether recipe, data and the images per batch normalization are those of the network's own recipe."""
        own = self.own_recipe
        normalized = normalized_as_in(own, [record.execution for record in self.records])
        return self.data == own.dataset and not self.changes and normalized

    @property
    def schedule(self) -> str:
        """Training images, epochs if there are any and, unless float32, precision, as text."""
        epochs = self.first.recipe.get("epochs")
        words = (
            f"{self.first.training_images:,} images",
            f"{epochs} {'epoch' if epochs == 1 else 'epochs'}" if epochs else "",
            self.first.precision if self.first.precision != FLOAT32 else "",
        )
        return ", ".join(filter(None, words))

    # --- Results

    @property
    def protocols(self) -> list[str]:
        """Protocols by which all runs were tested, that of the test after training first."""
        own = self.first.test.protocol
        return [own, *(name for name in self.first.tests if all(name in record.tests for record in self.records))]

    @property
    def measures(self) -> list[Measure]:
        """Everything that was measured of all runs."""
        return [measure for protocol in self.protocols for measure in measures_of(self.results(protocol)[0])]

    def results(self, protocol: str) -> list[EvaluationResult]:
        """Return the result of each run by a protocol."""
        return [record.by_protocol[protocol] for record in self.records]

    def errors(self, measure: Measure) -> list[float]:
        """Return the error rate of each run, in percent."""
        return [measure.rate(result).error for result in self.results(measure.protocol)]

    def spread(self, measure: Measure | None = None) -> Spread:
        """Return the mean error rate over seeds and its spread; by default of the first measure."""
        return Spread.of(self.errors(measure or self.measures[0]))


def normalized_as_in(own: Recipe | FitRecipe, executions: Iterable[Execution]) -> bool:
    """Return whether batch normalization saw as many images in all executions as a recipe says, if it says so."""
    if isinstance(own, FitRecipe):
        return True
    batches = {execution.forward_batch_size for execution in executions}
    return own.micro_batch_size is None or batches == {own.micro_batch_size}


def group_runs(runs: Sequence[Run]) -> list[RunGroup]:
    """Group runs that differ in their seed only, in the order in which they are given.

    Raises:
        UsageError: If two runs have the same recipe and seed.
    """
    groups: dict[str, dict[int, Run]] = {}
    for run in runs:
        group = groups.setdefault(run.record.group, {})
        if run.record.seed in group:
            other = group[run.record.seed].path
            raise UsageError(f"{other} and {run.path} are of the same run, seed {run.record.seed}: keep one of them")
        group[run.record.seed] = run
    found = [RunGroup("", tuple(run for _, run in sorted(group.items()))) for group in groups.values()]
    networks = [group.network for group in found]
    numbers = {name: itertools.count(1) for name in networks}
    names = [name if networks.count(name) == 1 else f"{name} ({next(numbers[name])})" for name in networks]
    return [replace(group, name=name) for group, name in zip(found, names)]
