"""Figures as SVG from templates: the same records give the same bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import jinja2

from reproductions.lab.results.run_group import RunGroup

LEFT, TOP, WIDTH, HEIGHT = 48, 16, 520, 220
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")

Line = Sequence[tuple[float, float]]


def training_curves(environment: jinja2.Environment, group: RunGroup) -> str:
    """Return the training error by epoch, one line for each seed."""
    lines = {f"seed {run.seed}": [(row.epoch, row.error) for row in run.history] for run in group.records}
    epochs = max(len(line) for line in lines.values())
    ticks = [tick for tick in range(1, epochs + 1) if tick == 1 or tick % max(epochs // 5, 1) == 0]
    return line_chart(environment, lines, ticks, "epoch", f"{group.network} on {group.data}: training error")


def training_set_sizes(environment: jinja2.Environment, sized: Sequence[Sequence[RunGroup]]) -> str:
    """Return the mean test error by the number of training images, one line for each network."""
    lines = {own[0].network: [(group.first.training_images, group.spread().mean) for group in own] for own in sized}
    ticks = sorted({images for line in lines.values() for images, _ in line})
    return line_chart(environment, lines, ticks, "training images", "test error by the number of training images")


def line_chart(
    environment: jinja2.Environment, lines: Mapping[str, Line], ticks: Sequence[float], x_label: str, title: str
) -> str:
    """Return lines of (x, error in percent) by their names, with the error on a logarithmic axis."""
    errors = [error for line in lines.values() for _, error in line]
    lowest, highest = max(min(errors), 0.01), max(errors)
    first, last = ticks[0], max(max(x for x, _ in line) for line in lines.values())
    decades = range(math.floor(math.log10(lowest)), math.ceil(math.log10(max(highest, 2 * lowest))) + 1)
    levels = [factor * 10**decade for decade in decades for factor in (1, 2, 5)]
    low = max((level for level in levels if level <= lowest), default=levels[0])
    high = min((level for level in levels if level >= highest and level > low), default=2 * low)

    def x_of(x: float) -> float:
        return LEFT + WIDTH * (x - first) / max(last - first, 1)

    def y_of(error: float) -> float:
        return TOP + HEIGHT * (math.log(high) - math.log(max(error, low))) / (math.log(high) - math.log(low))

    return environment.get_template("curves.svg.jinja").render(
        lines=[
            {
                "points": " ".join(f"{x_of(x):.1f},{y_of(error):.1f}" for x, error in line),
                "colour": COLOURS[number % len(COLOURS)],
                "label": label,
            }
            for number, (label, line) in enumerate(lines.items())
        ],
        left=LEFT,
        top=TOP,
        width=WIDTH,
        height=HEIGHT,
        ys=[(f"{level:g}", round(y_of(level), 1)) for level in levels if low <= level <= high],
        xs=[(f"{tick:,}", round(x_of(tick), 1)) for tick in ticks],
        below=x_label,
        title=title,
    )
