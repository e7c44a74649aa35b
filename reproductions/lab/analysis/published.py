"""Published figures: reading them from text, and comparing them with computed values."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

HOLDS = "holds"
ROUNDED = "holds as rounded"
FAILS = "does not hold"
TRAINING = "needs training"
DATA = "needs data not at hand"
VERDICTS = (HOLDS, ROUNDED, FAILS, TRAINING, DATA)

NUMBER = r"(\d[\d,]*(?:\.\d+)?(?:e-?\d+)?)"
NUMBERS = re.compile(rf"{NUMBER}(?: ?(?:to|-) ?{NUMBER})? ?([Kk]\b|M|G|million)?")


@dataclass(frozen=True)
class Range:
    """Figure known to lie between two numbers."""

    low: float
    high: float


@dataclass(frozen=True)
class Fact:
    """Answer to a statement without a number.

    Attributes:
        holds: Whether the statement holds.
        text: What was found.
    """

    holds: bool
    text: str


Value = Fact | Range | tuple[int, ...] | float | str


@dataclass(frozen=True)
class PublishedNumber:
    """Number, or range of numbers, in a published text.

    Attributes:
        low: Lower end; equal to `high` for a single number.
        high: Upper end.
        step: Step to which the number is rounded; 0 for a number in scientific notation, which is taken as exact.
    """

    low: float
    high: float
    step: float


def parse_number(published: str, kilo: int = 1000) -> PublishedNumber:
    """Return the first number, or range of numbers, in a published text.

    A whole number of thousands or millions that ends in 0 may have been rounded to tens: "60M" has a step of ten
    million. A number in units of 1,024 has a step of one unit.

    Args:
        published: Text such as "138M", "20 to 30" or "5e-4".
        kilo: Value of the suffix K: 1000 or 1024.

    Raises:
        ValueError: If the text does not contain a number.
    """
    match = NUMBERS.search(published)
    if match is None:
        raise ValueError(f"expected a published text with a number, got {published!r}")
    first, second, suffix = match.groups()
    unit = {"k": kilo, "m": 10**6, "g": 10**9}[suffix[0].lower()] if suffix else 1
    last = (second or first).replace(",", "")
    decimals = re.search(r"\.(\d+)", last)
    if "e" in last:
        step = 0.0
    elif decimals:
        step = 10.0 ** -len(decimals[1])
    else:
        step = 10.0 if suffix and kilo == 1000 and last.endswith("0") else 1.0
    return PublishedNumber(float(first.replace(",", "")) * unit, float(last) * unit, step * unit)


def shape_sizes(shape: str | tuple[int, ...]) -> list[int]:
    """Return the sizes of a shape without leading ones, so that 1x1x4096 equals 4096."""
    sizes = [int(size) for size in re.findall(r"\d+", shape)] if isinstance(shape, str) else list(shape)
    while len(sizes) > 1 and sizes[0] == 1:
        sizes.pop(0)
    return sizes


def judge(published: str, computed: Value, kilo: int = 1000) -> str:
    """Compare a published figure with a computed value.

    Args:
        published: Figure as published: a number, a shape or a word.
        computed: Value to compare it with.
        kilo: Value of the suffix K in `published`: 1000 or 1024.

    Returns:
        HOLDS for equal values, ROUNDED for numbers that are equal at the published precision, and FAILS otherwise.

    Raises:
        ValueError: If `computed` is a number and `published` contains none.
    """
    if isinstance(computed, Fact):
        return HOLDS if computed.holds else FAILS
    if isinstance(computed, str):
        return HOLDS if published.casefold().split() == computed.casefold().split() else FAILS
    if isinstance(computed, tuple):
        return HOLDS if shape_sizes(published) == shape_sizes(computed) else FAILS
    number = parse_number(published, kilo)
    found = computed if isinstance(computed, Range) else Range(computed, computed)
    if math.isclose(found.low, number.low, abs_tol=1e-12) and math.isclose(found.high, number.high, abs_tol=1e-12):
        return HOLDS
    if number.low <= found.low and found.high <= number.high:
        return HOLDS
    tolerance = number.step / 2 * (1 + 1e-9)
    overlaps = found.high >= number.low - tolerance and found.low <= number.high + tolerance
    return ROUNDED if overlaps else FAILS


def format_value(value: Value) -> str:
    """Return a computed value as text: "28x28x6", "16 to 19", "138,357,544"."""
    if isinstance(value, Fact):
        return value.text
    if isinstance(value, Range):
        return f"{value.low:.4g} to {value.high:.4g}"
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10000 else str(value)
    return value if isinstance(value, str) else f"{value:.6g}"
