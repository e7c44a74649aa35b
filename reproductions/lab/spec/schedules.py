"""Learning rate schedules, per epoch. Epochs count from 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reproductions.lab.ranges import EpochCount, Epochs, Exponent, Factor, PositiveRate, Rate, Whole


@dataclass(frozen=True)
class ExponentialDecay:
    """Learning rate multiplied by `decay_rate` after every `decay_epochs` epochs, in steps.

    Keras' schedule of the same name counts steps of the optimizer; this one counts epochs, which may be fractions.
    """

    initial_learning_rate: PositiveRate
    decay_rate: Factor
    decay_epochs: EpochCount

    def at(self, epoch: int, errors: Sequence[float]) -> float:
        """Return the learning rate of an epoch; `errors` are not used."""
        return self.initial_learning_rate * self.decay_rate ** int((epoch - 1) / self.decay_epochs)


@dataclass(frozen=True)
class PolynomialDecay:
    """Learning rate lowered after every epoch, to `end_learning_rate` after `decay_epochs` epochs.

    After e epochs it is (initial - end) * (1 - e / decay_epochs) ** power + end. Keras' schedule of the same name
    counts steps of the optimizer; this one counts epochs, and an epoch has the learning rate of its first step.
    """

    initial_learning_rate: PositiveRate
    decay_epochs: EpochCount
    end_learning_rate: Rate = 0.0
    power: Exponent = 1.0

    def at(self, epoch: int, errors: Sequence[float]) -> float:
        """Return the learning rate of an epoch; `errors` are not used."""
        left = 1 - min((epoch - 1) / self.decay_epochs, 1)
        return (self.initial_learning_rate - self.end_learning_rate) * left**self.power + self.end_learning_rate


@dataclass(frozen=True)
class ReduceLROnPlateau:
    """Learning rate multiplied by `factor` when the validation error stops improving.

    That is when `patience` epochs at one learning rate have not brought the error below the lowest before them. It
    happens at most `max_reductions` times.
    """

    initial_learning_rate: PositiveRate
    factor: Factor = 0.1
    patience: Epochs = 5
    max_reductions: Whole = 3

    def at(self, epoch: int, errors: Sequence[float]) -> float:
        """Return the learning rate of an epoch, given the validation errors of the epochs before it."""
        reductions, lowest, wait = 0, float("inf"), 0
        for error in errors[: epoch - 1]:
            wait = 0 if error < lowest else wait + 1
            lowest = min(lowest, error)
            if wait >= self.patience and reductions < self.max_reductions:
                reductions, wait = reductions + 1, 0
        return self.initial_learning_rate * self.factor**reductions


Schedule = ExponentialDecay | PolynomialDecay | ReduceLROnPlateau
