"""Times of local response normalization and of the two-tower convolution relative to TensorFlow's and Keras' own.

    python benchmarks/normalization_and_towers.py

Times compiled forward and backward steps at the shapes of AlexNet's norm1 and conv2 in batches of 16, alternating
between the two layers, and prints median ratios with their ranges.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from timing import compiled_step, format_ratios, ratios_of_times

import layers

ROUNDS, STEPS = 7, 3


class TensorFlowNormalization(keras.layers.Layer):
    """The same normalization by `tf.nn.local_response_normalization`."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return normalized feature maps."""
        return tf.nn.local_response_normalization(inputs, depth_radius=2, bias=2.0, alpha=1e-4, beta=0.75)


def main() -> None:
    """Print the ratios."""
    pairs = {
        "LRN / tf.nn's LRN": (
            (16, 55, 55, 96),
            layers.LocalResponseNormalization(data_format="channels_last"),
            TensorFlowNormalization(),
        ),
        "two towers / Keras' grouped convolution": (
            (16, 27, 27, 96),
            layers.GroupedConv2D(256, 5, padding="same", groups=2),
            keras.layers.Conv2D(256, 5, padding="same", groups=2),
        ),
    }
    for name, (shape, ours, theirs) in pairs.items():
        images = tf.random.stateless_normal(shape, seed=(1, 2))
        ratios = ratios_of_times(compiled_step(ours, images), compiled_step(theirs, images), ROUNDS, STEPS)
        print(f"{name}: {format_ratios(ratios)}")


if __name__ == "__main__":
    main()
