"""The figure of a hyperparameter search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports.figures import style
from reports.figures.chart import Chart
from reproductions.lab.results.trial_record import Trial, best_of

if TYPE_CHECKING:
    import matplotlib.figure
    from matplotlib.axes import Axes

LOWEST = 0.01
MOST_LABELS = 6


def search_chart(trials: Sequence[Trial], title: str) -> Chart:
    """Return the figure of the validation error of each trial by each of its settings."""
    done = [trial for trial in trials if trial.error is not None]
    best, most = best_of(trials), max((trial.epochs for trial in done), default=1)
    names = list(trials[0].settings) if trials else []
    data: dict[str, Any] = {
        "title": title,
        "errors": [max(trial.error or 0, LOWEST) for trial in done],
        "epochs": [trial.epochs / most for trial in done],
        "best": done.index(best) if best in done and best is not None else None,
        "settings": {name.replace("_", " "): [trial.settings[name] for trial in done] for name in names},
        "failed": len(trials) - len(done),
    }
    failed = f"; {data['failed']} failed" if data["failed"] else ""
    caption = (
        f"Validation error of each of {len(trials)} trials by its settings{failed}. The orange diamond is the best "
        "trial; paler points were trained for fewer epochs."
    )
    lowest = f"the lowest is {min(data['errors']):.2f}%" if done else "all failed"
    return Chart(draw_search, data, (style.WIDTH, 2.8), caption, f"{title}: {len(trials)} trials; {lowest}")


def draw_search(figure: matplotlib.figure.Figure, data: Mapping[str, Any]) -> None:
    """Draw one panel for each setting, with a common axis of errors."""
    panels = figure.subplots(1, max(len(data["settings"]), 1), sharey=True, squeeze=False)[0]
    for axes, (name, values) in zip(panels, data["settings"].items()):
        positions = place(axes, values)
        for number, (x, error, share) in enumerate(zip(positions, data["errors"], data["epochs"])):
            best = number == data["best"]
            colour, marker = (style.ORANGE, "D") if best else (style.BLUE, "o")
            axes.plot(x, error, marker, color=colour, alpha=max(share, 0.25), markersize=7 if best else 5)
        axes.set_xlabel(name)
    if data["errors"]:
        style.log_percent(panels[0], "y", min(data["errors"]), max(max(data["errors"]), 1.1 * min(data["errors"])))
    panels[0].set_ylabel("validation error")
    figure.suptitle(data["title"], x=0.01, ha="left", size=11, weight="bold")


def place(axes: Axes, values: Sequence[Any]) -> Sequence[float]:
    """Return the positions of values on the x axis, and label it: positive floats on a logarithmic axis."""
    if values and all(isinstance(value, float) and value > 0 for value in values):
        axes.set_xscale("log")
        axes.set_xticks([], minor=True)
        ends = sorted({min(values), max(values)})
        axes.set_xticks(ends, [f"{value:.2g}" for value in ends])
        return list(values)
    kinds = sorted(set(values), key=lambda value: (isinstance(value, str), value))
    step = max(1, len(kinds) // MOST_LABELS)
    axes.set_xticks(range(0, len(kinds), step), [str(kind) for kind in kinds[::step]])
    return [kinds.index(value) for value in values]
