"""Time of C3's partially connected convolution relative to a dense convolution of the same size.

    python benchmarks/partial_convolution.py

Times compiled forward and backward steps in batches of 32, alternating between the two layers.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from timing import Claim, alternating, compiled_step

import layers
from reproductions.lenet5 import TABLE_I

ROUNDS, STEPS = 15, 200
CLAIM = Claim(
    "Partially connected convolution", "Time of LeNet-5's C3, forward and backward", "a dense convolution of its size"
)


def main() -> None:
    """Record the ratio."""
    images = tf.random.stateless_normal((32, 14, 14, 6), seed=(1, 2))
    partial = compiled_step(layers.PartiallyConnectedConv2D(TABLE_I, 5), images)
    dense = compiled_step(keras.layers.Conv2D(len(TABLE_I), 5), images)
    CLAIM.record(alternating(partial, dense, ROUNDS, STEPS))


if __name__ == "__main__":
    main()
