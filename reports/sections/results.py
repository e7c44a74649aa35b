"""The result tables: each published figure beside its runs, and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from reports.ensembles import MeasuredEnsemble
from reports.published import Figure
from reproductions.lab.results.run_group import ERROR, Measure, RunGroup
from reproductions.lab.results.verdict import ONE_ENSEMBLE, verdict

NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True)
class ResultRow:
    """One row of a result table; all but `runs` is text to print, empty if there is nothing.

    Attributes:
        network: Name of the network; empty for figures of something else.
        label: What the figure is of.
        published: The published figure.
        measured: Mean and standard deviation over seeds.
        difference: Measured minus published, in points.
        confidence: 95% confidence interval of the mean.
        prediction: 95% prediction interval of one more run.
        runs: Number of runs.
        data: Name of the data set.
        schedule: Training images and epochs.
        verdict: The verdict.
        foreign: Name of the data set if it is not the network's own.
        published_error: The published error in percent, if it is a single number.
        mean: Mean of the measured errors, if they are comparable.
        ends: 95% confidence interval of the mean; of less than three runs, that of the first one's test.
    """

    network: str
    label: str
    published: str = ""
    measured: str = ""
    difference: str = ""
    confidence: str = ""
    prediction: str = ""
    runs: int = 0
    data: str = ""
    schedule: str = ""
    verdict: str = ""
    foreign: str = ""
    published_error: float | None = None
    mean: float | None = None
    ends: tuple[float, float] | None = None


@dataclass(frozen=True)
class OtherRecipe:
    """One row of the table of runs by other recipes than the networks' own."""

    network: str
    changes: list[str]
    measure: str
    measured: str
    runs: int
    data: str
    schedule: str


def interval(ends: tuple[float, float] | None) -> str:
    """Return an interval as text."""
    return f"{ends[0]:.2f} to {ends[1]:.2f}" if ends else ""


def signed(points: float) -> str:
    """Return a difference as text: "+0.07"; "+0.00" also where it rounds to zero from below."""
    return f"{round(points, 2) + 0.0:+.2f}"


def verdict_of(group: RunGroup, measure: Measure, figure: Figure | None) -> str:
    """Return the verdict on a figure, or why there is none."""
    if group.data != group.own_recipe.dataset:
        return f"{NOT_COMPARABLE}: the data are {group.data}"
    if not group.comparable:
        return f"{NOT_COMPARABLE}: batch normalization saw other numbers of images"
    if measure not in group.measures:
        return f"{NOT_COMPARABLE}: tested by {'; '.join(group.protocols)}"
    if figure is None or figure.value is None:
        return "nothing published"
    return verdict(figure.value, group.errors(measure))


def why_unanswered(figure: Figure) -> str:
    """Return the verdict on a figure that no runs answer."""
    if figure.out_of_scope:
        return f"out of scope: {figure.out_of_scope}"
    return "not run" if figure.network or figure.ensemble else "out of scope"


def result_row(label: str, measure: Measure, group: RunGroup, figure: Figure | None) -> ResultRow:
    """Return the row of a group of runs; without numbers if it was not tested by the figure's protocol."""
    row = ResultRow(
        network=group.network,
        label=label,
        published=figure.text if figure else "",
        runs=len(group.runs),
        data=group.data,
        schedule=group.schedule,
        verdict=verdict_of(group, measure, figure),
        foreign="" if group.data == group.own_recipe.dataset else group.data,
    )
    if measure not in group.measures:
        return row
    spread = group.spread(measure)
    published = figure.error if figure else None
    return replace(
        row,
        measured=str(spread),
        difference="" if published is None else signed(spread.mean - published),
        confidence=interval(spread.confidence),
        prediction=interval(spread.prediction),
        published_error=published,
        mean=spread.mean,
        ends=spread.confidence or measure.rate(group.results(measure.protocol)[0]).interval,
    )


