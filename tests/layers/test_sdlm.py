"""Stochastic diagonal Levenberg-Marquardt, compared with the update rule of appendix C in numpy."""

import keras
import numpy as np
import pytest
from keras import ops

import layers

RANDOM = np.random.default_rng(0)
OPTIMIZER = "layers>StochasticDiagonalLevenbergMarquardt"


def draw(*shape):
    return RANDOM.normal(size=shape).astype("float32")


def test_each_weight_has_its_own_learning_rate():
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


def test_curvatures_start_at_zero_and_are_saved_variables():
    weights = [keras.Variable(draw(3, 2)), keras.Variable(draw(2))]
    optimizer = layers.StochasticDiagonalLevenbergMarquardt()
    optimizer.build(weights)
    assert [variable.shape for variable in optimizer.curvatures] == [(3, 2), (2,)]
    assert not any(ops.convert_to_numpy(variable).any() for variable in optimizer.curvatures)
    assert all(any(variable is other for other in optimizer.variables) for variable in optimizer.curvatures)


def test_the_optimizer_is_serialized():
    made = keras.optimizers.get({"class_name": OPTIMIZER, "config": {"learning_rate": 0.5, "mu": 0.3}})
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
    assert type(loaded) is layers.StochasticDiagonalLevenbergMarquardt
    assert loaded.get_config() == made.get_config() and loaded.mu == 0.3


def test_a_saved_model_keeps_its_curvatures(tmp_path):
    images = keras.Input((3,))
    model = keras.Model(images, keras.layers.Dense(2)(images))
    model.compile(layers.StochasticDiagonalLevenbergMarquardt(0.1), "mse")
    model.optimizer.build(model.trainable_variables)
    curvatures = [np.abs(draw(*variable.shape)) for variable in model.optimizer.curvatures]
    for variable, value in zip(model.optimizer.curvatures, curvatures):
        variable.assign(value)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for variable, value in zip(loaded.optimizer.curvatures, curvatures):
        np.testing.assert_array_equal(ops.convert_to_numpy(variable), value)


@pytest.mark.parametrize("mu", [0, -0.02])
def test_mu_must_be_positive(mu):
    with pytest.raises(ValueError, match=f"mu must be positive; got {mu}"):
        layers.StochasticDiagonalLevenbergMarquardt(mu=mu)
