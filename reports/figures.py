"""Pictures as SVG text. Templates, not a plotting library: the same records give the same bytes for ever."""

from __future__ import annotations

import base64
import math
import statistics
import struct
from collections.abc import Mapping, Sequence

import jinja2

from reports.run_groups import Runs
from reproductions.lab.results.run_record import Record

LEFT, TOP, WIDTH, HEIGHT = 48, 16, 520, 220
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
COLUMNS = 10


def curves(templates: jinja2.Environment, runs: Runs) -> str:
    """Error while training against passes, a line a seed."""
    lines = {f"seed {run.seed}": [(i, row["error"]) for i, row in enumerate(run.epochs, 1)] for run in runs.records}
    passes = max(len(line) for line in lines.values())
    marks = [mark for mark in range(1, passes + 1) if mark == 1 or mark % max(passes // 5, 1) == 0]
    title = f"{runs.network.name} on {runs.data}: error while training"
    return plotted(templates, lines, marks, "pass", title)


def sizes(templates: jinja2.Environment, sized: Sequence[Sequence[Runs]]) -> str:
    """Mean test error against the number of training images, a line a network."""
    lines = {
        own[0].network.name: [(runs.images, statistics.mean(runs.errors(runs.measures[0]))) for runs in own]
        for own in sized
    }
    marks = sorted({images for line in lines.values() for images, _ in line})
    return plotted(templates, lines, marks, "training images", "test error by the number of training images")


def plotted(
    templates: jinja2.Environment,
    named: Mapping[str, Sequence[tuple[float, float]]],
    marks: Sequence[float],
    below: str,
    title: str,
) -> str:
    """Lines of (place, error in percent) by their names, error on a logarithmic scale."""
    errors = [error for line in named.values() for _, error in line]
    lowest, highest = max(min(errors), 0.01), max(errors)
    first, last = marks[0], max(max(place for place, _ in line) for line in named.values())
    decades = range(math.floor(math.log10(lowest)), math.ceil(math.log10(max(highest, 2 * lowest))) + 1)
    ticks = [factor * 10**decade for decade in decades for factor in (1, 2, 5)]
    low = max((tick for tick in ticks if tick <= lowest), default=ticks[0])
    high = min((tick for tick in ticks if tick >= highest and tick > low), default=2 * low)

    def x(place: float) -> float:
        return LEFT + WIDTH * (place - first) / max(last - first, 1)

    def y(error: float) -> float:
        return TOP + HEIGHT * (math.log(high) - math.log(max(error, low))) / (math.log(high) - math.log(low))

    lines = [
        {
            "points": " ".join(f"{x(place):.1f},{y(error):.1f}" for place, error in line),
            "colour": COLOURS[number % len(COLOURS)],
            "label": label,
        }
        for number, (label, line) in enumerate(named.items())
    ]
    return templates.get_template("curves.svg.jinja").render(
        lines=lines,
        left=LEFT, top=TOP, width=WIDTH, height=HEIGHT,
        ys=[(f"{tick:g}", round(y(tick), 1)) for tick in ticks if low <= tick <= high],
        xs=[(f"{mark:,}", round(x(mark), 1)) for mark in marks],
        below=below, title=title,
    )  # fmt: skip


def misclassified(templates: jinja2.Environment, run: Record) -> str | None:
    """Every misclassified test image with "true->predicted" under it, as the lecture shows them."""
    if run.pictures is None:
        return None
    width, height = struct.unpack(">II", base64.b64decode(run.pictures)[16:24])
    side = width // len(run.misclassified)
    tiles = [
        {"x": 46 * (i % COLUMNS), "y": 62 * (i // COLUMNS), "strip": -i * side, **error}
        for i, error in enumerate(run.misclassified)
    ]
    return templates.get_template("errors.svg.jinja").render(
        tiles=tiles, side=side, strip_width=width, strip_height=height, png=run.pictures,
        width=46 * min(COLUMNS, len(tiles)), height=62 * math.ceil(len(tiles) / COLUMNS),
        title=f"The {len(tiles)} errors made by {run.network} on {run.data['name']}, seed {run.seed}",
        strip=f"strip-{run.network}-{run.data['name']}-{run.recipe['epochs']}-{run.seed}",
    )  # fmt: skip