def result_row_of_ensemble(label: str, figure: Figure, ensemble: MeasuredEnsemble) -> ResultRow:
    """Return the row of an ensemble, without numbers if it is not comparable."""
    record, why = ensemble.record, ensemble.why_not_comparable
    row = ResultRow(
        network="",
        label=label,
        published=figure.text,
        runs=len(record.members),
        data=record.data.name,
        verdict=f"{NOT_COMPARABLE}: {why}" if why else ONE_ENSEMBLE if figure.value else "nothing published",
        foreign="" if record.data.name == ensemble.dataset else record.data.name,
    )
    if why:
        return row
    rate = figure.measure.rate(record.test)
    difference = "" if figure.error is None else signed(rate.error - figure.error)
    measured = f"{rate.error:.2f}%"
    return replace(
        row, measured=measured, difference=difference, published_error=figure.error, mean=rate.error, ends=rate.interval
    )


def label_of(figure: Figure, ambiguous: bool) -> str:
    """Return the label of a figure, with metric and images where they tell figures apart."""
    metric = "" if figure.metric == ERROR else figure.metric
    images = f"{figure.split} of {figure.dataset}" if ambiguous else ""
    return ", ".join(filter(None, (figure.label, metric, images)))


def result_rows(
    figures: Sequence[Figure], groups: Sequence[RunGroup], ensembles: Sequence[MeasuredEnsemble] = ()
) -> list[ResultRow]:
    """Return every published figure with the runs of its networks' own recipes, then what has no published figure."""
    own = [group for group in groups if not group.changes]
    count = Counter((figure.label, figure.metric) for figure in figures)
    rows, answered = [], set()
    for figure in figures:
        label = label_of(figure, count[figure.label, figure.metric] > 1)
        answers = [group for group in own if figure.is_answered_by(group)]
        answered |= {(group.network, figure.measure) for group in answers}
        averaged = [each for each in ensembles if figure.is_answered_by_ensemble(each)]
        rows += [result_row(label, figure.measure, group, figure) for group in answers]
        rows += [result_row_of_ensemble(label, figure, each) for each in averaged]
        if not answers and not averaged:
            rows.append(ResultRow(figure.network, label, figure.text, verdict=why_unanswered(figure)))
    for group in own:
        for measure in group.measures:
            if (group.network, measure) not in answered:
                label = ", ".join(filter(None, (group.network, str(measure))))
                rows.append(result_row(label, measure, group, None))
    return rows


def other_recipes(groups: Sequence[RunGroup]) -> list[OtherRecipe]:
    """Return the runs by other recipes than their networks' own."""
    return [
        OtherRecipe(
            network=group.network,
            changes=group.changes,
            measure=str(measure),
            measured=str(group.spread(measure)),
            runs=len(group.runs),
            data=group.data,
            schedule=group.schedule,
        )
        for group in groups
        if group.changes
        for measure in group.measures
    ]


def headline(group: RunGroup, figures: Sequence[Figure]) -> str:
    """Return one sentence: measured, published and verdict of the test at the end of training."""
    measure = group.measures[0]
    by = f" ({measure})" if str(measure) else ""
    runs = "1 run" if len(group.runs) == 1 else f"{len(group.runs)} runs"
    head = f"{group.network} on {group.data}{by}: measured {group.spread()} ({runs})"
    if group.changes:
        return f"{head}, by another recipe: {'; '.join(group.changes)}"
    figure = figure_of(group, figures)
    if figure is None:
        return f"{head}, no published figure"
    return f"{head}, published {figure.text}: {verdict_of(group, measure, figure)}"


def figure_of(group: RunGroup, figures: Sequence[Figure]) -> Figure | None:
    """Return the published figure that answers to the test at the end of training; None if there is none."""
    found = (figure for figure in figures if figure.is_answered_by(group) and figure.measure == group.measures[0])
    return next(found, None)


def comparison(group: RunGroup, figures: Sequence[Figure]) -> str:
    """Return how runs compare with their published figure: "published 0.95%, difference +0.18 points: one run".

    Args:
        group: Runs of one network by one recipe.
        figures: Published figures of the paper.
    """
    measure, figure = group.measures[0], figure_of(group, figures)
    if figure is None:
        return "no published figure"
    if group.changes:
        return f"published {figure.text}: not comparable, by another recipe: {'; '.join(group.changes)}"
    verdict = verdict_of(group, measure, figure)
    if figure.error is None or verdict.startswith(NOT_COMPARABLE):
        return f"published {figure.text}: {verdict}"
    return f"published {figure.text}, difference {group.spread().mean - figure.error:+.2f} points: {verdict}"
