"""Time of decoding only the window of a crop relative to decoding the whole photograph and cropping it.

    python benchmarks/decoding_crops.py

Takes random 227 x 227 crops of a synthetic photograph, resized to a short side of 256, alternating between the two
ways: for a photograph stored with that short side, and for one of
375 x 500 pixels, the median size in ImageNet. Measures processor time, since an input pipeline keeps every core busy.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from timing import Claim, alternating

from reproductions.lab.data.transforms import decode

ROUNDS, STEPS, CROP, SHORT = 15, 100, 227, 256

Crop = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]


def photograph(height: int, width: int) -> bytes:
    """Return a JPEG of noisy single-colour blocks, quality 95, with shape (height, width, 3)."""
    blocks = tf.random.stateless_uniform((height // 20 + 1, width // 20 + 1, 3), (1, 2), 0, 255)
    edges = tf.image.resize(blocks, (height, width), "nearest")
    noisy = edges + tf.random.stateless_normal((height, width, 3), (3, 4), stddev=8)
    return tf.io.encode_jpeg(tf.cast(tf.clip_by_value(noisy, 0, 255), tf.uint8), quality=95).numpy()


def decode_window(encoded: tf.Tensor, top: tf.Tensor, left: tf.Tensor) -> tf.Tensor:
    """Return a crop of which only the window is decoded."""
    return decode.window_at(encoded, SHORT, top, left, CROP)


def decode_whole(encoded: tf.Tensor, top: tf.Tensor, left: tf.Tensor) -> tf.Tensor:
    """Return a crop of the whole decoded photograph."""
    return decode.short_side(decode.decode_rgb(encoded), SHORT)[top : top + CROP, left : left + CROP]


def crops(crop: Crop, encoded: tf.Tensor) -> None:
    """Take some random crops."""
    for top, left in tf.random.stateless_uniform((STEPS, 2), (5, 6), 0, SHORT - CROP + 1, tf.int32):
        crop(encoded, top, left)


def main() -> None:
    """Record the ratios."""
    window, whole = tf.function(decode_window), tf.function(decode_whole)
    for height, width in [(256, 341), (375, 500)]:
        encoded = tf.constant(photograph(height, width))
        what = f"Processor time of decoding only the window of a crop of a photograph of {height} x {width}"
        claim = Claim(f"Decoding a window, {height} x {width}", what, "decoding it whole and cropping", aim=0.7)
        claim.record(alternating(partial(crops, window, encoded), partial(crops, whole, encoded), ROUNDS))


if __name__ == "__main__":
    main()
