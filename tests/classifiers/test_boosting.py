"""How patterns are chosen for the second and third of three networks, and how these answer together.

Here the networks are functions of one number: patterns are numbers, labelled with what is left by a division.
"""

import numpy as np
import pytest

from reproductions.lab.classifiers import boosting, registry
from reproductions.lab.classifiers.boosting import BoostedNetworks, Patterns
from reproductions.lab.errors import UsageError
from reproductions.lab.spec import estimator

CLASSES = 4


def answering(answers):
    """A network that gives each input the scores of an answer, a function of it."""
    return lambda inputs: np.eye(CLASSES)[[answers(int(each)) % CLASSES for each in inputs]]


def numbers(*values):
    """Numbers with their correct labels."""
    return Patterns(np.array(values), np.array(values) % CLASSES)


class Numbers:
    """A trainer whose networks err on multiples of 5, on multiples of 3, and on odd numbers.

    The copies for network 2 are 200 to 299, those for network 3 are 300 to 399.
    """

    def __init__(self):
        self.trained = []

    def train(self, number, patterns, prepared):
        self.trained.append((number, patterns, prepared))
        divisor = {1: 5, 2: 3}.get(number)
        return answering(lambda n: n + (n % divisor == 0 if divisor else n % 2))

    def copies(self, number, patterns, count):
        assert count == 7
        for first in range(100 * number, 100 * number + 100, 10):
            yield numbers(*range(first, first + 10))

    def inputs(self, images):
        return images + 1000


@pytest.fixture
def fitted():
    """Three networks, fitted to eight numbers, and their trainer."""
    trainer = Numbers()
    model = BoostedNetworks("net", {"epochs": 3}, copies=7, trainer=lambda *arguments: arguments and trainer)
    return model.fit(*numbers(*range(8))), trainer


def test_the_first_network_sees_images_and_the_others_inputs(fitted):
    trained = fitted[1].trained
    assert [(number, prepared) for number, _, prepared in trained] == [(1, False), (2, True), (3, True)]
    np.testing.assert_array_equal(trained[0][1].images, range(8))


def test_the_second_sees_all_that_is_wrong_and_as_many_right(fitted):
    _, patterns, _ = fitted[1].trained[1]
    wrong = patterns.images % 5 == 0
    np.testing.assert_array_equal(patterns.images[wrong], range(200, 300, 5))
    assert wrong.sum() == (~wrong).sum() == 20
    assert set(patterns.images // 10) == set(range(20, 30)), "those that are right come from all blocks"
    np.testing.assert_array_equal(patterns.labels, patterns.images % CLASSES)


def test_fewer_right_ones_than_wrong_ones_limit_both():
    chosen = boosting.half_wrong(answering(lambda n: n + (n != 6)))(numbers(*range(8)))
    np.testing.assert_array_equal(chosen, [0, 6])


def test_the_third_sees_all_on_which_the_others_disagree(fitted):
    _, patterns, _ = fitted[1].trained[2]
    expected = [n for n in range(300, 400) if (n % 5 == 0) != (n % 3 == 0)]
    np.testing.assert_array_equal(patterns.images, expected)
    np.testing.assert_array_equal(patterns.labels, np.array(expected) % CLASSES)


def test_outputs_are_added(fitted):
    """Answers are those of the majority here; where all three err they agree on a wrong one."""
    x = np.arange(60)
    inputs = x + 1000
    errors = (inputs % 5 == 0) * 1 + (inputs % 3 == 0) * 1 + inputs % 2
    scores = fitted[0].decision_function(x)
    np.testing.assert_array_equal(scores[np.arange(60), inputs % CLASSES], 3 - errors)
    np.testing.assert_array_equal(scores.sum(axis=1), 3)
    np.testing.assert_array_equal(fitted[0].predict(x) == inputs % CLASSES, errors < 2)


def test_a_network_without_mistakes_leaves_nothing_to_choose():
    trainer = Numbers()
    trainer.train = lambda *_, **__: answering(lambda n: n)
    model = BoostedNetworks(copies=7, trainer=lambda *_: trainer)
    with pytest.raises(UsageError, match="no patterns were found for network 2 among 7 copies of each image"):
        model.fit(*numbers(*range(8)))


@pytest.mark.parametrize("copies", [0, -1, 2.5, "many", None])
def test_copies_are_a_positive_number(copies):
    with pytest.raises(UsageError, match="must be a positive integer; got"):
        BoostedNetworks(copies=copies, trainer=lambda *_: Numbers()).fit(*numbers(1, 2))


def test_the_suite_gives_the_trainer_and_no_recipe_does():
    step = estimator("BoostedNetworks", network="lenet4")
    trainer = lambda *_: Numbers()  # noqa: E731
    (made,) = registry.create([step], 1, trainer)
    assert made.trainer is trainer and registry.trains_networks([step])
    with pytest.raises(UsageError, match="'trainer' is not a parameter of BoostedNetworks"):
        registry.create([estimator("BoostedNetworks", trainer=3)], 1, trainer)
    assert not registry.trains_networks([estimator("Flatten"), estimator("SVC")])
    with pytest.raises(ValueError, match="networks need a trainer"):
        registry.create([step], 1).fit(*numbers(1, 2))
