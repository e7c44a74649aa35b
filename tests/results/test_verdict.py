"""The rule of the verdicts, at and around each of its limits."""

import itertools

import pytest

from reports.paths import RUNS
from reproductions.lab.results.run_record import read_all
from reproductions.lab.results.stats import Spread, wilson_interval
from reproductions.lab.results.verdict import (
    BETTER,
    NOT_REACHED,
    REPRODUCED,
    RULE,
    SPREAD,
    PublishedFigure,
    verdict,
)

ERRORS = [1.29, 1.19, 1.37, 1.34, 1.26]
STEP = 1e-6


def test_the_verdict_turns_at_the_ends_of_the_intervals():
    found = Spread.of(ERRORS)
    for limit, below, above in (
        (found.prediction[0], NOT_REACHED, SPREAD),
        (found.confidence[0], SPREAD, REPRODUCED),
        (found.mean, REPRODUCED, REPRODUCED),
        (found.confidence[1], REPRODUCED, REPRODUCED),
        (found.prediction[1], REPRODUCED, BETTER),
    ):
        assert verdict(PublishedFigure(limit - STEP), ERRORS) == below
        assert verdict(PublishedFigure(limit + STEP), ERRORS) == above


def test_more_seeds_of_the_same_spread_are_stricter():
    errors = [1.2, 1.3, 1.4]
    assert verdict(PublishedFigure(1.14), errors) == REPRODUCED
    assert verdict(PublishedFigure(1.14), errors * 4) == SPREAD


def test_fewer_than_three_seeds_have_no_verdict():
    for errors, words in (([1.0], "one run"), ([1.0, 2.0], "two runs")):
        for published in (0.1, 1.0, 9.0):
            assert verdict(PublishedFigure(published), errors) == words


def test_a_deterministic_result_is_its_own_interval():
    """A K-NN at 3% against 5% is not a reproduction either."""
    assert verdict(PublishedFigure(5.0), [3.0], rounding=0.05) == BETTER
    assert verdict(PublishedFigure(3.0), [3.04], rounding=0.05) == REPRODUCED
    assert verdict(PublishedFigure(3.0), [2.96], rounding=0.05) == REPRODUCED
    assert verdict(PublishedFigure(3.0), [3.1], rounding=0.05) == NOT_REACHED


def test_a_published_figure_of_a_sample_is_an_interval():
    figure = PublishedFigure(20.0, images=1000)
    assert figure.interval == wilson_interval(200, 1000)
    low, high = figure.interval
    for error in (23.0, 24.0, 25.0):
        errors = [error - 0.1, error, error + 0.1]
        found = Spread.of(errors)
        expected = REPRODUCED if high >= found.confidence[0] else SPREAD if high >= found.prediction[0] else NOT_REACHED
        assert verdict(figure, errors) == expected
    assert verdict(figure, [low - 2, low - 2.01, low - 1.99]) == BETTER
    assert verdict(PublishedFigure(20.0), [22.4, 22.5, 22.6]) == NOT_REACHED
    assert verdict(figure, [22.4, 22.5, 22.6]) == REPRODUCED


def test_the_rule_names_every_verdict():
    for name in (BETTER, REPRODUCED, SPREAD, NOT_REACHED):
        assert f"*{name}*" in RULE


@pytest.mark.parametrize(
    "network, published, expected",
    [
        ("lenet5-distorted", 0.8, REPRODUCED),
        ("lenet5-sdlm", 0.95, REPRODUCED),
        ("lenet5", 0.95, REPRODUCED),
        ("lenet4", 1.1, REPRODUCED),
        ("lenet1", 1.7, SPREAD),
        ("linear-classifier", 12.0, BETTER),
    ],
)
def test_the_committed_runs_of_1998_s_networks(network, published, expected):
    runs = [run.record for run in read_all(RUNS) if run.record.network == network]
    groups = [list(group) for _, group in itertools.groupby(sorted(runs, key=lambda r: r.group), lambda r: r.group)]
    found = {verdict(PublishedFigure(published), [each.test.top1.error for each in group]) for group in groups}
    assert expected in found
