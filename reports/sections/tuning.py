"""A search for settings as a table and a picture: a pure function of the records of its trials."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas

from reports.formats import written
from reports.run_groups import Runs
from reports.sections.comparisons import as_read
from reproductions.lab.errors import UsageError
from reproductions.lab.results import compare, trial_record
from reproductions.lab.results.run_record import FULL
from reproductions.lab.results.trial_record import Trial, best_of
from reproductions.lab.spec import recipe_changes

LEFT, TOP, SIDE, GAP = 48, 28, 200, 34
BEST, OTHER = "#d55e00", "#0072b2"


@dataclass(frozen=True)
class Search:
    """A committed search: its folder's name, what was searched, and its trials."""

    name: str
    told: Mapping[str, Any]
    trials: Sequence[Trial]


def read_all(folder: Path) -> list[Search]:
    """The searches in a folder, by name; UsageError names a file that is damaged or missing."""
    return [read(path.parent) for path in sorted(folder.glob("*/search.json"))]


def read(folder: Path) -> Search:
    try:
        told = json.loads((folder / "search.json").read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder} is not a whole search: {error}") from None
    found = trial_record.read_all(folder)
    if not found:
        raise UsageError(f"{folder} is not a whole search: it has no {trial_record.FOLDER}")
    return Search(folder.name, told, found)


def described(environment: jinja2.Environment, search: Search, found: Sequence[Runs]) -> dict[str, Any]:
    """A search for its study's page, with its winner's runs held against those of the network's own recipe."""
    best = best_of(search.trials)
    return {
        "name": search.name,
        "told": search.told,
        "count": len(search.trials),
        "settings": len({trial_record.name_of(trial.settings) for trial in search.trials}),
        "table": written(table(search.trials), "markdown"),
        "picture": picture(environment, search.trials, search.told["network"]),
        "best": best and f"{trial_record.told(best.settings)}: {trial_record.outcome(best)}",
        "commits": commits(search),
        "against": against(search, found),
    }


def commits(search: Search) -> list[str]:
    """The commits at which trials were made, that of the search's begin first; one alone where all were made there."""
    made = [trial.code.get("commit") for trial in search.trials]
    return list(dict.fromkeys(commit[:10] for commit in [search.told.get("commit"), *made] if commit))


def against(search: Search, found: Sequence[Runs]) -> list[str]:
    """The winner's runs and those of the network's own recipe, compared, a sentence each; none where either lacks."""
    name = search.told["network"]
    of_it = [runs for runs in found if runs.network.name == name and runs.records[0].precision == FULL]
    own = [runs for runs in of_it if runs.comparable]
    by_best = [runs for runs in of_it if runs.changes and won(runs, search)]
    if not own or not by_best:
        return []
    both = own[0], by_best[0]
    told = compare.compare_runs([run for runs in both for run in as_read(runs)])
    names = [each["network"] for each in told["networks"]]
    words = "The network's own recipe", "the winner trained again"
    said = [f"{of}, {name}: test error {runs.measured(runs.measures[0])}, {len(runs.records)} seed(s)"
            for of, name, runs in zip(words, names, both)]  # fmt: skip
    return [f"{'; '.join(said)}.", *compare.sentences(told)]


def won(runs: Runs, search: Search) -> bool:
    """Whether runs are on the searched data, by the best trial's recipe for any passes, on all training images."""
    best, record = best_of(search.trials), runs.records[0]
    if best is None or record.data["sha256"] != search.told["sha256"]:
        return False
    trained = {"splits": search.told["recipe"]["splits"], "epochs": record.recipe["epochs"]}
    return not recipe_changes.changes(record.recipe, {**best.recipe, **trained})


def table(trials: Sequence[Trial]) -> pandas.DataFrame:
    """A row a trial, those of the most passes first, the best of them foremost, and those that failed last."""
    rows = [
        {
            **{name: str(value) for name, value in trial.settings.items()},
            "passes": trial.passes,
            "validation error": "failed" if trial.error is None else f"{trial.error:.2f}%",
            "seconds": round(trial.seconds),
            "worker": trial.worker,
            "threads": trial.execution.get("threads", ""),
        }
        for trial in sorted(trials, key=lambda trial: (trial.error is None, -trial.passes, trial.error))
    ]
    shown = pandas.DataFrame(rows, index=pandas.RangeIndex(1, len(rows) + 1, name=""))
    return shown if any(shown["threads"] != "") else shown.drop(columns="threads")


def picture(environment: jinja2.Environment, trials: Sequence[Trial], title: str) -> str:
    """Validation error (logarithmic) against each setting and against time, a dot a trial, the best marked."""
    done = [trial for trial in trials if trial.error is not None]
    names = list(trials[0].settings) if trials else []
    low = min((max(trial.error or 0, 0.01) for trial in done), default=0.01)
    high = max(max((trial.error or 0 for trial in done), default=1.0), 1.1 * low)
    best, most = best_of(trials), max((trial.passes for trial in done), default=1)

    def y(error: float) -> float:
        return round(TOP + SIDE * (math.log(high / max(error, low))) / math.log(high / low), 1)

    panels = []
    for number, name in enumerate(["trial", *names]):
        values = list(range(1, len(done) + 1)) if name == "trial" else [trial.settings[name] for trial in done]
        places, ticks = axis(values)
        left = LEFT + number * (SIDE + GAP)
        dots = [
            {"x": round(left + SIDE * place, 1), "y": y(trial.error or 0), "opacity": max(trial.passes / most, 0.2),
             "colour": BEST if trial == best else OTHER}
            for place, trial in zip(places, done)
        ]  # fmt: skip
        told = [(tick, round(left + SIDE * place, 1)) for tick, place in ticks]
        panels.append({"name": name.replace("_", " "), "left": left, "dots": dots, "ticks": told})
    return (
        environment.get_template("search.svg.jinja")
        .render(
            title=title, panels=panels, left=LEFT, top=TOP, side=SIDE, ys=[(f"{e:.3g}", y(e)) for e in (low, high)],
            width=LEFT + len(panels) * (SIDE + GAP), failed=len(trials) - len(done),
        )
    )  # fmt: skip


def axis(values: Sequence[Any]) -> tuple[list[float], list[tuple[str, float]]]:
    """Where values lie between 0 and 1, and the ends or values to write beside the axis.

    Numbers with a point lie on a logarithmic axis; whole numbers and words one after the other.
    """
    if values and all(isinstance(value, float) and value > 0 for value in values):
        logs = [math.log(value) for value in values]
        low, high = min(logs), max(logs)
        places = [(value - low) / (high - low) if high > low else 0.5 for value in logs]
        return places, [(f"{math.exp(end):.3g}", place) for end, place in ((low, 0.0), (high, 1.0))]
    kinds = sorted(set(values), key=lambda value: (isinstance(value, str), value))
    place_of = {kind: (i + 0.5) / len(kinds) for i, kind in enumerate(kinds)}
    every = max(1, len(kinds) // 6)
    return [place_of[value] for value in values], [(str(kind), place_of[kind]) for kind in kinds[::every]]
