"""C3's partially connected convolution against a dense one of the same size: the ratio of their times.

    python benchmarks/partial_convolution.py

Forward and backward, compiled, batches of 32, taking turns; prints the median ratio.
"""

import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

import layers
from reproductions.lenet5 import TABLE_I

ROUNDS, STEPS = 15, 200


def step_of(layer: keras.layers.Layer, images: tf.Tensor):
    layer.build(images.shape)

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(images)
            loss = tf.reduce_sum(layer(images) ** 2)
        return tape.gradient(loss, [images, *[weight.value for weight in layer.trainable_weights]])

    step()
    return step


def seconds(step, steps: int = STEPS) -> float:
    began = time.perf_counter()
    for _ in range(steps):
        step()
    return time.perf_counter() - began


def main() -> None:
    images = tf.random.stateless_normal((32, 14, 14, 6), seed=(1, 2))
    partial = step_of(layers.PartiallyConnectedConv2D(TABLE_I, 5), images)
    dense = step_of(keras.layers.Conv2D(len(TABLE_I), 5), images)
    ratios = [seconds(partial) / seconds(dense) for _ in range(ROUNDS)]
    print(f"partially connected / dense: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
