"""The result table: each printed figure beside the runs that answer it, and the verdict."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas

from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.results.run_record import FULL, WHOLE, Record
from reproductions.lab.results.stats import mean_and_deviation, mean_in_words, wilson_interval
from reproductions.lab.spec import recipe_changes
from reproductions.lab.spec.study import Network, Study

RULE = (
    "*reproduced*: the printed figure is at or above the lower end of the measured interval. "
    "*not reached*: it is below. "
    "*not comparable*: the data, the recipe or the images that batch normalization sees were not those of the network "
    "as this suite follows the paper; where that departs from the paper, its page says so. "
    "*not run*: there is no record. "
    "*not of the suite*: the figure is of something that is no single network of this suite. "
    "*nothing printed*: no paper printed a figure for it. "
    "The measured figure is the mean over seeds at the last pass, ± the standard deviation over seeds; "
    "the interval is Wilson's 95% interval of that mean on as many test images, in percent: what another set of test "
    "images might give, the spread over seeds aside. In brackets: how many of the runs are at or below the printed "
    "figure."
)


TOP_1, TOP_5 = "top-1", "top-5"
# What papers call the images that a data set's networks are tested on; of others the set's own name, and "test".
PRINTED_OF = {
    "imagenet": ("imagenet-2012", "validation"),
    "imagenet-originals": ("imagenet-2012", "validation"),
    "cifar10-whitened": ("cifar10", "test"),
}


@dataclass(frozen=True)
class Measure:
    """What a figure is of: the protocol of the test, and the metric, "error", "top-1" or "top-5"."""

    protocol: str
    metric: str

    @property
    def start(self) -> str:
        """What the names of its figures begin with in a record."""
        return "top5_" if self.metric == TOP_5 else ""

    @property
    def words(self) -> str:
        words = [self.metric if self.metric != "error" else "", self.protocol if self.protocol != WHOLE else ""]
        return ", ".join(filter(None, words))


@dataclass(frozen=True)
class Runs:
    """Runs of one network that differ in their seed alone."""

    network: Network
    records: tuple[Record, ...]

    @property
    def data(self) -> str:
        return str(self.records[0].data["name"])

    @property
    def changes(self) -> list[str]:
        """Where the recipe is not the study's own, a phrase each."""
        return recipe_changes.changes(self.records[0].recipe, self.network.to_train().as_data())

    @property
    def by_record(self) -> bool:
        """Whether its record must tell how it was trained: switches for passes, parts and their size would not do."""
        told = recipe_changes.changed_fields(self.records[0].recipe, self.network.to_train().as_data())
        return bool(told.keys() - {"epochs", "splits", "training_images"})

    @property
    def comparable(self) -> bool:
        """Whether the recipe is the study's own and the data are the paper's, unaltered."""
        own = self.network.to_train()
        at_a_time = {run.execution.get("forward_batch_size") for run in self.records}
        normalized = own.micro_batch_size is None or at_a_time == {own.micro_batch_size}
        return self.data == own.dataset and not self.changes and normalized

    @property
    def images(self) -> int:
        """The images that it was trained on."""
        recipe, sizes = self.records[0].recipe, self.records[0].data
        return int(recipe.get("training_images") or sum(sizes[part] for part in recipe["splits"]))

    @property
    def schedule(self) -> str:
        precision = self.records[0].precision
        halved = "" if precision == FULL else f", {precision}"
        return f"{self.images:,} images, {self.records[0].recipe['epochs']} passes{halved}"

    @property
    def protocol(self) -> str:
        """The protocol of the test that was made after training."""
        return self.records[0].protocol

    @property
    def protocols(self) -> list[str]:
        """The protocols that every one of the runs was tested by, that of training's end first."""
        others = [name for name in self.records[0].tests if all(name in run.tests for run in self.records)]
        return [self.protocol, *others]

    @property
    def measures(self) -> list[Measure]:
        """Everything that was measured of every one of the runs."""
        return [
            Measure(protocol, metric)
            for protocol in self.protocols
            for metric in ((TOP_1, TOP_5) if "top5_error" in self.tests(protocol)[0] else ("error",))
        ]

    def tests(self, protocol: str) -> list[dict[str, Any]]:
        return [run.by_protocol[protocol] for run in self.records]

    def errors(self, measure: Measure) -> list[float]:
        return [test[f"{measure.start}error"] for test in self.tests(measure.protocol)]

    def measured(self, measure: Measure) -> str:
        return mean_in_words(*mean_and_deviation(self.errors(measure)))

    def interval(self, measure: Measure) -> tuple[float, float]:
        images = self.tests(measure.protocol)[0]["images"]
        return wilson_interval(statistics.mean(self.errors(measure)) * images / 100, images)

    def verdict(self, measure: Measure, printed: float | None) -> str:
        if self.changes:
            return f"not comparable: another recipe: {'; '.join(self.changes)}"
        if not self.comparable:
            return "not comparable"
        if measure not in self.measures:
            return f"not comparable: tested by {'; '.join(self.protocols)}"
        if printed is None:
            return "nothing printed"
        return "reproduced" if printed >= self.interval(measure)[0] else "not reached"


def runs_of(study: Study, records: Sequence[Record]) -> list[Runs]:
    """The records of a study, those that differ in seed alone together, comparable ones first."""
    networks = {network.name: network for network in study.networks}
    together: dict[str, list[Record]] = {}
    for run in sorted(records, key=lambda run: run.seed):
        if run.study == study.name:
            if run.network not in networks:
                raise unknown(f"network of {study.name} (named by a record)", run.network, networks)
            together.setdefault(run.kind, []).append(run)
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


