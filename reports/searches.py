"""A search for settings as a table and a picture: a pure function of the records of its trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas

from reports.render import templates
from reproductions.lab.trials import Trial, best_of

LEFT, TOP, SIDE, GAP = 48, 28, 200, 34
BEST, OTHER = "#d55e00", "#0072b2"


def table(trials: Sequence[Trial]) -> pandas.DataFrame:
    """A row a trial, the best first and those that failed last."""
    rows = [
        {
            **{name: str(value) for name, value in trial.settings.items()},
            "passes": trial.passes,
            "validation error": "failed" if trial.error is None else f"{trial.error:.2f}%",
            "seconds": round(trial.seconds),
            "worker": trial.worker,
        }
        for trial in sorted(trials, key=lambda trial: (trial.error is None, -trial.passes, trial.error))
    ]
    return pandas.DataFrame(rows, index=pandas.RangeIndex(1, len(rows) + 1, name="rank"))


def picture(trials: Sequence[Trial], title: str) -> str:
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
        templates()
        .get_template("search.svg.jinja")
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
