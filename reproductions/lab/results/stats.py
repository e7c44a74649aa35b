"""Intervals, spreads and significance tests, by statsmodels and scipy, which are imported where they are needed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


def wilson_interval(errors: float, images: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of an error rate, in percent: what another test set of this size may give."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(errors, images, alpha=0.05, method="wilson")
    return 100 * float(low), 100 * float(high)


@dataclass(frozen=True)
class Spread:
    """Mean of several runs, and how much it and a further run may vary, by Student's t distribution.

    Attributes:
        mean: Mean of the values.
        deviation: Sample standard deviation; None for a single value.
        confidence: 95% confidence interval of the mean; None for a single value.
        prediction: 95% prediction interval of one more run; None for a single value.
    """

    mean: float
    deviation: float | None = None
    confidence: tuple[float, float] | None = None
    prediction: tuple[float, float] | None = None

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of at least one value."""
        from scipy.special import stdtrit  # Student's t; scipy.stats takes half a second to import

        mean, count = statistics.mean(values), len(values)
        if count == 1:
            return cls(mean)
        deviation, quantile = statistics.stdev(values), float(stdtrit(count - 1, 0.975))
        mean_width = quantile * deviation / math.sqrt(count)
        run_width = quantile * deviation * math.sqrt(1 + 1 / count)
        return cls(mean, deviation, (mean - mean_width, mean + mean_width), (mean - run_width, mean + run_width))

    def __str__(self) -> str:
        """Return the mean and standard deviation of errors in percent, such as "1.07 ± 0.08%"."""
        return f"{self.mean:.2f}{'' if self.deviation is None else f' ± {self.deviation:.2f}'}%"


@dataclass(frozen=True)
class PairedDifference:
    """Mean of paired differences, its 95% confidence interval, and the p value of Student's paired t-test."""

    mean: float
    interval: tuple[float, float]
    p: float


def paired_difference(one: Sequence[float], other: Sequence[float]) -> PairedDifference | None:
    """Test whether the mean of paired differences is zero.

    Args:
        one: Values.
        other: As many values, each paired with the one at its place.

    Returns:
        The differences `one - other`; None if all are equal, since the t-test needs their spread.

    Raises:
        ValueError: If there are fewer than two pairs.
    """
    if len(one) != len(other) or len(one) < 2:
        raise ValueError(f"a paired test needs at least two pairs; got {len(one)} and {len(other)} values")
    differences = [a - b for a, b in zip(one, other)]
    if len(set(differences)) == 1:
        return None
    from scipy.stats import ttest_rel

    found = ttest_rel(one, other)
    low, high = found.confidence_interval(0.95)
    return PairedDifference(statistics.mean(differences), (float(low), float(high)), float(found.pvalue))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values corrected for the number of tests by Holm's method."""
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(p_values, method="holm")[1]]


def mcnemar_exact(only_one: int, only_other: int) -> float:
    """Return the p value of McNemar's exact test.

    Args:
        only_one: Number of images that only the first network misclassifies.
        only_other: Number of images that only the second network misclassifies.
    """
    from statsmodels.stats.contingency_tables import mcnemar

    return float(mcnemar([[0, only_one], [only_other, 0]], exact=True).pvalue)