def row(figure: Mapping[str, Any], measure: Measure, runs: Runs | None) -> dict[str, Any]:
    """One line of the table; without runs, an empty one, and no number beside one that was measured otherwise."""
    verdict = "not run" if figure.get("network") else "not of the suite"
    answer: dict[str, Any] = dict(
        measured="", interval="", runs=0, reached="", data="", schedule="", verdict=verdict, foreign=""
    )  # fmt: skip
    if runs is not None:
        error = None if pandas.isna(figure["error"]) else float(figure["error"])
        answer.update(
            runs=len(runs.records),
            data=runs.data,
            schedule=runs.schedule,
            verdict=runs.verdict(measure, error),
            foreign="" if runs.data == runs.network.to_train().dataset else runs.data,
        )
        if measure in runs.measures:
            low, high = runs.interval(measure)
            answer.update(measured=runs.measured(measure), interval=f"{low:.2f} to {high:.2f}")
            if error is not None and runs.comparable:
                answer.update(reached=f" ({sum(each <= error for each in runs.errors(measure))})")
    return {name: figure[name] for name in ("label", "printed", "protocol", "place")} | answer


def answers(runs: Runs, figure: Mapping[str, Any]) -> bool:
    """Whether a printed figure is of the network and the test images of these runs."""
    dataset = runs.network.to_train().dataset
    of = PRINTED_OF.get(dataset, (dataset, "test"))
    return runs.network.name == figure["network"] and of == (figure["dataset"], figure["split"])


def result_table(study: Study, published: pandas.DataFrame, records: Sequence[Record]) -> pandas.DataFrame:
    """Every printed figure with each set of runs of its network; then what was measured and never printed."""
    found = runs_of(study, records)
    rows, printed, shown = [], set(), set()
    alike = published.duplicated(["label", "metric"], keep=False)
    for figure, several in zip(published.to_dict("records"), alike):
        measure = Measure(figure["protocol"], figure["metric"])
        metric = "" if measure.metric == "error" else measure.metric
        images = f"{figure['split']} of {figure['dataset']}" if several else ""
        label = ", ".join(filter(None, (figure["label"], metric, images)))
        if figure["status"] != "confirmed":
            figure["printed"] += f" ({figure['status']})"
        answering = [runs for runs in found if answers(runs, figure)]
        printed |= {(runs.network.name, measure) for runs in answering}
        # By another recipe: beside one printed figure of its network, not beside every one.
        answering = [runs for runs in answering if not runs.changes or (id(runs), measure) not in shown]
        shown |= {(id(runs), measure) for runs in answering}
        beside: Sequence[Runs | None] = answering or [None]
        rows += [row({**figure, "label": label}, measure, runs) for runs in beside]
    for runs in found:
        for measure in runs.measures:
            if (runs.network.name, measure) not in printed:
                label = ", ".join(filter(None, (runs.network.name, measure.words)))
                nothing = {"label": label, "printed": "", "protocol": measure.protocol, "place": "", "error": None}
                rows.append(row(nothing, measure, runs))
    return pandas.DataFrame(rows)


MOST_CLASSES = 20  # whose confusion can still be read


def confusion(runs: Runs) -> list[list[int]] | None:
    """Test images by class (rows) and answer (columns), summed over the runs; None for too many classes."""
    classes = len(runs.records[0].test["per_class"])
    if classes > MOST_CLASSES:
        return None
    table = [[0] * classes for _ in range(classes)]
    for run in runs.records:
        for label, images in enumerate(run.test["per_class"]):
            table[label][label] += images
        for error in run.misclassified:
            table[error["label"]][error["label"]] -= 1
            table[error["label"]][error["predicted"]] += 1
    return table


def printed_mistakes(runs: Runs, published: pandas.DataFrame) -> list[dict[str, Any]]:
    """Mistakes ("4->9": right class, answer) that somebody printed of this network, as `confusion` has its own."""
    classes = len(runs.records[0].test["per_class"])
    found = []
    for figure in published.to_dict("records"):
        printed = Counter(figure.get("mistakes", "").split())
        if printed and runs.comparable and answers(runs, figure):
            table = [[printed[f"{label}->{answer}"] for answer in range(classes)] for label in range(classes)]
            found.append({**figure, "table": table, "count": printed.total()})
    return found


def further_tests(runs: Runs) -> list[dict[str, Any]]:
    """What was measured by which protocol, seed by seed, where that is more than the error on whole images."""
    if runs.measures == [Measure(WHOLE, "error")]:
        return []
    return [
        {"seed": run.seed, "protocol": measure.protocol, "metric": measure.metric, "images": test["images"],
         "error": test[f"{measure.start}error"], "interval": test[f"{measure.start}interval"]}
        for measure in runs.measures
        for run, test in zip(runs.records, runs.tests(measure.protocol))
    ]  # fmt: skip


def headline(runs: Runs, published: pandas.DataFrame) -> str:
    """One sentence: measured, printed, verdict, of the test at the end of training."""
    measure = runs.measures[0]
    figures = [figure for figure in published.to_dict("records") if answers(runs, figure)]
    same = [figure for figure in figures if Measure(figure["protocol"], figure["metric"]) == measure]
    by = f" ({measure.words})" if measure.words else ""
    answer = f"{runs.network.name} on {runs.data}{by}: measured {runs.measured(measure)} ({len(runs.records)} run(s))"
    if not same:
        return f"{answer}, nothing printed"
    return f"{answer}, printed {same[0]['printed']}: {runs.verdict(measure, float(same[0]['error']))}"
