"""Timing shared by the benchmarks: compiled training steps, and medians of ratios."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf


def compiled_step(layer: keras.layers.Layer, images: tf.Tensor) -> Callable[[], list[tf.Tensor]]:
    """Return a compiled forward and backward step of a layer, called once already.

    Args:
        layer: Layer, not yet built.
        images: Its input.
    """
    layer.build(images.shape)

    @tf.function
    def step() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(images)
            loss = tf.reduce_sum(layer(images) ** 2)
        return tape.gradient(loss, [images, *[weight.value for weight in layer.trainable_weights]])

    step()
    return step


def seconds(step: Callable[[], object], steps: int) -> float:
    """Return the time of some calls in seconds."""
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return time.perf_counter() - start


def ratios_of_times(first: Callable[[], object], second: Callable[[], object], rounds: int, steps: int) -> list[float]:
    """Return the ratio of the times of two functions in each round, in which both are called alternately."""
    return [seconds(first, steps) / seconds(second, steps) for _ in range(rounds)]


def format_ratios(ratios: Sequence[float]) -> str:
    """Return the median of some ratios with their range: "0.45 (0.43 to 0.49)"."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
