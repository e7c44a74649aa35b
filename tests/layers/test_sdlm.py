"""Stochastic diagonal Levenberg-Marquardt: the rule of appendix C, in plain numpy."""

import keras
import numpy as np
import pytest
from keras import ops

import layers

RANDOM = np.random.default_rng(0)
OPTIMIZER = "layers>StochasticDiagonalLevenbergMarquardt"


def draw(*shape):
    return RANDOM.normal(size=shape).astype("float32")


def test_each_weight_moves_by_the_rate_over_mu_and_its_own_curvature():
    weights = [keras.Variable(draw(3, 2)), keras.Variable(draw(2))]
    optimizer = layers.StochasticDiagonalLevenbergMarquardt(0.1, mu=0.02)
    optimizer.build(weights)
    expected = [ops.convert_to_numpy(weight).astype(float) for weight in weights]
    for rate in 0.1, 0.03:
        curvatures = [np.abs(draw(*weight.shape)) for weight in weights]
        gradients = [draw(*weight.shape) for weight in weights]
        for variable, curvature in zip(optimizer.curvatures, curvatures):
            variable.assign(curvature)
        optimizer.learning_rate = rate
        optimizer.apply([ops.convert_to_tensor(gradient) for gradient in gradients])
        expected = [w - rate / (0.02 + h) * g for w, h, g in zip(expected, curvatures, gradients)]
    for weight, value in zip(weights, expected):
        np.testing.assert_allclose(ops.convert_to_numpy(weight), value, rtol=1e-5, atol=1e-6)


def test_curvatures_start_at_zero_and_are_among_the_variables_that_are_saved():
    weights = [keras.Variable(draw(3, 2)), keras.Variable(draw(2))]
    optimizer = layers.StochasticDiagonalLevenbergMarquardt()
    optimizer.build(weights)
    assert [variable.shape for variable in optimizer.curvatures] == [(3, 2), (2,)]
    assert not any(ops.convert_to_numpy(variable).any() for variable in optimizer.curvatures)
    assert all(any(variable is other for other in optimizer.variables) for variable in optimizer.curvatures)


def test_the_optimizer_is_described_in_keras_own_terms():
    made = keras.optimizers.get({"class_name": OPTIMIZER, "config": {"learning_rate": 0.5, "mu": 0.3}})
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
    assert type(again) is layers.StochasticDiagonalLevenbergMarquardt
    assert again.get_config() == made.get_config() and again.mu == 0.3


def test_a_compiled_model_keeps_its_curvatures_when_it_is_saved(tmp_path):
    images = keras.Input((3,))
    model = keras.Model(images, keras.layers.Dense(2)(images))
    model.compile(layers.StochasticDiagonalLevenbergMarquardt(0.1), "mse")
    model.optimizer.build(model.trainable_variables)
    told = [np.abs(draw(*variable.shape)) for variable in model.optimizer.curvatures]
    for variable, value in zip(model.optimizer.curvatures, told):
        variable.assign(value)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for variable, value in zip(again.optimizer.curvatures, told):
        np.testing.assert_array_equal(ops.convert_to_numpy(variable), value)


@pytest.mark.parametrize("mu", [0, -0.02])
def test_mu_must_be_positive(mu):
    with pytest.raises(ValueError, match=f"mu must be positive; got {mu}"):
        layers.StochasticDiagonalLevenbergMarquardt(mu=mu)
