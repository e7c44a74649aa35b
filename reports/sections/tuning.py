"""A hyperparameter search as a table and a figure, made from the records of its trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import pandas

from reports.formats import format_table
from reproductions.lab.errors import UsageError
from reproductions.lab.results import trial_record
from reproductions.lab.results.compare import compare_runs
from reproductions.lab.results.comparison_text import sentences
from reproductions.lab.results.entries import FLOAT32
from reproductions.lab.results.run_group import RunGroup
from reproductions.lab.results.trial_record import SearchRecord, Trial, best_of
from reproductions.lab.spec import recipe_changes
from reproductions.lab.spec.search_space import Value

LEFT, TOP, SIDE, GAP = 48, 28, 200, 34
BEST, OTHER = "#d55e00", "#0072b2"


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
        figure: The trials as SVG.
    """

    search: Search
    settings: int
    best: str | None
    commits: list[str]
    winner: list[str]
    table: str
    figure: str


def read_searches(folder: Path) -> list[Search]:
    """Return the searches in a folder by name; UsageError names a file that is damaged or missing."""
    return [read_search(path.parent) for path in sorted(folder.glob(f"*/{trial_record.SEARCH}"))]


def read_search(folder: Path) -> Search:
    """Return the search in a folder."""
    record, trials = trial_record.read_search(folder), trial_record.read_all(folder)
    if not trials:
        raise UsageError(f"{folder} is not a complete search: it has no {trial_record.FOLDER}")
    return Search(folder.name, record, trials)


def tuning_section(environment: jinja2.Environment, search: Search, groups: Sequence[RunGroup]) -> TuningSection:
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
        figure=trial_figure(environment, search.trials, search.record.network),
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


def trial_figure(environment: jinja2.Environment, trials: Sequence[Trial], title: str) -> str:
    """Return an SVG of the validation error (logarithmic) by each setting and by time, the best trial marked."""
    done = [trial for trial in trials if trial.error is not None]
    names = list(trials[0].settings) if trials else []
    low = min((max(trial.error or 0, 0.01) for trial in done), default=0.01)
    high = max(max((trial.error or 0 for trial in done), default=1.0), 1.1 * low)
    best, most = best_of(trials), max((trial.epochs for trial in done), default=1)

    def y(error: float) -> float:
        return round(TOP + SIDE * (math.log(high / max(error, low))) / math.log(high / low), 1)

    panels = []
    for number, name in enumerate(["trial", *names]):
        values: list[Value] = [i if name == "trial" else trial.settings[name] for i, trial in enumerate(done, 1)]
        positions, ticks = axis(values)
        left = LEFT + number * (SIDE + GAP)
        dots = [
            {
                "x": round(left + SIDE * position, 1),
                "y": y(trial.error or 0),
                "opacity": max(trial.epochs / most, 0.2),
                "colour": BEST if trial == best else OTHER,
            }
            for position, trial in zip(positions, done)
        ]
        labels = [(tick, round(left + SIDE * position, 1)) for tick, position in ticks]
        panels.append({"name": name.replace("_", " "), "left": left, "dots": dots, "ticks": labels})
    return environment.get_template("search.svg.jinja").render(
        title=title,
        panels=panels,
        left=LEFT,
        top=TOP,
        side=SIDE,
        ys=[(f"{error:.3g}", y(error)) for error in (low, high)],
        width=LEFT + len(panels) * (SIDE + GAP),
        failed=len(trials) - len(done),
    )


def axis(values: Sequence[Value]) -> tuple[list[float], list[tuple[str, float]]]:
    """Return the position of each value between 0 and 1, and the labels of the axis with their positions.

    Floats are on a logarithmic axis; other values side by side.
    """
    floats = [value for value in values if isinstance(value, float) and value > 0]
    if floats and len(floats) == len(values):
        logs = [math.log(value) for value in floats]
        low, high = min(logs), max(logs)
        positions = [(value - low) / (high - low) if high > low else 0.5 for value in logs]
        return positions, [(f"{math.exp(end):.3g}", position) for end, position in ((low, 0.0), (high, 1.0))]
    kinds = sorted(set(values), key=lambda value: (isinstance(value, str), value))
    position_of = {kind: (i + 0.5) / len(kinds) for i, kind in enumerate(kinds)}
    step = max(1, len(kinds) // 6)
    return [position_of[value] for value in values], [(str(kind), position_of[kind]) for kind in kinds[::step]]
