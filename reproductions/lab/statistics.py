"""Intervals and spreads, from statsmodels and the standard library."""

from __future__ import annotations

from statsmodels.stats.proportion import proportion_confint


def wilson_interval(errors: float, images: int) -> tuple[float, float]:
    """Wilson's 95% interval of an error rate, in percent: what another test set as large might have shown."""
    low, high = proportion_confint(errors, images, alpha=0.05, method="wilson")
    return 100 * float(low), 100 * float(high)
