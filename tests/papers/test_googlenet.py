"""GoogLeNet: one network, trained by the two solvers of Caffe's GoogLeNet."""

from dataclasses import replace

import pytest

import reproductions

FULL, QUICK = (reproductions.find_network(name).to_train() for name in ("googlenet", "googlenet-quick"))


@pytest.mark.parametrize(("recipe", "iterations"), [(FULL, 10_000_000), (QUICK, 2_400_000)])
def test_epochs_are_the_iterations_of_the_solver(recipe, iterations):
    assert recipe.epochs == round(iterations * recipe.batch_size / 1_281_167)


def test_the_recipes_differ_only_in_their_schedules():
    assert replace(FULL, learning_rate=(), epochs=1) == replace(QUICK, learning_rate=(), epochs=1)
    assert FULL.learning_rate_at(1) == QUICK.learning_rate_at(1) == 0.01


def test_the_full_recipe_lowers_the_rate_every_8_epochs():
    """That is every 320,000 iterations, to less than a third in the end."""
    rates = [FULL.learning_rate_at(epoch) for epoch in range(1, FULL.epochs + 1)]
    assert rates == pytest.approx([0.01 * 0.96 ** (done // 8) for done in range(250)])
    assert rates[-1] == pytest.approx(0.0028, rel=0.01)


def test_the_quick_recipe_ends_near_zero():
    rates = [QUICK.learning_rate_at(epoch) for epoch in range(1, QUICK.epochs + 1)]
    assert rates == pytest.approx([0.01 * (1 - done / 60) ** 0.5 for done in range(60)])
    assert 0 < rates[-1] < 0.0013
