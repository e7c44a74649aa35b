"""Scaled hyperbolic tangent: the values that LeCun et al. 1998 chose its constants for."""

import numpy as np
from keras import ops

import layers


def test_scaled_tanh_maps_one_to_one_and_minus_one_to_minus_one():
    values = ops.convert_to_numpy(layers.scaled_tanh(ops.array([1.0, -1.0, 0.0])))
    np.testing.assert_allclose(values, [1, -1, 0], atol=1e-4)
