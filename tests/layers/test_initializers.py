"""Initializer of LeCun et al. 1998, appendix A."""

import keras
import numpy as np
import pytest
from keras import ops

import layers


def test_fan_in_uniform_fills_its_interval():
    values = ops.convert_to_numpy(layers.FanInUniform(2.4, seed=1)((5, 5, 4, 60)))
    assert 0.98 * 2.4 / 100 < np.abs(values).max() <= 2.4 / 100
    assert abs(values.mean()) < 0.001


def test_fan_in_uniform_is_serialized():
    initializer = layers.FanInUniform(1.5, 3)
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(initializer))
    assert type(loaded) is layers.FanInUniform and loaded.get_config() == initializer.get_config()


def test_the_bound_must_be_positive():
    with pytest.raises(ValueError, match="bound must be positive; got -1"):
        layers.FanInUniform(-1)
