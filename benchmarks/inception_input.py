"""Processor time of Inception-v3's training input relative to a plain tf.data pipeline.

    python benchmarks/inception_input.py

The recipe's input, from shards of photographs in their own sizes: a window of random area and aspect, resized by one of
four methods, mirrored, with brightness, contrast and colour changed in random order. The plain one decodes the
photograph, resizes it, takes a random crop, mirrors it, and changes its brightness.

Of 6.5 ms of an image, `image[:, ::-1]` in a tf.where took 2.1 and all orders of the distortions 2.1; `tf.reverse` and
one branch of a tf.switch_case take 0.1 and 0.5. Did not help: one branch for each of the six orders; decoding only the
window in place of the whole photograph. Of the 2.4 ms that are left, decoding takes 0.9, resizing 0.5,
the distortions 0.5, reading and drawing the window 0.3.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from inputs import ratios_to_plain
from timing import Claim

SIZE = 299
CLAIM = Claim(
    "Inception's input",
    "Processor time of a training image of Inception-v3, from shards",
    "plain tf.data that decodes, resizes, crops, mirrors and brightens",
    aim=1.5,
    note="Decoding takes 0.9 of 2.4 ms, resizing by one of four methods 0.5, all distortions of colour 0.5.",
)


def plain(encoded: tf.Tensor) -> tf.Tensor:
    """Return the input as a plain pipeline makes it."""
    image = tf.io.decode_jpeg(encoded, channels=3)
    shape = tf.cast(tf.shape(image)[:2], tf.float32)
    resized = tf.image.resize(image, tf.cast(shape * SIZE * 1.15 / tf.reduce_min(shape), tf.int32))
    crop = tf.image.random_flip_left_right(tf.image.random_crop(resized, (SIZE, SIZE, 3)))
    return tf.image.random_brightness(crop / 127.5 - 1, 0.1)


if __name__ == "__main__":
    CLAIM.record(ratios_to_plain("inception-v3", SIZE, plain))
