"""Decoding and resizing of encoded photographs, whole or in windows, inside tf.data.

Encoded images are scalar strings: JPEGs, including grey and CMYK ones, which become RGB, and PNGs, because one of
ImageNet's training "JPEG" files is a PNG. Sizes are (height, width) in pixels. A tag for the orientation is ignored, as
by the papers' tools.
"""

from __future__ import annotations

from typing import TypeAlias

import tensorflow as tf

DCT = "INTEGER_ACCURATE"  # the default of the decoder is less accurate on some machines
Integer: TypeAlias = int | tf.Tensor


def is_png(encoded: tf.Tensor) -> tf.Tensor:
    """Return whether the encoded image is a PNG."""
    return tf.strings.substr(encoded, 0, 4) == b"\x89PNG"


def decode_rgb(encoded: tf.Tensor) -> tf.Tensor:
    """Decode a JPEG or PNG to (height, width, 3) uint8."""
    return tf.io.decode_jpeg(encoded, channels=3, dct_method=DCT)  # it decodes PNGs too


def jpeg_size(encoded: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return height and width of a JPEG or PNG, int32, from its header alone."""

    def png() -> tf.Tensor:
        header = tf.io.decode_raw(tf.strings.substr(encoded, 16, 8), tf.int32, little_endian=False)
        return tf.ensure_shape(header[::-1], (2,))  # the width comes first in a PNG

    size = tf.cond(is_png(encoded), png, lambda: tf.image.extract_jpeg_shape(encoded)[:2])
    return size[0], size[1]


def decode_window(encoded: tf.Tensor, top: Integer, left: Integer, height: Integer, width: Integer) -> tf.Tensor:
    """Decode an image, and return a window of it.

    Decoding only the blocks that the window needs saves under a tenth of the time of an input pipeline, and the decoder
    gets the window's edges wrong.

    Args:
        encoded: Encoded image.
        top: First row of the window, which must lie inside the image.
        left: First column.
        height: Number of rows.
        width: Number of columns.

    Returns:
        (height, width, 3) uint8.
    """
    return decode_rgb(encoded)[top : top + height, left : left + width]


def resize(image: tf.Tensor, height: Integer, width: Integer) -> tf.Tensor:
    """Resize an image bilinearly with antialiasing, as Pillow and Matlab do.

    Without antialiasing most pixels of a photograph would be skipped, and the network would see patterns that are not
    in the image. An image of the right size keeps its pixels.

    Args:
        image: (any height, any width, channels) in 0..255.
        height: New height.
        width: New width.

    Returns:
        (height, width, channels) float32 in 0..255.
    """
    same = tf.reduce_all(tf.shape(image)[:2] == (height, width))
    pixels = tf.cond(
        same,
        lambda: tf.cast(image, tf.float32),
        lambda: tf.cast(tf.image.resize(image, (height, width), antialias=True), tf.float32),
    )
    static = [size if isinstance(size, int) else None for size in (height, width)]
    return tf.ensure_shape(pixels, (*static, image.shape[-1]))


def rounded_quotient(numerator: Integer, denominator: Integer) -> Integer:
    """Return the quotient of two non-negative integers, rounded to the nearest integer, half up."""
    return (2 * numerator + denominator) // (2 * denominator)


def size_at(height: Integer, width: Integer, short: Integer) -> tuple[Integer, Integer]:
    """Return the size of an image after resizing it to the shorter side `short`; the longer side is rounded."""
    shorter = tf.minimum(height, width)
    return rounded_quotient(height * short, shorter), rounded_quotient(width * short, shorter)


def short_side(image: tf.Tensor, size: Integer) -> tf.Tensor:
    """Resize an image, keeping its aspect ratio, to the shorter side `size`; see `size_at` and `resize`."""
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    return resize(image, *size_at(height, width, size))


def centre(image: tf.Tensor, size: int) -> tf.Tensor:
    """Return the central (size, size, channels) of an image; of an odd margin, the smaller half is above and left."""
    top, left = (tf.shape(image)[0] - size) // 2, (tf.shape(image)[1] - size) // 2
    return tf.ensure_shape(image[top : top + size, left : left + size], (size, size, image.shape[-1]))


def window_at(encoded: tf.Tensor, short: Integer, top: Integer, left: Integer, size: int) -> tf.Tensor:
    """Return a square window of the image as resized to a shorter side.

    Only the corresponding window of the stored image is resized. If the stored shorter side is `short`,
    nothing is resized and the pixels are exact. Otherwise corner and side of the window are rounded to pixels of the
    stored image, and the window may be off by half of one.

    Args:
        encoded: Encoded image.
        short: Shorter side of the resized image.
        top: First row of the window in the resized image.
        left: First column.
        size: Number of rows and columns.

    Returns:
        (size, size, 3) float32 in 0..255.
    """
    height, width = jpeg_size(encoded)
    shorter = tf.minimum(height, width)
    side = tf.maximum(rounded_quotient(size * shorter, short), 1)
    above = tf.minimum(rounded_quotient(top * shorter, short), height - side)
    before = tf.minimum(rounded_quotient(left * shorter, short), width - side)
    return resize(decode_window(encoded, above, before, side, side), size, size)
