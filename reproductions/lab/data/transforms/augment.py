"""Random transforms of decoded images: flips, shifts, warps and colour distortions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import tensorflow as tf

from reproductions.lab.data.transforms.context import (
    TransformContext,
    bernoulli,
    fold_in,
    maybe_mirrored,
    randint,
    row_of,
    uniform,
)

Scalar: TypeAlias = float | tf.Tensor
LUMA = (0.299, 0.587, 0.114)


def random_flip(image: tf.Tensor, key: tf.Tensor, context: TransformContext) -> tf.Tensor:
    """Mirror the image with probability one half: (height, width, channels), any units."""
    return maybe_mirrored(image, bernoulli(key, 0.5))


def random_patch(image: tf.Tensor, key: tf.Tensor, context: TransformContext) -> tf.Tensor:
    """Crop the image at a random position.

    cuda-convnet, the code that Krizhevsky et al. 2012 name in section 3.3: 24 pixels of CIFAR-10's 32.

    Args:
        image: (height, width, channels), any units.
        key: (2,) int64.
        context: Context with the input size.

    Returns:
        (size, size, channels).
    """
    height, width, channels = image.shape
    size = context.size
    top, left = (randint(fold_in(key, number), 0, side - size) for number, side in enumerate((height, width)))
    return tf.ensure_shape(image[top : top + size, left : left + size], (size, size, channels))


def shift(image: tf.Tensor, key: tf.Tensor, context: TransformContext, *, pixels: int) -> tf.Tensor:
    """Shift the image by up to `pixels` in each direction, with zeros from outside.

    ConvNetJS' CIFAR-10 demo: 2 pixels; Springenberg et al. 2015: 5. Both shift after pixels are centred, so that zeros
    are grey.

    Args:
        image: (height, width, channels), any units.
        key: (2,) int64.
        context: Not used.
        pixels: Largest shift.

    Returns:
        Image of the same shape.
    """
    padded = tf.pad(image, [(pixels, pixels), (pixels, pixels), (0, 0)])
    top, left = (randint(fold_in(key, number), 0, 2 * pixels) for number in (0, 1))
    height, width = image.shape[:2]
    return padded[top : top + height, left : left + width]


def pca_colour(image: tf.Tensor, key: tf.Tensor, context: TransformContext, *, stddev: float = 0.1) -> tf.Tensor:
    """Add one random colour to all pixels, along the principal components of the training set's colours.

    The colour is [p1 p2 p3] [a1 s1, a2 s2, a3 s3]^T with the eigenvectors p and a drawn from N(0, stddev). Krizhevsky
    et al. 2012, section 4.1, whose formula has the eigenvalues in place of s. For pixels in 0..255 these would add
    colours in the thousands; s are their square roots, the standard deviations, as in the authors' code.

    Args:
        image: (height, width, 3) in units of 0..255, before or after a mean is subtracted.
        key: (2,) int64.
        context: Context with the eigenvalues and eigenvectors.
        stddev: Standard deviation of a.

    Returns:
        Image of the same shape, float32.
    """
    draws = stddev * tf.random.stateless_normal((3,), key)
    scales = tf.sqrt(context.statistic("eigenvalues"))
    colour = tf.linalg.matvec(context.statistic("eigenvectors"), draws * scales)
    return tf.cast(image, tf.float32) + row_of(colour, image)


def photometric_distortion(
    image: tf.Tensor, key: tf.Tensor, context: TransformContext, *, low: float = 0.5, high: float = 1.5
) -> tf.Tensor:
    """Change brightness, contrast and colour in random order, each by its own factor.

    Howard 2013, adopted by Szegedy et al. 2014, section 6. As in the Python Imaging Library, a factor interpolates
    from black (brightness), the mean grey of the image (contrast) or its grey copy (colour) to the image, and beyond.

    Args:
        image: (height, width, 3) in 0..255.
        key: (2,) int64.
        context: Not used.
        low: Lowest factor; 1 changes nothing.
        high: Highest factor.

    Returns:
        Image of the same shape, float32 in 0..255.
    """
    image = tf.cast(image, tf.float32)
    order = tf.random.experimental.stateless_shuffle(tf.range(3), fold_in(key, 0))
    for step in range(3):
        factor = uniform(fold_in(key, 1 + step), low, high)
        # One branch is computed: a tf.gather from three results would compute all of them.
        ways = [partial(way, image, factor) for way in (brightness, contrast, saturation)]
        image = tf.clip_by_value(tf.switch_case(order[step], ways), 0, 255)
    return image


def brightness(image: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Return black + factor * (image - black)."""
    return factor * image


