"""Learning rate schedules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Decay:
    """A learning rate multiplied by `factor` after every `every` passes."""

    first: float
    factor: float
    every: float

    def rate(self, epoch: int, errors: Sequence[float]) -> float:
        return self.first * self.factor ** int((epoch - 1) / self.every)


@dataclass(frozen=True)
class Plateau:
    """A learning rate multiplied by `factor`, `drops` times at most, where the validation error stands still.

    It stands still when `patience` passes at one rate have not brought it below the lowest before them.
    """

    first: float
    factor: float = 0.1
    patience: int = 5
    drops: int = 3

    def rate(self, epoch: int, errors: Sequence[float]) -> float:
        dropped, lowest, waited = 0, float("inf"), 0
        for error in errors[: epoch - 1]:
            waited = 0 if error < lowest else waited + 1
            lowest = min(lowest, error)
            if waited >= self.patience and dropped < self.drops:
                dropped, waited = dropped + 1, 0
        return self.first * self.factor**dropped
