"""Figures of all papers together: published beside measured errors, errors by year, errors by arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from reports.figures import style
from reports.figures.chart import Chart

if TYPE_CHECKING:
    import matplotlib.figure

VERDICTS = {
    "reproduced": ("o", style.GREEN),
    "better than published": ("^", style.TEAL),
    "within run-to-run spread": ("s", style.BLUE),
    "not reached": ("v", style.RED),
    "too few runs for a verdict": ("P", style.GREY),
}
FEW = "too few runs for a verdict"


@dataclass(frozen=True)
class Measured:
    """A published error with the runs that answer to it, in percent.

    Attributes:
        label: What it is the error of.
        published: The published error.
        mean: Mean of the runs.
        low: Lower end of the 95% interval of the mean; of one run, of its test.
        high: Upper end.
        verdict: The verdict, or `FEW`.
    """

    label: str
    published: float
    mean: float
    low: float
    high: float
    verdict: str


@dataclass(frozen=True)
class Entry:
    """An entry of ILSVRC: the year, who, the top-5 error in percent, and whether a network of it is in this suite."""

    year: int
    name: str
    error: float
    own: bool


@dataclass(frozen=True)
class Cost:
    """A network's published top-1 error in percent by its multiply-adds and parameters."""

    network: str
    protocol: str
    error: float
    multiply_adds: int
    parameters: int


def published_and_measured(rows: Sequence[Measured]) -> Chart:
    """Return the figure of published and measured errors."""
    data = {"rows": [asdict(row) for row in rows]}
    judged = [row for row in rows if row.verdict != FEW]
    agree = sum(row.verdict in ("reproduced", "better than published") for row in judged)
    caption = (
        f"Published test errors (open diamonds) and those measured here, with the 95% confidence interval of the mean "
        f"over seeds; of fewer than three runs, with that of the first one's test. Of {len(judged)} with enough runs "
        f"for a verdict, {agree} are reproduced or better."
    )
    alt = "; ".join(f"{r.label}: published {r.published:g}%, measured {r.mean:.2f}%, {r.verdict}" for r in rows)
    return Chart(draw_published, data, (style.WIDTH, 1.4 + 0.24 * len(rows)), caption, alt)


def draw_published(figure: matplotlib.figure.Figure, data: Mapping[str, Any]) -> None:
    """Draw a row for each published error."""
    axes = figure.subplots()
    rows = data["rows"]
    for number, row in enumerate(rows):
        marker, colour = VERDICTS[row["verdict"]]
        axes.plot([row["published"], row["mean"]], [number, number], color=style.LIGHT, linewidth=2, zorder=1)
        axes.hlines(number, row["low"], row["high"], color=colour, linewidth=1.6)
        axes.plot(row["mean"], number, marker, color=colour, markersize=6)
        axes.plot(row["published"], number, "D", color=style.DARK, markerfacecolor="none", markersize=7)
    axes.set_yticks(range(len(rows)), [row["label"] for row in rows], size=8.5)
    axes.invert_yaxis()
    ends = [row[name] for row in rows for name in ("published", "mean", "low", "high")]
    style.log_percent(axes, "x", max(min(ends, default=1), 0.01), max(ends, default=100))
    axes.set(title="Published and measured test errors", xlabel="test error (logarithmic)")
    axes.grid(False, axis="y")
    found = [verdict for verdict in VERDICTS if any(row["verdict"] == verdict for row in rows)]
    axes.plot([], [], "D", color=style.DARK, markerfacecolor="none", label="published")
    for verdict in found:
        marker, colour = VERDICTS[verdict]
        axes.plot([], [], marker, color=colour, label=verdict)
    figure.legend(loc="outside lower center", ncols=3)


def errors_by_year(entries: Sequence[Entry]) -> Chart:
    """Return the figure of ILSVRC's top-5 test errors by year."""
    data = {"entries": [asdict(entry) for entry in entries]}
    own = [entry for entry in entries if entry.own]
    caption = (
        "Top-5 test errors on ILSVRC's 1,000 classes by year, as published. Filled circles: entries and ensembles "
        "whose networks this suite builds."
    )
    alt = "; ".join(f"{entry.year} {entry.name} {entry.error:g}%" for entry in own)
    return Chart(draw_years, data, (style.WIDTH, 4.4), caption, alt)


