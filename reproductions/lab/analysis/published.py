"""Printed figures: what they say, to how many digits, and whether what was found is the same."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

HOLDS = "holds"
ROUNDED = "holds as rounded"
FAILS = "does not hold"
TRAINING = "needs training"
DATA = "needs data not at hand"
VERDICTS = (HOLDS, ROUNDED, FAILS, TRAINING, DATA)


@dataclass(frozen=True)
class Range:
    """A figure known to lie between two numbers."""

    low: float
    high: float


@dataclass(frozen=True)
class Fact:
    """What was found where no number is claimed, and whether that is as claimed."""

    holds: bool
    text: str


def number(printed: str, kilo: int = 1000) -> tuple[float, float, float]:
    """The lower and upper end of what is printed, and the step it is rounded to.

    A whole number of thousands or millions that ends in 0 may have been rounded to tens: "60M" has a step
    of ten million. One in units of 1,024 is taken to the unit. ValueError where no number is printed.
    """
    one = r"(\d[\d,]*(?:\.\d+)?(?:e-?\d+)?)"
    match = re.search(rf"{one}(?: ?(?:to|-) ?{one})? ?([Kk]\b|M|G|million)?", printed)
    if match is None:
        raise ValueError(f"no number is printed in {printed!r}")
    first, second, suffix = match.groups()
    unit = {"k": kilo, "m": 10**6, "g": 10**9}[suffix[0].lower()] if suffix else 1
    last = (second or first).replace(",", "")
    decimals = re.search(r"\.(\d+)", last)
    step = 10.0 ** -len(decimals[1]) if decimals else 10.0 if suffix and kilo == 1000 and last.endswith("0") else 1.0
    if "e" in last:
        step = 0.0
    return float(first.replace(",", "")) * unit, float(last) * unit, step * unit


def sizes(value: str | tuple[int, ...]) -> list[int]:
    """The sides of a shape, without the ones it begins with."""
    found = [int(side) for side in re.findall(r"\d+", value)] if isinstance(value, str) else list(value)
    while len(found) > 1 and found[0] == 1:
        found.pop(0)
    return found


def compare(printed: str, computed: Any, kilo: int = 1000) -> str:
    """Whether what is printed is what was found: exactly, or once rounded to the digits printed."""
    if isinstance(computed, Fact):
        return HOLDS if computed.holds else FAILS
    if isinstance(computed, str):
        return HOLDS if printed.casefold().split() == computed.casefold().split() else FAILS
    if isinstance(computed, tuple):
        return HOLDS if sizes(printed) == sizes(computed) else FAILS
    low, high, step = number(printed, kilo)
    found = computed if isinstance(computed, Range) else Range(computed, computed)
    if math.isclose(found.low, low, abs_tol=1e-12) and math.isclose(found.high, high, abs_tol=1e-12):
        return HOLDS
    if low <= found.low and found.high <= high:
        return HOLDS
    reach = step / 2 * (1 + 1e-9)
    return ROUNDED if found.high >= low - reach and found.low <= high + reach else FAILS


def shown(value: Any) -> str:
    """A figure as text."""
    if isinstance(value, Fact):
        return value.text
    if isinstance(value, Range):
        return f"{value.low:.4g} to {value.high:.4g}"
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10000 else str(value)
    return value if isinstance(value, str) else f"{value:.6g}"
