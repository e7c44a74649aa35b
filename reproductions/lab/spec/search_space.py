"""Hyperparameters that `reproduce tune` may try."""

from __future__ import annotations

from dataclasses import dataclass

Value = bool | int | float | str


@dataclass(frozen=True)
class LogUniform:
    """Float between `low` and `high`, uniform in its logarithm."""

    low: float
    high: float


@dataclass(frozen=True)
class IntRange:
    """Integer from `low` to `high`, both included, in steps of `step`."""

    low: int
    high: int
    step: int = 1


@dataclass(frozen=True)
class Choice:
    """One of several values."""

    values: tuple[Value, ...]


Domain = LogUniform | IntRange | Choice
