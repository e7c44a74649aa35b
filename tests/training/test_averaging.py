"""Running averages of weights and of batch normalization's moments, compared with a plain loop."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from reproductions.lab.results.trial_record import CodeState
from reproductions.lab.spec import keras_object
from reproductions.lab.training.checkpoint import Checkpoint
from reproductions.lab.training.step import StepConfig, Steps
from tests.helpers.linear import IMAGES, LABELS, RECIPE, linear

MOMENTUM = 0.6
AVERAGED = keras_object("RMSprop", learning_rate=0.3, epsilon=1.0, use_ema=True, ema_momentum=MOMENTUM)


def normalized(seed: int = 3) -> keras.Model:
    """Return two layers, with batch normalization between them, whose moments depend on the weights."""
    start = [keras.initializers.GlorotUniform(seed=seed + number) for number in range(2)]
    images = keras.Input((5,))
    x = keras.layers.Dense(4, use_bias=False, kernel_initializer=start[0])(images)
    x = keras.layers.BatchNormalization(momentum=0.5, name="bn")(x)
    return keras.Model(images, keras.layers.Dense(3, kernel_initializer=start[1])(keras.layers.ReLU()(x)))


def steps(model: keras.Model, optimizer: dict[str, object] = AVERAGED, **options: object) -> Steps:
    built = keras.optimizers.get(dict(optimizer))
    built.build(model.trainable_variables)
    return Steps(model, built, replace(RECIPE, optimizer=optimizer), StepConfig(**options))


def update(run: Steps, number: int) -> None:
    """Update with images of another mean and scale each time."""
    run.update((IMAGES * (1 + number) + number, LABELS))


@pytest.mark.parametrize(
    "options", [{}, {"accumulation_steps": 2}, {"jit": True}], ids=["plain", "accumulated", "compiled"]
)
def test_weights_and_moments_are_averaged_by_one_rule(options):
    run = steps(normalized(), **options)
    average, last = None, None
    for number in range(5):
        update(run, number)
        last = [weight.astype(float) for weight in run.model.get_weights()]
        average = last if average is None else [MOMENTUM * a + (1 - MOMENTUM) * w for a, w in zip(average, last)]
    run.finalize_variables()
    for weight, expected in zip(run.model.get_weights(), average, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-6)
    for weight, moment in zip(run.model.get_layer("bn").get_weights()[2:], last[3:5]):
        assert np.abs(weight - moment).max() > 0.1, "the moments do not differ from those of the last weights"


def test_averaged_weights_need_averaged_moments():
    run = steps(normalized())
    for number in range(5):
        update(run, number)
    run.optimizer.finalize_variable_values(run.model.trainable_variables)
    with_last_moments = run.model(IMAGES).numpy()
    run.averages.overwrite_moments()
    assert np.abs(run.model(IMAGES).numpy() - with_last_moments).max() > 0.05


def test_a_resumed_training_continues_the_averages_bit_exactly(tmp_path):
    whole, killed, resumed = steps(normalized()), steps(normalized()), steps(normalized(seed=8))
    for number in range(4):
        update(whole, number)
    for number in range(2):
        update(killed, number)
    Checkpoint(tmp_path, {}, CodeState(None, None)).save(killed.variables)
    Checkpoint(tmp_path, {}, CodeState(None, None)).restore(resumed.variables, 10)
    for number in range(2, 4):
        update(resumed, number)
    for run in whole, resumed:
        run.finalize_variables()
    for one, other in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_loss_scale_leaves_the_averages():
    plain, scaled = normalized(), normalized()
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.get(dict(AVERAGED)))
    optimizer.build(scaled.trainable_variables)
    runs = steps(plain), Steps(scaled, optimizer, replace(RECIPE, optimizer=AVERAGED))
    for run in runs:
        for number in range(3):
            update(run, number)
        run.finalize_variables()
    for one, other in zip(plain.get_weights(), scaled.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model, optimizer", [(normalized, RECIPE.optimizer), (linear, AVERAGED)], ids=["sgd", "no bn"])
def test_other_networks_have_no_further_variables(model, optimizer):
    """Neither those whose weights are not averaged nor those without batch normalization."""
    run = steps(model(), optimizer)
    update(run, 0)
    run.finalize_variables()
    assert run.averages.variables == []
    assert len(run.variables) == len(run.model.variables) + len(run.optimizer.variables)