def draw_years(figure: matplotlib.figure.Figure, data: Mapping[str, Any]) -> None:
    """Draw the entries, with the names of the suite's own."""
    axes = figure.subplots()
    entries = data["entries"]
    for own, face in ((False, "none"), (True, style.BLUE)):
        found = [entry for entry in entries if entry["own"] == own]
        axes.plot(
            [entry["year"] for entry in found],
            [entry["error"] for entry in found],
            "o",
            color=style.BLUE if own else style.GREY,
            markerfacecolor=face,
            label="networks of this suite" if own else "other entries",
        )
    last: dict[int, float] = {}
    for entry in sorted(entries, key=lambda entry: -entry["error"]):
        place = min(entry["error"], last.get(entry["year"], 100.0) / 1.11)
        last[entry["year"]] = place
        text = f"{entry['name']} {entry['error']:.1f}%"
        colour = style.DARK if entry["own"] else style.GREY
        line = {"arrowstyle": "-", "linewidth": 0.6, "color": style.GREY, "shrinkB": 4, "relpos": (0, 0.5)}
        point, label = (entry["year"], entry["error"]), (entry["year"] + 0.2, place)
        axes.annotate(text, point, label, va="center", size=8, color=colour, arrowprops=line)
    years = sorted({entry["year"] for entry in entries})
    axes.set_xticks(years)
    errors = [entry["error"] for entry in entries]
    style.log_percent(axes, "y", min(errors) / 1.1, max(errors))
    axes.set(title="ILSVRC by year", ylabel="top-5 test error (logarithmic)", xlim=(years[0] - 0.2, years[-1] + 1.0))
    axes.legend(loc="upper right")


def errors_by_arithmetic(costs: Sequence[Cost]) -> Chart:
    """Return the figure of published top-1 errors by multiply-adds."""
    data = {"costs": [asdict(cost) for cost in costs]}
    caption = (
        "Published top-1 validation errors on ILSVRC-2012 by the computed multiply-adds of one crop; the area of a "
        "circle is the number of parameters. A vertical line joins the errors of one network by different protocols, "
        "from its fewest crops (circle) to its lowest error."
    )
    alt = "; ".join(f"{c.network} {c.error:g}% ({c.protocol}), {c.multiply_adds / 1e9:.1f}G" for c in costs)
    return Chart(draw_arithmetic, data, (style.WIDTH, 4.0), caption, alt)


def draw_arithmetic(figure: matplotlib.figure.Figure, data: Mapping[str, Any]) -> None:
    """Draw a circle for each network at its highest error, and a line down to its lowest."""
    axes = figure.subplots()
    networks: dict[str, list[Mapping[str, Any]]] = {}
    for cost in data["costs"]:
        networks.setdefault(cost["network"], []).append(cost)
    by_arithmetic = sorted(networks.items(), key=lambda item: item[1][0]["multiply_adds"])
    for number, (name, found) in enumerate(by_arithmetic):
        errors = [cost["error"] for cost in found]
        x = found[0]["multiply_adds"] / 1e9
        colour = style.COLOURS[number % len(style.COLOURS)]
        axes.vlines(x, min(errors), max(errors), color=colour, linewidth=1)
        axes.scatter(x, max(errors), s=12 + found[0]["parameters"] / 4e5, color=colour, alpha=0.6, linewidths=0)
        offset, side = ((8, -12), "left") if number % 2 else ((-8, 6), "right")
        axes.annotate(name, (x, max(errors)), xytext=offset, textcoords="offset points", ha=side, size=8)
    axes.set_xscale("log")
    ticks = (0.5, 1, 2, 5, 10, 20)
    axes.set_xticks(ticks, [f"{tick:g}G" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.margins(x=0.12, y=0.12)
    axes.set(title="Error and arithmetic", xlabel="multiply-adds of one crop", ylabel="top-1 validation error, percent")
