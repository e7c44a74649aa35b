"""Times of local response normalization and of the two-tower convolution relative to TensorFlow's and Keras' own.

    python benchmarks/normalization_and_towers.py

Times compiled forward and backward steps at the shapes of AlexNet's norm1, norm2 and conv2 in batches of 16,
alternating between the two layers, by processor time.

LRN as sums of shifted slices took 0.60 and 0.49 of TensorFlow's time. Did not help: to flatten the feature maps before
the product with the band matrix; to multiply by the square of a root in place of dividing by the scale. With 256
channels the product itself, which has more multiplications by 0, takes most of the time. Constants as part of the
matrix, and the output in the formula of the gradient, took 0.89 to 0.94 of the time without.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from timing import Claim, alternating, compiled_step

import layers

ROUNDS, STEPS = 9, 3
NORM1 = (16, 55, 55, 96)
XLA_NOTE = "The product with a band matrix is chosen for graphs without XLA; sums of shifted slices took 0.57 with it."
COPIES_NOTE = "Of each element it computes a power, a quotient and two products with a band matrix."


class TensorFlowNormalization(keras.layers.Layer):
    """The same normalization by `tf.nn.local_response_normalization`."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return normalized feature maps."""
        return tf.nn.local_response_normalization(inputs, depth_radius=2, bias=2.0, alpha=1e-4, beta=0.75)


def main() -> None:
    """Record the ratios."""
    sides = {
        Claim(
            "LRN",
            "Time of local response normalization at AlexNet's norm1, forward and backward",
            "tf.nn.local_response_normalization",
            aim=0.45,
        ): (NORM1, layers.LocalResponseNormalization(), TensorFlowNormalization()),
        Claim(
            "LRN, 256 channels",
            "Time of local response normalization at AlexNet's norm2, forward and backward",
            "tf.nn.local_response_normalization",
            aim=0.45,
        ): ((16, 27, 27, 256), layers.LocalResponseNormalization(), TensorFlowNormalization()),
        Claim(
            "Two towers",
            "Time of the convolution in two towers at AlexNet's conv2, forward and backward",
            "Keras' grouped convolution",
        ): (
            (16, 27, 27, 96),
            layers.GroupedConv2D(256, 5, padding="same", groups=2),
            keras.layers.Conv2D(256, 5, padding="same", groups=2),
        ),
    }
    for claim, (shape, ours, theirs) in sides.items():
        images = tf.random.stateless_normal(shape, seed=(1, 2))
        claim.record(alternating(compiled_step(ours, images), compiled_step(theirs, images), ROUNDS, STEPS))
    images = tf.random.stateless_normal(NORM1, seed=(1, 2))
    compare_xla(images)
    compare_copies(images)


def compare_xla(images: tf.Tensor) -> None:
    """Record the ratio of normalization to TensorFlow's where XLA compiles both."""
    ours = compiled_step(layers.LocalResponseNormalization(), images, jit=True)
    theirs = compiled_step(TensorFlowNormalization(), images, jit=True)
    what = "Time of local response normalization at AlexNet's norm1, forward and backward, compiled by XLA"
    claim = Claim("LRN, XLA", what, "tf.nn.local_response_normalization, compiled too", aim=0.57, note=XLA_NOTE)
    claim.record(alternating(ours, theirs, ROUNDS, STEPS))


def compare_copies(images: tf.Tensor) -> None:
    """Record the ratio of normalization to copies of what it reads and writes: input, output, and their gradients."""
    forward = tf.function(layers.LocalResponseNormalization())

    @tf.function
    def gradients(upstream: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = forward(images)
        return tape.gradient(outputs, images, upstream)

    def copies() -> None:
        for _ in range(2):
            tf.raw_ops.DeepCopy(x=images)

    what = "Time of local response normalization at AlexNet's norm1, forward and backward"
    Claim("LRN to copies", what, "two copies of the feature maps", aim=3, note=COPIES_NOTE).record(
        alternating(lambda: gradients(images), copies, ROUNDS, STEPS)
    )


if __name__ == "__main__":
    main()
