"""Intervals and significance tests are the textbooks' formulas."""

import math
import statistics

import pytest
from scipy.stats import t as student

from reproductions.lab.results.stats import Spread, holm, mcnemar_exact, paired_difference, wilson_interval


def test_wilson_intervals_are_the_formula():
    n, p, z = 10000, 0.0106, 1.959963984540054
    centre, half = (
        (p + z * z / (2 * n)) / (1 + z * z / n),
        z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5 / (1 + z * z / n),
    )
    assert wilson_interval(106, n) == pytest.approx((100 * (centre - half), 100 * (centre + half)))


def test_intervals_over_seeds_are_student_s():
    values = [1.11, 1.0, 0.97, 1.13, 1.13]
    found, deviation = Spread.of(values), statistics.stdev(values)
    quantile = student.ppf(0.975, 4)
    assert found.mean == pytest.approx(statistics.mean(values)) and found.deviation == pytest.approx(deviation)
    half, wide = quantile * deviation / math.sqrt(5), quantile * deviation * math.sqrt(6 / 5)
    assert found.confidence == pytest.approx((found.mean - half, found.mean + half))
    assert found.prediction == pytest.approx((found.mean - wide, found.mean + wide))
    assert str(found) == "1.07 ± 0.08%"


def test_a_single_value_has_no_spread():
    assert Spread.of([1.5]) == Spread(1.5) and str(Spread.of([1.5])) == "1.50%"


def test_a_paired_t_test_is_the_formula():
    one, two = [103, 86, 89], [111, 100, 97]
    differences = [a - b for a, b in zip(one, two)]
    t = statistics.mean(differences) / (statistics.stdev(differences) / math.sqrt(3))
    found = paired_difference(one, two)
    assert found.mean == pytest.approx(statistics.mean(differences))
    # With two degrees of freedom the distribution has a closed form.
    assert found.p == pytest.approx(1 - abs(t) / math.sqrt(2 + t * t))
    a = 0.95
    quantile = a * math.sqrt(2 / (1 - a * a))
    half = quantile * statistics.stdev(differences) / math.sqrt(3)
    assert found.interval == pytest.approx((found.mean - half, found.mean + half))


def test_a_t_test_needs_two_different_pairs():
    assert paired_difference([3, 4, 5], [1, 2, 3]) is None
    with pytest.raises(ValueError, match="at least two pairs"):
        paired_difference([1], [2])


def test_holm_s_correction_is_stepwise():
    """The smallest p is multiplied by the number of tests, the next by one less."""
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1, 1]


@pytest.mark.parametrize("one, two", [(0, 0), (5, 5), (1, 9), (43, 51), (0, 6)])
def test_mcnemar_s_exact_test_is_a_fair_coin_s(one, two):
    tail = sum(math.comb(one + two, k) for k in range(min(one, two) + 1)) / 2 ** (one + two)
    assert mcnemar_exact(one, two) == pytest.approx(min(1, 2 * tail))
