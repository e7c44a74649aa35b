"""What the benchmarks of large networks share: their arithmetic, and the rate of a matrix product to compare with."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from reproductions.lab.analysis import profile

SIDE = 2048
PRODUCTS = 8
PRODUCTS_BASELINE = f"that of a matrix product of {SIDE} x {SIDE}"


def products(dtype: str) -> Callable[[], object]:
    """Return a function that multiplies two square matrices PRODUCTS times."""
    matrix = tf.cast(tf.random.stateless_normal((SIDE, SIDE), seed=(1, 2)), dtype)
    return lambda: [float(tf.matmul(matrix, matrix)[0, 0]) for _ in range(PRODUCTS)]


def products_multiply_adds() -> int:
    """Return the multiply-adds of `products`."""
    return PRODUCTS * SIDE**3


def forward_multiply_adds(model: keras.Model, batch_size: int) -> int:
    """Return the multiplications by weights in a forward pass."""
    return batch_size * profile.total(profile.profile_model(model), "multiply_adds")


def step_multiply_adds(model: keras.Model, batch_size: int) -> int:
    """Return the multiplications in a training step: forward, and twice as many backward.

    The gradient of the images is not computed, so the first layer has only once as many backward.
    """
    first = next(layer for layer in profile.profile_model(model) if layer.multiply_adds)
    return 3 * forward_multiply_adds(model, batch_size) - batch_size * first.multiply_adds
