"""Gradients on whichever backend runs the tests, and what they are held against."""

import keras
import numpy as np
from keras import ops


def gradient(function, x):
    """d function(x) / dx for a scalar function of one float32 array."""
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
    """Central differences of a float64 numpy function, one number at a time."""
    x = np.array(x, dtype=np.float64)
    result = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += step
        down[place] -= step
        result[place] = (function(up) - function(down)) / (2 * step)
    return result
