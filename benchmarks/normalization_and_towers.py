"""LRN against TensorFlow's own, and the two-tower convolution against Keras' own grouped one: ratios of times.

    python benchmarks/normalization_and_towers.py

Forward and backward, compiled, at the shapes of AlexNet's conv2 and norm1 in batches of 16, taking turns;
prints median ratios.
"""

import os
import statistics

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from partial_convolution import seconds, step_of

import layers

ROUNDS, STEPS = 7, 3


class TensorFlowsOwn(keras.layers.Layer):
    """The same normalization by `tf.nn`."""

    def call(self, inputs):
        return tf.nn.local_response_normalization(inputs, depth_radius=2, bias=2.0, alpha=1e-4, beta=0.75)


PAIRS = {
    "LRN / TensorFlow's own": (
        (16, 55, 55, 96),
        lambda: layers.LocalResponseNormalization(data_format="channels_last"),
        TensorFlowsOwn,
    ),
    "two towers / Keras' grouped convolution": (
        (16, 27, 27, 96),
        lambda: layers.GroupedConv2D(256, 5, padding="same", groups=2),
        lambda: keras.layers.Conv2D(256, 5, padding="same", groups=2),
    ),
}


def main() -> None:
    for name, (shape, ours, theirs) in PAIRS.items():
        images = tf.random.stateless_normal(shape, seed=(1, 2))
        steps = step_of(ours(), images), step_of(theirs(), images)
        ratios = [seconds(steps[0], STEPS) / seconds(steps[1], STEPS) for _ in range(ROUNDS)]
        print(f"{name}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