def contrast(image: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Return mean + factor * (image - mean) with the mean grey value of the image."""
    rows, columns = tf.unstack(tf.shape(image)[:2])
    # Summed by rows first: TensorFlow is slow where the last axis, of three channels, is the only one that is kept.
    sums = tf.reshape(tf.reduce_sum(tf.reshape(image, (rows, 3 * columns)), axis=0), (columns, 3))
    mean = tf.tensordot(tf.reduce_mean(sums, axis=0), tf.constant(LUMA), 1) / tf.cast(rows, tf.float32)
    return mean + factor * (image - mean)


def saturation(image: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Return grey + factor * (image - grey) with the grey copy of the image, as one product with a 3 x 3 matrix."""
    to_grey = tf.tile(tf.constant(LUMA)[:, tf.newaxis], (1, 3))
    pixels = tf.reshape(image, (-1, 3))
    return tf.reshape(pixels @ (factor * tf.eye(3) + (1 - factor) * to_grey), tf.shape(image))


@dataclass(frozen=True)
class AffineParameters:
    """Parameters of an affine distortion about the centre of an image.

    The distortion is x' = scale * squeeze * x + shear * y + shift[0] and y' = scale / squeeze * y + shift[1].

    Attributes:
        shift: (x, y) in pixels.
        scale: Factor of width and height.
        squeeze: Factor of the width, by which the height is divided.
        shear: Pixels along x per pixel along y.
    """

    shift: tuple[Scalar, Scalar]
    scale: Scalar
    squeeze: Scalar
    shear: Scalar


def affine_matrix(height: int, width: int, parameters: AffineParameters) -> tuple[Scalar, ...]:
    """Return the map from pixels of a distorted image to those of the original.

    Args:
        height: Height of the image.
        width: Width of the image.
        parameters: Distortion.

    Returns:
        a0, a1, a2, b0, b1, b2 of x = a0 x' + a1 y' + a2 and y = b0 x' + b1 y' + b2.
    """
    shift, shear = parameters.shift, parameters.shear
    wider, taller = parameters.scale * parameters.squeeze, parameters.scale / parameters.squeeze
    a0, a1, b1 = 1 / wider, -shear / (wider * taller), 1 / taller
    x, y = (width - 1) / 2, (height - 1) / 2
    a2 = x - a0 * (x + shift[0]) - a1 * (y + shift[1])
    b2 = y - b1 * (y + shift[1])
    return a0, a1, a2, 0 * a0, b1, b2


def warp(image: tf.Tensor, matrix: tuple[Scalar, ...]) -> tf.Tensor:
    """Resample an image (height, width) bilinearly by an `affine_matrix`, with zeros from outside."""
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=image[tf.newaxis, ..., tf.newaxis],
        transforms=tf.stack([*matrix, 0.0, 0.0])[tf.newaxis],
        output_shape=image.shape,
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )[0, ..., 0]


def affine_distortion(
    image: tf.Tensor,
    key: tf.Tensor,
    context: TransformContext,
    *,
    shift: float,
    scale: float,
    squeeze: float,
    shear: float,
    undistorted: float = 0.1,
) -> tf.Tensor:
    """Distort a digit by a random planar affine map about the centre, bilinearly.

    LeCun et al. 1998, section III: shifts, scaling, squeezing (horizontal compression with vertical elongation, or the
    reverse) and horizontal shearing, each uniform in its range. The paper gives no ranges. A tenth of its 600,000
    training patterns are undistorted.

    Args:
        image: (height, width) in 0..255 with a background of 0.
        key: (2,) int64.
        context: Not used.
        shift: Largest shift in pixels, in each direction.
        scale: Largest deviation of the scale from 1.
        squeeze: Largest deviation of the squeeze from 1.
        shear: Largest shear, in pixels along x per pixel along y.
        undistorted: Probability that the image is left as it is.

    Returns:
        Image of the same shape, float32.
    """
    image = tf.cast(image, tf.float32)
    parameters = AffineParameters(
        shift=(uniform(fold_in(key, 0), -shift, shift), uniform(fold_in(key, 1), -shift, shift)),
        scale=uniform(fold_in(key, 2), 1 - scale, 1 + scale),
        squeeze=uniform(fold_in(key, 3), 1 - squeeze, 1 + squeeze),
        shear=uniform(fold_in(key, 4), -shear, shear),
    )
    height, width = image.shape
    warped = warp(image, affine_matrix(height, width, parameters))
    return tf.where(bernoulli(fold_in(key, 5), undistorted), image, warped)
