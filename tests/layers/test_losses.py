"""Losses of LeCun et al. 1998, compared with Eqs. 8 and 9 in numpy."""

import keras
import numpy as np
import pytest
from keras import ops

import layers
from tests.helpers.gradients import finite_differences, gradient

RANDOM = np.random.default_rng(0)


def draw(*shape):
    return RANDOM.normal(size=shape).astype("float32")


def map_loop(penalties, labels, j):
    total = 0.0
    for row, label in zip(penalties.astype(np.float64), labels):
        total += row[label] + np.log(np.exp(-j) + np.exp(-row).sum())
    return total / len(labels)


def test_losses_are_equations_8_and_9():
    penalties, labels = np.abs(draw(6, 10)) * 3, RANDOM.integers(0, 10, 6)
    correct = float(ops.convert_to_numpy(layers.MeanPenalty()(labels, penalties)))
    assert correct == pytest.approx(penalties[np.arange(6), labels].mean(), rel=1e-5)
    posterior = float(ops.convert_to_numpy(layers.MaximumAPosteriori(rubbish=0.5)(labels, penalties)))
    assert posterior == pytest.approx(map_loop(penalties, labels, 0.5), rel=1e-5)


def test_equation_9_pushes_incorrect_classes_away():
    """But not those whose penalty is far above that of the rubbish class."""
    penalties = np.array([[1.0, 0.2, 90.0]], "float32")
    slope = gradient(lambda p: layers.MaximumAPosteriori(1.0)(np.array([0]), p), penalties)
    assert slope[0, 0] > 0 > slope[0, 1]
    assert abs(slope[0, 2]) < 1e-12


LOSSES = [layers.MeanPenalty(), layers.MaximumAPosteriori(0.7)]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_loss_gradients(loss):
    penalties, labels = np.abs(draw(3, 4)), np.array([0, 3, 2])

    def plain(p):
        correct = p[np.arange(3), labels].mean()
        return correct if isinstance(loss, layers.MeanPenalty) else map_loop(p, labels, 0.7)

    np.testing.assert_allclose(
        gradient(lambda p: loss(labels, p), penalties), finite_differences(plain, penalties), atol=1e-4
    )


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_losses_are_serialized(loss):
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(loaded) is type(loss) and loaded.get_config() == loss.get_config()


def test_the_rubbish_penalty_must_be_positive():
    with pytest.raises(ValueError, match="must be positive; got 0"):
        layers.MaximumAPosteriori(0)
