"""Gradients by the backend that runs the tests, and by finite differences."""

import keras
import numpy as np
from keras import ops


def gradient(function, x):
    """Gradient of a scalar function at a float32 array, as a numpy array."""
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.grad(function)(ops.convert_to_tensor(x)))
    import tensorflow as tf

    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x).numpy()


def finite_differences(function, x, step=1e-5):
    """Central differences of a scalar numpy function in float64, one element at a time."""
    x = np.array(x, dtype=np.float64)
    result = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        result[index] = (function(up) - function(down)) / (2 * step)
    return result
