"""Transforms that crop an encoded photograph to the network's input. Only the pixels they need are decoded.

Sizes in options are the paper's. For a network whose input is not `crop` pixels wide, everything is scaled in
proportion: the shorter side of the image is then of * context.size / crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import tensorflow as tf

from reproductions.lab.data.transforms.context import (
    TransformContext,
    bernoulli,
    fold_in,
    maybe_mirrored,
    randint,
    uniform,
)
from reproductions.lab.data.transforms.decode import (
    Integer,
    decode_window,
    jpeg_size,
    resize,
    rounded_quotient,
    size_at,
    window_at,
)

Subtract: TypeAlias = Literal["mean_image"] | None

ATTEMPTS = 10
INTERPOLATIONS = ("bilinear", "area", "nearest", "bicubic")
WITHIN_RANGE = ("bilinear", "area", "nearest")


def crop_of_square(
    encoded: tf.Tensor, context: TransformContext, square: int, corner: tuple[Integer, Integer], subtract: Subtract
) -> tf.Tensor:
    """Return a crop of the central square of an image.

    Args:
        encoded: Encoded image, a scalar string.
        context: Context with the input size, and the statistic to subtract.
        square: Width of the square, which is the shorter side of the image after resizing.
        corner: Top and left of the crop in the square.
        subtract: Statistic that is subtracted at the same place of the square; by default none.

    Returns:
        (size, size, 3) float32 in 0..255, less the statistic.
    """
    top, left = corner
    height, width = size_at(*jpeg_size(encoded), square)
    above, before = (height - square) // 2, (width - square) // 2
    pixels = window_at(encoded, square, above + top, before + left, context.size)
    if subtract is None:
        return pixels
    mean = resize(context.statistic(subtract), square, square)
    return pixels - mean[top : top + context.size, left : left + context.size]


def random_crop(
    image: tf.Tensor,
    key: tf.Tensor,
    context: TransformContext,
    *,
    of: int = 256,
    crop: int = 227,
    subtract: Subtract = None,
) -> tf.Tensor:
    """Crop the central square of the image at a random position.

    Krizhevsky et al. 2012, sections 2 and 4.1.

    Args:
        image: Encoded image, a scalar string.
        key: (2,) int64.
        context: Context with the input size.
        of: Width of the square, which is the shorter side of the image after resizing.
        crop: Width of the crop in the paper.
        subtract: Statistic that is subtracted at the same place of the square; by default none.

    Returns:
        (size, size, 3) float32 in 0..255, less the statistic.
    """
    square = rounded_quotient(of * context.size, crop)
    top, left = (randint(fold_in(key, number), 0, square - context.size) for number in (0, 1))
    return crop_of_square(image, context, square, (top, left), subtract)


def one_of_ten_crops(
    image: tf.Tensor,
    key: tf.Tensor,
    context: TransformContext,
    *,
    of: int = 256,
    crop: int = 224,
    subtract: Subtract = None,
) -> tf.Tensor:
    """Crop a random corner or the centre of the central square, mirrored with probability one half.

    Zeiler and Fergus 2013, section 3, who train on "10 different sub-crops" of each image.

    Args:
        image: Encoded image, a scalar string.
        key: (2,) int64.
        context: Context with the input size.
        of: Width of the square, which is the shorter side of the image after resizing.
        crop: Width of the crop in the paper.
        subtract: Statistic that is subtracted at the same place of the square; by default none.

    Returns:
        (size, size, 3) float32 in 0..255, less the statistic.
    """
    square = rounded_quotient(of * context.size, crop)
    far = square - context.size
    corners = tf.constant([(0, 0), (0, far), (far, 0), (far, far), (far // 2, far // 2)])
    corner = corners[randint(fold_in(key, 0), 0, 4)]
    pixels = crop_of_square(image, context, square, (corner[0], corner[1]), subtract)
    return maybe_mirrored(pixels, bernoulli(fold_in(key, 1), 0.5))


def scale_jittered_crop(
    image: tf.Tensor,
    key: tf.Tensor,
    context: TransformContext,
    *,
    smallest: int = 256,
    largest: int = 512,
    crop: int = 224,
) -> tf.Tensor:
    """Resize the image to a random shorter side and crop it at a random position.

    Simonyan and Zisserman 2015, section 3.1.

    Args:
        image: Encoded image, a scalar string.
        key: (2,) int64.
        context: Context with the input size.
        smallest: Lowest shorter side S, which is uniform in smallest..largest.
        largest: Highest shorter side; equal to `smallest` for the paper's fixed scale.
        crop: Width of the crop in the paper.

    Returns:
        (size, size, 3) float32 in 0..255.
    """
    short = rounded_quotient(randint(fold_in(key, 0), smallest, largest) * context.size, crop)
    height, width = size_at(*jpeg_size(image), short)
    top = randint(fold_in(key, 1), 0, height - context.size)
    left = randint(fold_in(key, 2), 0, width - context.size)
    return window_at(image, short, top, left, context.size)


def area_and_aspect_window(
    key: tf.Tensor, height: Integer, width: Integer, area: tuple[float, float], aspect: tuple[float, float]
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return a random window of an image.

    A draw that does not fit into the image is rejected; after ten of them the window is the central square.

    Args:
        key: (2,) int64.
        height: Height of the image.
        width: Width of the image.
        area: Range of the window's share of the image's area, which is uniform in it.
        aspect: Range of the window's width / height, which is uniform in it.

    Returns:
        Top, left, height and width of the window, int32 scalars.
    """
    pixels = tf.cast(height * width, tf.float32) * uniform(fold_in(key, 0), *area, (ATTEMPTS,))
    aspects = uniform(fold_in(key, 1), *aspect, (ATTEMPTS,))
    heights = tf.cast(tf.round(tf.sqrt(pixels / aspects)), tf.int32)
    widths = tf.cast(tf.round(tf.sqrt(pixels * aspects)), tf.int32)
    fits = (heights >= 1) & (widths >= 1) & (heights <= height) & (widths <= width)
    first, shorter = tf.argmax(fits), tf.minimum(height, width)
    found = fits[first]
    rows = tf.where(found, heights[first], shorter)
    columns = tf.where(found, widths[first], shorter)
    top = tf.where(found, randint(fold_in(key, 2), 0, height - rows), (height - rows) // 2)
    left = tf.where(found, randint(fold_in(key, 3), 0, width - columns), (width - columns) // 2)
    return top, left, rows, columns


def area_and_aspect_crop(
    image: tf.Tensor,
    key: tf.Tensor,
    context: TransformContext,
    *,
    area: tuple[float, float] = (0.08, 1.0),
    aspect: tuple[float, float] = (3 / 4, 4 / 3),
    interpolations: Sequence[str] = INTERPOLATIONS,
) -> tf.Tensor:
    """Resize a window of random size and shape to the input, whatever its aspect ratio.

    Szegedy et al. 2014, section 6: patches "whose size is distributed evenly between 8% and 100% of the image area and
    whose aspect ratio is chosen randomly between 3/4 and 4/3", resized by one of four methods with equal probability.
    The aspect is uniform, as in the code released with Inception (TF-slim); others draw its logarithm. As there, no
    method filters before it shrinks.

    Args:
        image: Encoded image, a scalar string.
        key: (2,) int64.
        context: Context with the input size.
        area: Range of the window's share of the image's area.
        aspect: Range of the window's width / height.
        interpolations: Methods of `tf.image.resize`.

    Returns:
        (size, size, 3) float32 in 0..255.
    """
    window = decode_window(image, *area_and_aspect_window(fold_in(key, 0), *jpeg_size(image), area, aspect))

    def resized(method: str) -> tf.Tensor:
        pixels = tf.cast(tf.image.resize(window, (context.size, context.size), method), tf.float32)
        return pixels if method in WITHIN_RANGE else tf.clip_by_value(pixels, 0, 255)  # bicubic overshoots

    choice = randint(fold_in(key, 1), 0, len(interpolations) - 1)
    return tf.switch_case(choice, [lambda method=method: resized(method) for method in interpolations])
