"""Pictures as SVG text. Templates, not a plotting library: the same records give the same bytes for ever."""

from __future__ import annotations

import base64
import math
import struct

import jinja2

from reports.tables import Runs
from reproductions.lab.record import Record

LEFT, TOP, WIDTH, HEIGHT = 48, 16, 520, 220
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
COLUMNS = 10


def curves(templates: jinja2.Environment, runs: Runs) -> str:
    """Error while training against passes, a line a seed, error on a logarithmic scale."""
    errors = [[row["error"] for row in run.epochs] for run in runs.records]
    lowest = min(max(error, 0.01) for line in errors for error in line)
    highest = max(error for line in errors for error in line)
    decades = range(math.floor(math.log10(lowest)), math.ceil(math.log10(max(highest, 2 * lowest))) + 1)
    ticks = [factor * 10**decade for decade in decades for factor in (1, 2, 5)]
    low = max((tick for tick in ticks if tick <= lowest), default=ticks[0])
    high = min((tick for tick in ticks if tick >= highest and tick > low), default=2 * low)
    passes = max(len(line) for line in errors)

    def x(epoch: float) -> float:
        return LEFT + WIDTH * (epoch - 1) / max(passes - 1, 1)

    def y(error: float) -> float:
        return TOP + HEIGHT * (math.log(high) - math.log(max(error, low))) / (math.log(high) - math.log(low))

    lines = [
        {
            "points": " ".join(f"{x(i):.1f},{y(error):.1f}" for i, error in enumerate(line, 1)),
            "colour": COLOURS[number % len(COLOURS)],
            "label": f"seed {run.seed}",
        }
        for number, (run, line) in enumerate(zip(runs.records, errors))
    ]
    return templates.get_template("curves.svg.jinja").render(
        lines=lines,
        left=LEFT, top=TOP, width=WIDTH, height=HEIGHT,
        ys=[(f"{tick:g}", round(y(tick), 1)) for tick in ticks if low <= tick <= high],
        xs=[(tick, round(x(tick), 1)) for tick in range(1, passes + 1) if tick == 1 or tick % max(passes // 5, 1) == 0],
        title=f"{runs.network.name} on {runs.data}: error while training",
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
