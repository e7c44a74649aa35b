"""Time of C3's partially connected convolution relative to a dense convolution of the same size.

    python benchmarks/partial_convolution.py

Times compiled forward and backward steps in batches of 32, alternating between the two layers, and prints the median
ratio with its range.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from timing import compiled_step, format_ratios, ratios_of_times

import layers
from reproductions.lenet5 import TABLE_I

ROUNDS, STEPS = 15, 200


def main() -> None:
    """Print the ratio."""
    images = tf.random.stateless_normal((32, 14, 14, 6), seed=(1, 2))
    partial = compiled_step(layers.PartiallyConnectedConv2D(TABLE_I, 5), images)
    dense = compiled_step(keras.layers.Conv2D(len(TABLE_I), 5), images)
    print(f"partially connected / dense: {format_ratios(ratios_of_times(partial, dense, ROUNDS, STEPS))}")


if __name__ == "__main__":
    main()
