"""Decoding the window of a crop alone, against decoding the whole photograph and cutting: the ratio of their times.

    python benchmarks/decoding_crops.py

A made-up photograph with edges and noise, random 227 x 227 crops at short side 256, taking turns; prints the median
ratio for a picture stored at that short side, and for one of 375 x 500, the middle size of ImageNet's. Processor time,
since an input pipeline keeps every core busy.
"""

import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from reproductions.lab.data.transforms import decode

ROUNDS, STEPS, CROP, SHORT = 15, 100, 227, 256


def photograph(height: int, width: int) -> bytes:
    """A JPEG of blocks of one colour under noise: (height, width, 3), of quality 95."""
    blocks = tf.random.stateless_uniform((height // 20 + 1, width // 20 + 1, 3), (1, 2), 0, 255)
    edges = tf.image.resize(blocks, (height, width), "nearest")
    noisy = edges + tf.random.stateless_normal((height, width, 3), (3, 4), stddev=8)
    return tf.io.encode_jpeg(tf.cast(tf.clip_by_value(noisy, 0, 255), tf.uint8), quality=95).numpy()


def window(encoded: tf.Tensor, top: tf.Tensor, left: tf.Tensor) -> tf.Tensor:
    return decode.window_at(encoded, SHORT, top, left, CROP)


def whole(encoded: tf.Tensor, top: tf.Tensor, left: tf.Tensor) -> tf.Tensor:
    return decode.short_side(decode.decode_rgb(encoded), SHORT)[top : top + CROP, left : left + CROP]


def seconds(crop, encoded: tf.Tensor, steps: int = STEPS) -> float:
    corners = tf.random.stateless_uniform((steps, 2), (5, 6), 0, SHORT - CROP + 1, tf.int32)
    began = time.process_time()
    for top, left in corners:
        crop(encoded, top, left)
    return time.process_time() - began


def main() -> None:
    one, other = tf.function(window), tf.function(whole)
    for height, width in [(256, 341), (375, 500)]:
        encoded = tf.constant(photograph(height, width))
        for crop in one, other:
            seconds(crop, encoded, 2)
        ratios = [seconds(one, encoded) / seconds(other, encoded) for _ in range(ROUNDS)]
        print(
            f"the window / the whole of {height} x {width}: {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
