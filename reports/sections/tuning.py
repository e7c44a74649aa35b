"""A hyperparameter search as a table and a figure, made from the records of its trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas

from reports.figures.chart import Chart
from reports.figures.searches import search_chart
from reports.formats import format_table
from reproductions.lab.errors import UsageError
from reproductions.lab.results import trial_record
from reproductions.lab.results.compare import compare_runs
from reproductions.lab.results.comparison_text import sentences
from reproductions.lab.results.entries import FLOAT32
from reproductions.lab.results.run_group import RunGroup
from reproductions.lab.results.trial_record import SearchRecord, Trial, best_of
from reproductions.lab.spec import recipe_changes


@dataclass(frozen=True)
class Search:
    """A committed search: the name of its folder, what is searched, and its trials."""

    name: str
    record: SearchRecord
    trials: Sequence[Trial]


@dataclass(frozen=True)
class TuningSection:
    """A search for the page of its paper.

    Attributes:
        search: The search.
        settings: Number of different settings tried.
        best: The best settings and their result as text; None if all trials failed.
        commits: Commits at which trials finished, that of the start first, shortened.
        winner: The winner's runs compared with those of the network's own recipe, in sentences.
        table: All trials, in Markdown.
        chart: The figure of the trials.
    """

    search: Search
    settings: int
    best: str | None
    commits: list[str]
    winner: list[str]
    table: str
    chart: Chart


def read_searches(folder: Path) -> list[Search]:
    """Return the searches in a folder by name; UsageError names a file that is damaged or missing."""
    return [read_search(path.parent) for path in sorted(folder.glob(f"*/{trial_record.SEARCH}"))]


def read_search(folder: Path) -> Search:
    """Return the search in a folder."""
    record, trials = trial_record.read_search(folder), trial_record.read_all(folder)
    if not trials:
        raise UsageError(f"{folder} is not a complete search: it has no {trial_record.FOLDER}")
    return Search(folder.name, record, trials)


def tuning_section(search: Search, groups: Sequence[RunGroup]) -> TuningSection:
    """Return a search for the page of its paper."""
    best = best_of(search.trials)
    text = f"{trial_record.format_settings(best.settings)}: {trial_record.format_result(best)}" if best else None
    return TuningSection(
        search=search,
        settings=len({trial_record.name_of(trial.settings) for trial in search.trials}),
        best=text,
        commits=commits(search),
        winner=compare_winner(search, groups),
        table=format_table(trial_table(search.trials), "markdown"),
        chart=search_chart(search.trials, search.record.network),
    )


def commits(search: Search) -> list[str]:
    """Return the commits at which trials finished, that of the start first."""
    found = [search.record.commit, *(trial.code.commit for trial in search.trials)]
    return list(dict.fromkeys(commit[:10] for commit in found if commit))


def compare_winner(search: Search, groups: Sequence[RunGroup]) -> list[str]:
    """Return the comparison of the winner's runs with those of the own recipe; empty if either is missing."""
    name = search.record.network
    candidates = [group for group in groups if group.network == name and group.first.precision == FLOAT32]
    own = [group for group in candidates if group.comparable]
    by_best = [group for group in candidates if group.changes and is_winner(group, search)]
    if not own or not by_best:
        return []
    both = own[0], by_best[0]
    found = compare_runs([run for group in both for run in group.runs])
    titles = "The network's own recipe", "the winner, retrained"
    parts = [
        f"{title}, {summary.network}: test error {group.spread()}, seeds {', '.join(map(str, summary.seeds))}"
        for title, summary, group in zip(titles, found.networks, both)
    ]
    return [f"{'; '.join(parts)}.", *sentences(found)]


def is_winner(group: RunGroup, search: Search) -> bool:
    """Return whether runs are by the best trial's recipe, for any number of epochs, on all training images."""
    best, record = best_of(search.trials), group.first
    if best is None or record.data.sha256 != search.record.sha256:
        return False
    splits = recipe_changes.completed(search.record.recipe)["splits"]
    retrained = {"splits": splits, "epochs": record.recipe.get("epochs")}
    return not recipe_changes.changes(record.recipe, {**best.recipe, **retrained})


def trial_table(trials: Sequence[Trial]) -> pandas.DataFrame:
    """Return a row for each trial: those of the most epochs first, the best of them at the top, failed ones last."""
    rows = [
        {
            **{name.replace("_", " "): str(value) for name, value in trial.settings.items()},
            "epochs": trial.epochs,
            "validation error": "failed" if trial.error is None else f"{trial.error:.2f}%",
            "seconds": round(trial.seconds),
            "worker": trial.worker,
            "threads": trial.execution.threads or "",
        }
        for trial in sorted(trials, key=lambda trial: (trial.error is None, -trial.epochs, trial.error))
    ]
    table = pandas.DataFrame(rows, index=pandas.RangeIndex(1, len(rows) + 1, name=""))
    return table if any(table["threads"] != "") else table.drop(columns="threads")
