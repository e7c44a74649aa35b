"""One style for all figures: colours that differ in grey too, on white, with text that is text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 7.2  # inches: the width of a page's text
DARK, GREY, LIGHT = "#24292f", "#59636e", "#d1d9e0"
BLUE, ORANGE, GREEN, PURPLE, RED, TEAL = "#0b5cad", "#b35900", "#1a7f37", "#8250df", "#c1121f", "#0a7080"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, RED, TEAL)
LINES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P")

SETTINGS: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.labelcolor": DARK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.facecolor": "white",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
    "font.size": 9.5,
    "grid.color": LIGHT,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "reproductions",
    "text.color": DARK,
    "text.parse_math": False,  # a dollar sign in a name is no formula
    "xtick.color": GREY,
    "xtick.labelcolor": DARK,
    "ytick.color": GREY,
    "ytick.labelcolor": DARK,
}


def percent_ticks(low: float, high: float) -> list[float]:
    """Return round numbers that lie between two positive numbers, for a logarithmic axis."""
    factors = (1, 2, 5) if high / low > 4 else (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [factor * 10.0**decade for decade in decades for factor in factors if low <= factor * 10.0**decade <= high]


def log_percent(axes: Axes, axis: str, low: float, high: float) -> None:
    """Make an axis ("x" or "y") logarithmic and label it in percent, with ticks at round numbers."""
    margin = (high / low) ** 0.05
    low, high = low / margin, high * margin
    ticks = percent_ticks(low, high)
    getattr(axes, f"set_{axis}scale")("log")
    getattr(axes, f"set_{axis}lim")(low, high)
    getattr(axes, f"set_{axis}ticks")(ticks, [f"{tick:g}%" for tick in ticks])
    getattr(axes, f"set_{axis}ticks")([], minor=True)
