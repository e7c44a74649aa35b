"""The overview of all papers: counts, figures, and one table of what was measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from reports.figures import overview as figures
from reports.figures.overview import FEW, VERDICTS, Cost, Entry, Measured
from reports.paper import StudySummary
from reports.sections.results import NOT_COMPARABLE, ResultRow
from reports.sources import Pages, Sources
from reproductions.lab.analysis.published import FAILS
from reproductions.lab.results.run_group import TOP_1, TOP_5
from reproductions.lab.results.verdict import BETTER, NOT_REACHED, ONE_ENSEMBLE, REPRODUCED, SPREAD
from reproductions.lab.results.verdict import FEW as FEW_RUNS

ORDER = (BETTER, REPRODUCED, SPREAD, NOT_REACHED, *FEW_RUNS.values(), ONE_ENSEMBLE)
FAMILIES = {"imagenet": "ImageNet", "cifar10": "CIFAR-10", "mnist": "MNIST"}


def page(summaries: Sequence[StudySummary], sources: Sources, pages: Pages) -> dict[str, Any]:
    """Return what the template of the overview is given, and add the figures that it shows."""
    rows = measured_rows(summaries)
    charts = {
        "published": figures.published_and_measured(rows) if rows else None,
        "years": figures.errors_by_year(entries(summaries, sources)) if sources.entries else None,
        "costs": figures.errors_by_arithmetic(costs(sources)) if sources.networks else None,
    }
    return {
        "summaries": summaries,
        "shown": {name: pages.add(f"overview-{name}", chart) for name, chart in charts.items() if chart},
        "charts": pages.charts,
        "counts": verdict_counts(summaries),
        "published": sum(bool(row.published) for summary in summaries for row in summary.rows),
        "profiles": sources.networks,
        "failing": sum(claim.verdict == FAILS for claim in sources.claims),
        "claims": len(sources.claims),
    }


def measured_rows(summaries: Sequence[StudySummary]) -> list[Measured]:
    """Return the published errors that runs by the networks' own recipes answer."""
    found = []
    for summary in summaries:
        for row in summary.rows:
            if row.published_error is None or row.mean is None or row.ends is None:
                continue
            if row.foreign or row.verdict.startswith(NOT_COMPARABLE):
                continue
            verdict = row.verdict if row.verdict in VERDICTS else FEW
            found.append(Measured(row.label, row.published_error, row.mean, *row.ends, verdict))
    return found


def verdict_counts(summaries: Sequence[StudySummary]) -> list[tuple[str, int]]:
    """Return how many published figures have each verdict, with what they need for those without a run."""
    published = [(summary, row) for summary in summaries for row in summary.rows if row.published]
    counts = Counter(verdict_in_words(summary, row) for summary, row in published)
    places = {verdict: place for place, verdict in enumerate(ORDER)}
    return sorted(counts.items(), key=lambda item: (places.get(item[0], len(ORDER)), -item[1]))


def verdict_in_words(summary: StudySummary, row: ResultRow) -> str:
    """Return a verdict without what is particular to one figure; of a figure without a run, the data that it needs."""
    if row.verdict == "not run":
        recipes = {network.name: network.recipe for network in summary.study.networks}
        recipe = recipes.get(row.network)
        if recipe is None:
            return "not run: an ensemble or a classifier"
        return f"not run: trained on {FAMILIES.get(recipe.dataset.split('-')[0], recipe.dataset)}"
    return row.verdict.split(":")[0]


def entries(summaries: Sequence[StudySummary], sources: Sources) -> list[Entry]:
    """Return ILSVRC's published top-5 test errors: teams' entries, and those of the papers of this suite."""
    found = []
    for key, error in sources.entries.items():
        at, name = key.split("/", 1)
        found.append(Entry(int(at), name, error, name in OWN_ENTRIES))
    for summary in summaries:
        errors = [
            figure.error
            for figure in sources.figures[summary.study.name]
            if (figure.dataset, figure.split, figure.metric) == ("imagenet-2012", "test", TOP_5) and figure.error
        ]
        year = summary.study.year
        if errors and year > max(entry.year for entry in found if not entry.own):
            found.append(Entry(year, f"{summary.study.label}, ensemble", min(errors), True))
    return found


# Entries whose networks this suite builds.
OWN_ENTRIES = ("SuperVision", "Zeiler and Fergus", "GoogLeNet", "VGG")


def costs(sources: Sources) -> list[Cost]:
    """Return the published top-1 validation errors of single networks on ILSVRC-2012, with their arithmetic."""
    return [
        Cost(
            figure.network,
            figure.protocol,
            figure.error,
            sources.networks[figure.network].multiply_adds,
            sources.networks[figure.network].parameters,
        )
        for study in sources.studies.values()
        for figure in sources.figures[study.name]
        if figure.network in study.drawn
        and figure.network in sources.networks
        and (figure.dataset, figure.split, figure.metric) == ("imagenet-2012", "validation", TOP_1)
        and figure.error is not None
    ]
