"""Transforms that bring pixels to the range and position a network is trained on. They are not random."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from reproductions.lab.data.transforms.context import TransformContext, row_of
from reproductions.lab.data.transforms.decode import resize

BACKGROUND, FOREGROUND = -0.1, 1.175  # LeNet-5's input
DIGIT, REDUCED_DIGIT = 20, 16  # pixels


def lenet_field(image: tf.Tensor, key: tf.Tensor, context: TransformContext) -> tf.Tensor:
    """Scale a digit to -0.1 (background) to 1.175 (foreground) and centre it in the network's input.

    Mean and variance of the input are then about 0 and 1: LeCun et al. 1998, section II-B.

    Args:
        image: (28, 28) in 0..255.
        key: Not used.
        context: Context with the input size, 32 for LeNet-5.

    Returns:
        (size, size, 1) float32.
    """
    ink = tf.cast(image, tf.float32) / 255
    margin = (context.size - image.shape[0]) // 2
    paddings = [(margin, margin), (margin, margin)]
    field = tf.pad(ink * (FOREGROUND - BACKGROUND) + BACKGROUND, paddings, constant_values=BACKGROUND)
    return field[..., tf.newaxis]


def grey_channel(image: tf.Tensor, key: tf.Tensor, context: TransformContext) -> tf.Tensor:
    """Add the axis of channels to an image of grey values: (height, width) to (height, width, 1) float32."""
    return tf.cast(image, tf.float32)[..., tf.newaxis]


def reduced_digit(image: tf.Tensor, key: tf.Tensor, context: TransformContext) -> tf.Tensor:
    """Shrink a digit about the centre from 20 to 16 pixels, bilinearly with antialiasing.

    LeCun et al. 1998, section III-C: the images of LeNet-1. (28, 28) in 0..255 to (28, 28) float32.
    """
    factor = REDUCED_DIGIT / DIGIT
    return tf.raw_ops.ScaleAndTranslate(
        images=tf.cast(image, tf.float32)[tf.newaxis, ..., tf.newaxis],
        size=image.shape,
        scale=[factor, factor],
        translation=[side * (1 - factor) / 2 for side in image.shape],
        kernel_type="triangle",
        antialias=True,
    )[0, ..., 0]


def subtract_mean_image(image: tf.Tensor, key: tf.Tensor, context: TransformContext) -> tf.Tensor:
    """Subtract the training set's mean image, resized to the image: (n, n, 3) in 0..255 to float32.

    For images in memory, before a patch is taken, and for the square that evaluation crops are taken from;
    `random_crop` subtracts the mean image itself. Krizhevsky et al. 2012, section 2.
    """
    height, width = tf.unstack(tf.shape(image)[:2])
    return tf.cast(image, tf.float32) - resize(context.statistic("mean_image"), height, width)


def subtract_mean_colour(image: tf.Tensor, key: tf.Tensor, context: TransformContext) -> tf.Tensor:
    """Subtract the training set's mean RGB value: (height, width, 3) in 0..255 to float32.

    Simonyan and Zisserman 2015, section 2.1.
    """
    return tf.cast(image, tf.float32) - row_of(context.statistic("mean_colour"), image)


def subtract_colour(
    image: tf.Tensor, key: tf.Tensor, context: TransformContext, *, colour: Sequence[float]
) -> tf.Tensor:
    """Subtract an RGB value: (height, width, 3) in 0..255 to float32. For published weights, which have their own.

    Args:
        image: Image.
        key: Not used.
        context: Not used.
        colour: Red, green and blue, in 0..255.
    """
    return tf.cast(image, tf.float32) - row_of(tf.constant(colour, tf.float32), image)


def standardize(
    image: tf.Tensor, key: tf.Tensor, context: TransformContext, *, mean: Sequence[float], std: Sequence[float]
) -> tf.Tensor:
    """Subtract an RGB value and divide by another: (height, width, 3) in 0..255 to float32. For published weights.

    Args:
        image: Image.
        key: Not used.
        context: Not used.
        mean: What is subtracted from red, green and blue, in 0..255.
        std: What they are divided by, in 0..255.
    """
    return subtract_colour(image, key, context, colour=mean) / row_of(tf.constant(std, tf.float32), image)


def to_unit_range(image: tf.Tensor, key: tf.Tensor, context: TransformContext) -> tf.Tensor:
    """Scale 0..255 to -1..1, float32, the input of the released Inception networks (v2 to v4)."""
    return tf.cast(image, tf.float32) / 127.5 - 1


def to_half_range(image: tf.Tensor, key: tf.Tensor, context: TransformContext) -> tf.Tensor:
    """Scale 0..255 to -0.5..0.5, float32, the input of ConvNetJS' CIFAR-10 demo."""
    return tf.cast(image, tf.float32) / 255 - 0.5
