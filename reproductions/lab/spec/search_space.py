"""What `reproduce tune` may try: ranges and choices of hyperparameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LogUniform:
    """A number between two others, each of its orders of magnitude as likely."""

    low: float
    high: float


@dataclass(frozen=True)
class Whole:
    """A whole number from `low` to `high`, both included, in steps."""

    low: int
    high: int
    step: int = 1


@dataclass(frozen=True)
class Choice:
    """One of several values."""

    values: tuple[Any, ...]


Domain = LogUniform | Whole | Choice
