"""Intervals, spreads and tests of differences, from statsmodels, scipy and the standard library."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from statsmodels.stats.proportion import proportion_confint


def wilson_interval(errors: float, images: int) -> tuple[float, float]:
    """Wilson's 95% interval of an error rate, in percent: what another test set as large might have shown."""
    low, high = proportion_confint(errors, images, alpha=0.05, method="wilson")
    return 100 * float(low), 100 * float(high)


def mean_and_deviation(errors: Sequence[float]) -> tuple[float, float | None]:
    """The mean, and the standard deviation of a sample; None of a single one."""
    return statistics.mean(errors), statistics.stdev(errors) if len(errors) > 1 else None


def mean_in_words(mean: float, deviation: float | None) -> str:
    """Of errors in percent: "1.07 ± 0.08%"."""
    return f"{mean:.2f}{'' if deviation is None else f' ± {deviation:.2f}'}%"


@dataclass(frozen=True)
class Difference:
    """A mean difference with its 95% interval, and the p value of Student's paired t-test."""

    mean: float
    interval: tuple[float, float]
    p: float


def paired_difference(one: Sequence[float], other: Sequence[float]) -> Difference | None:
    """By how much one mean is above the other, value by value; None where all differences are the same.

    The t-test takes their spread from the differences, and there is none then. ValueError for less than two pairs.
    """
    from scipy.stats import ttest_rel  # takes a second, which reports need not wait for

    if len(one) != len(other) or len(one) < 2:
        raise ValueError(f"a paired test needs two pairs or more; got {len(one)} and {len(other)} values")
    differences = [a - b for a, b in zip(one, other)]
    if len(set(differences)) == 1:
        return None
    found = ttest_rel(one, other)
    low, high = found.confidence_interval(0.95)
    return Difference(statistics.mean(differences), (float(low), float(high)), float(found.pvalue))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values, each made larger by Holm's correction for the number of tests."""
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(p_values, method="holm")[1]]


def mcnemar_exact(only_one: int, only_other: int) -> float:
    """The p value of McNemar's exact test: images that only one of two networks gets wrong, and only the other."""
    from statsmodels.stats.contingency_tables import mcnemar

    return float(mcnemar([[0, only_one], [only_other, 0]], exact=True).pvalue)
