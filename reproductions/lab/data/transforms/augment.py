"""Image steps that change pixels at random: mirrored, shifted or warped, in other colours. Decoded images alone."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from reproductions.lab.data.transforms.context import TransformContext, between, chance, part, whole


def random_flip(image: Any, key: Any, view: TransformContext) -> Any:
    """The image, or with equal probability its mirror image: (height, width, channels), any units."""
    return tf.where(chance(key, 0.5), image[:, ::-1], image)


def random_patch(image: Any, key: Any, view: TransformContext) -> Any:
    """A view anywhere in the image, all places alike: (height, width, channels) to (size, size, channels), any units.

    cuda-convnet, the code that Krizhevsky et al. 2012 name in section 3.3: 24 pixels of CIFAR-10's 32.
    """
    height, width, channels = image.shape
    top, left = (whole(part(key, number), 0, side - view.size) for number, side in enumerate((height, width)))
    return tf.ensure_shape(image[top : top + view.size, left : left + view.size], (view.size, view.size, channels))


def shift(image: Any, key: Any, view: TransformContext, *, pixels: int) -> Any:
    """The image moved by up to `pixels` either way, up or down and left or right; zeros come in from outside.

    (height, width, channels), any units; both papers shift after pixels are centred, so that zeros are grey.
    ConvNetJS' CIFAR-10 demo: 2 pixels; Springenberg et al. 2015: 5.
    """
    padded = tf.pad(image, [(pixels, pixels), (pixels, pixels), (0, 0)])
    top, left = (whole(part(key, number), 0, 2 * pixels) for number in (0, 1))
    height, width = image.shape[:2]
    return padded[top : top + height, left : left + width]


def pca_colour(image: Any, key: Any, view: TransformContext, *, stddev: float = 0.1) -> Any:
    """One random colour added to all pixels, along the principal components of the training set's colours.

    (height, width, 3) in units of 0..255, before or after a mean is subtracted. The colour is
    [p1 p2 p3] [a1 s1, a2 s2, a3 s3]^T, p the eigenvectors, a from N(0, stddev). Krizhevsky et al. 2012, section 4.1,
    whose formula has the eigenvalues where s stands. Those of pixels in 0..255 would add colours in the thousands; s
    are their square roots, the standard deviations, as in the authors' code.
    """
    draws = stddev * tf.random.stateless_normal((3,), key)
    deviations = tf.sqrt(view.statistic("eigenvalues"))
    return tf.cast(image, tf.float32) + tf.linalg.matvec(view.statistic("eigenvectors"), draws * deviations)


LUMA = (0.299, 0.587, 0.114)


def photometric_distortion(image: Any, key: Any, view: TransformContext, *, low: float = 0.5, high: float = 1.5) -> Any:
    """Brightness, contrast and colour changed, each by a factor of its own, in random order.

    (height, width, 3) in 0..255 to float32 in 0..255. Howard 2013, which Szegedy et al. 2014 took over in section 6:
    factors uniform in low..high, 1 for no change, by the Python Imaging Library. As there, a factor goes from black
    (brightness), from the picture's mean grey (contrast) or from its grey copy (colour) through the picture and beyond.
    """
    image = tf.cast(image, tf.float32)
    order = tf.random.experimental.stateless_shuffle(tf.range(3), part(key, 0))
    for place in range(3):
        grey = tf.tensordot(image, tf.constant(LUMA), 1)[..., tf.newaxis]
        origins = [tf.zeros_like(grey), tf.fill(tf.shape(grey), tf.reduce_mean(grey)), grey]
        origin = tf.gather(tf.stack(origins), order[place])
        factor = between(part(key, 1 + place), low, high)
        image = tf.clip_by_value(origin + factor * (image - origin), 0, 255)
    return image


def affine_matrix(
    height: int, width: int, *, shift: tuple[Any, Any], scale: Any, squeeze: Any, shear: Any
) -> tuple[Any, ...]:
    """Where each pixel of a distorted image comes from: a0..a2 and b0..b2 of x = a0 x' + a1 y' + a2, y = b0 x' + ...

    About the centre, x' = scale * squeeze * x + shear * y + shift[0] and y' = scale / squeeze * y + shift[1].
    """
    wider, taller = scale * squeeze, scale / squeeze
    a0, a1, b1 = 1 / wider, -shear / (wider * taller), 1 / taller
    x, y = (width - 1) / 2, (height - 1) / 2
    a2 = x - a0 * (x + shift[0]) - a1 * (y + shift[1])
    b2 = y - b1 * (y + shift[1])
    return a0, a1, a2, 0 * a0, b1, b2


def warped(image: Any, matrix: tuple[Any, ...]) -> Any:
    """An image (height, width) resampled bilinearly at the places of an `affine_matrix`; zeros come in from outside."""
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=image[tf.newaxis, ..., tf.newaxis],
        transforms=tf.stack([*matrix, 0.0, 0.0])[tf.newaxis],
        output_shape=image.shape,
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )[0, ..., 0]


def affine_distortion(
    image: Any,
    key: Any,
    view: TransformContext,
    *,
    shift: float,
    scale: float,
    squeeze: float,
    shear: float,
    undistorted: float = 0.1,
) -> Any:
    """A planar affine distortion about the centre: (height, width) in 0..255, background 0, to the same in float32.

    LeCun et al. 1998, section III: shifted by up to `shift` pixels either way, scaled by 1 ± `scale`, squeezed
    (wider by 1 ± `squeeze` and less tall by as much) and sheared along x by ± `shear` pixels a pixel, each uniform;
    interpolated bilinearly. The paper prints no ranges. Of its 600,000 patterns a tenth are `undistorted`.
    """
    image = tf.cast(image, tf.float32)
    x, y = (between(part(key, number), -shift, shift) for number in (0, 1))
    larger = between(part(key, 2), 1 - scale, 1 + scale)
    wider = between(part(key, 3), 1 - squeeze, 1 + squeeze)
    leaning = between(part(key, 4), -shear, shear)
    height, width = image.shape
    matrix = affine_matrix(height, width, shift=(x, y), scale=larger, squeeze=wider, shear=leaning)
    return tf.where(chance(part(key, 5), undistorted), image, warped(image, matrix))
