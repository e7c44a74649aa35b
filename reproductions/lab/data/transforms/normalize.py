"""Image steps that bring pixels into the range and place that a network was trained on. Nothing here is random."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from reproductions.lab.data.transforms.context import TransformContext
from reproductions.lab.data.transforms.decode import resize


def lenet_field(image: Any, key: Any, view: TransformContext) -> Any:
    """A digit in the middle of a network's field: (28, 28) in 0..255 to (n, n, 1), n of LeNet-5 being 32.

    Background -0.1 and foreground 1.175, so that the mean is about 0 and the variance about 1:
    LeCun et al. 1998, section II-B.
    """
    background, foreground = -0.1, 1.175
    ink = tf.cast(image, tf.float32) / 255
    margin = (view.size - image.shape[0]) // 2
    around = [(margin, margin), (margin, margin)]
    return tf.pad(ink * (foreground - background) + background, around, constant_values=background)[..., tf.newaxis]


def reduced_digit(image: Any, key: Any, view: TransformContext) -> Any:
    """A digit drawn smaller about the centre, from 20 pixels a side to 16: (28, 28) in 0..255 to the same in float32.

    Background comes in from outside; bilinear, antialiased. LeCun et al. 1998, section III-C: LeNet-1's images.
    """
    factor = 16 / 20
    return tf.raw_ops.ScaleAndTranslate(
        images=tf.cast(image, tf.float32)[tf.newaxis, ..., tf.newaxis],
        size=image.shape,
        scale=[factor, factor],
        translation=[side * (1 - factor) / 2 for side in image.shape],
        kernel_type="triangle",
        antialias=True,
    )[0, ..., 0]


def subtract_mean_image(image: Any, key: Any, view: TransformContext) -> Any:
    """A square image less the training set's mean image at its size: (n, n, 3) in 0..255 to float32.

    For images held in memory, before a patch is taken, and for a canvas, the central square that crops are taken from;
    `random_crop` subtracts at the crop's own place.
    Krizhevsky et al. 2012, section 2.
    """
    height, width = tf.unstack(tf.shape(image)[:2])
    return tf.cast(image, tf.float32) - resize(view.statistic("mean_image"), height, width)


def subtract_mean_colour(image: Any, key: Any, view: TransformContext) -> Any:
    """The image less the training set's mean RGB value: (height, width, 3) in 0..255 to float32.

    Simonyan and Zisserman 2015, section 2.1.
    """
    return tf.cast(image, tf.float32) - view.statistic("mean_colour")


def to_unit_range(image: Any, key: Any, view: TransformContext) -> Any:
    """0..255 to -1..1, float32, as the released Inception networks (v2 to v4) take it."""
    return tf.cast(image, tf.float32) / 127.5 - 1


def to_half_range(image: Any, key: Any, view: TransformContext) -> Any:
    """0..255 to -0.5..0.5, float32: ConvNetJS' CIFAR-10 demo."""
    return tf.cast(image, tf.float32) / 255 - 0.5
