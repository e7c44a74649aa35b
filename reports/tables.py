"""The result table: each printed figure beside the runs that answer it, and the verdict."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas

from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.record import Record
from reproductions.lab.statistics import wilson_interval
from reproductions.lab.study import Network, Study

RULE = (
    "*reproduced*: the printed figure is at or above the lower end of the measured interval. "
    "*not reached*: it is below. "
    "*not comparable*: the data or the schedule was not the paper's. "
    "*not run*: there is no record. "
    "*nothing printed*: no paper printed a figure for it. "
    "The measured figure is the mean over seeds at the last pass, ± the standard deviation over seeds; "
    "the interval is Wilson's 95% interval of that mean on as many test images, in percent."
)


@dataclass(frozen=True)
class Runs:
    """Runs of one network that differ in their seed alone."""

    network: Network
    records: tuple[Record, ...]

    @property
    def data(self) -> str:
        return str(self.records[0].data["name"])

    @property
    def comparable(self) -> bool:
        """Whether the recipe is the study's own and the data are the paper's, unaltered."""
        own = self.network.to_train()
        return self.data == own.dataset and all(run.recipe == own.as_data() for run in self.records)

    @property
    def schedule(self) -> str:
        recipe = self.records[0].recipe
        sizes = self.records[0].data
        return f"{sum(sizes[part] for part in recipe['parts']):,} images, {recipe['epochs']} passes"

    @property
    def errors(self) -> list[float]:
        return [run.test["error"] for run in self.records]

    @property
    def error(self) -> float:
        return statistics.mean(self.errors)

    @property
    def measured(self) -> str:
        spread = f" ± {statistics.stdev(self.errors):.2f}" if len(self.errors) > 1 else ""
        return f"{self.error:.2f}{spread}%"

    @property
    def interval(self) -> tuple[float, float]:
        images = self.records[0].test["images"]
        return wilson_interval(self.error * images / 100, images)

    def verdict(self, printed: float | None) -> str:
        if not self.comparable:
            return "not comparable"
        if printed is None:
            return "nothing printed"
        return "reproduced" if printed >= self.interval[0] else "not reached"


def runs_of(study: Study, records: Sequence[Record]) -> list[Runs]:
    """The records of a study, those that differ in seed alone together, comparable ones first."""
    networks = {network.name: network for network in study.networks}
    together: dict[str, list[Record]] = {}
    for run in sorted(records, key=lambda run: run.seed):
        if run.study == study.name:
            if run.network not in networks:
                raise unknown(f"network of {study.name}, named by a record,", run.network, networks)
            together.setdefault(repr((run.network, run.data["sha256"], run.recipe)), []).append(run)
    for runs in together.values():
        seeds = [run.seed for run in runs]
        if len(set(seeds)) < len(seeds):
            raise UsageError(f"two records are of the same run of {runs[0].network}: seeds {seeds}; keep one of each")
    found = [Runs(networks[runs[0].network], tuple(runs)) for runs in together.values()]
    order = list(networks)
    return sorted(
        found,
        key=lambda runs: (order.index(runs.network.name), not runs.comparable, runs.data, repr(runs.records[0].recipe)),
    )


def row(label: str, printed: str, error: float | None, protocol: str, place: str, runs: Runs | None) -> dict[str, Any]:
    """One line of the table; without runs, an empty one."""
    if runs is None:
        answer = dict(measured="", interval="", runs=0, data="", schedule="", verdict="not run", foreign="")
    else:
        low, high = runs.interval
        answer = dict(
            measured=runs.measured,
            interval=f"{low:.2f} to {high:.2f}",
            runs=len(runs.records),
            data=runs.data,
            schedule=runs.schedule,
            verdict=runs.verdict(error),
            foreign="" if runs.data == runs.network.to_train().dataset else runs.data,
        )
    return {"label": label, "printed": printed, "protocol": protocol, "place": place, **answer}


def result_table(study: Study, published: pandas.DataFrame, records: Sequence[Record]) -> pandas.DataFrame:
    """Every printed figure with each set of runs that answers it; then the runs that answer none."""
    found = runs_of(study, records)
    rows = []
    for figure in published.to_dict("records"):
        error = None if pandas.isna(figure["error"]) else float(figure["error"])
        answers: list[Runs | None] = [runs for runs in found if runs.network.name == figure["network"]]
        for runs in answers or [None]:
            label = figure["label"] + ("" if figure["metric"] == "error" else f", {figure['metric']}")
            rows.append(row(label, figure["printed"], error, figure["protocol"], figure["place"], runs))
    answered = set(published["network"])
    for runs in found:
        if runs.network.name not in answered:
            rows.append(row(runs.network.name, "", None, "", "", runs))
    return pandas.DataFrame(rows)


def confusion(runs: Runs) -> list[list[int]]:
    """Test images by class (rows) and answer (columns), summed over the runs."""
    classes = len(runs.records[0].test["per_class"])
    table = [[0] * classes for _ in range(classes)]
    for run in runs.records:
        for label, images in enumerate(run.test["per_class"]):
            table[label][label] += images
        for error in run.misclassified:
            table[error["label"]][error["label"]] -= 1
            table[error["label"]][error["predicted"]] += 1
    return table


def headline(runs: Runs, published: pandas.DataFrame) -> str:
    """One sentence: measured, printed, verdict."""
    figures = published[published["network"] == runs.network.name]
    answer = f"{runs.network.name} on {runs.data}: measured {runs.measured} ({len(runs.records)} run(s))"
    if figures.empty:
        return f"{answer}, nothing printed"
    figure = figures.iloc[0]
    return f"{answer}, printed {figure['printed']}: {runs.verdict(float(figure['error']))}"
