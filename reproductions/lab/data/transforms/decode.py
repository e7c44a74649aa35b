"""From an encoded photograph to pixels of a wanted size: decoding, windows and resizing, for use inside tf.data.

Encoded files are scalar strings: JPEGs, grey and CMYK ones included (they come out as RGB), and PNGs, since one of
ImageNet's training "JPEG" files is a PNG. Sizes are in pixels, (height, width); a tag for orientation is ignored,
as the papers' tools did.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

DCT = "INTEGER_ACCURATE"  # the decoder's default may be faster and coarser on some machines


def is_png(encoded: Any) -> Any:
    return tf.strings.substr(encoded, 0, 4) == b"\x89PNG"


def decode_rgb(encoded: Any) -> Any:
    """The whole picture: an encoded file to (height, width, 3) uint8."""
    return tf.io.decode_jpeg(encoded, channels=3, dct_method=DCT)  # which decodes PNGs too


def jpeg_size(encoded: Any) -> tuple[Any, Any]:
    """Height and width of the picture, int32, from the header of its file: nothing is decoded."""

    def png() -> Any:
        header = tf.io.decode_raw(tf.strings.substr(encoded, 16, 8), tf.int32, little_endian=False)
        return tf.ensure_shape(header[::-1], (2,))  # a PNG gives its width first

    size = tf.cond(is_png(encoded), png, lambda: tf.image.extract_jpeg_shape(encoded)[:2])
    return size[0], size[1]


def decode_window(encoded: Any, top: Any, left: Any, height: Any, width: Any) -> Any:
    """The window of the picture whose corner is (top, left): (height, width, 3) uint8, as `decode_rgb` has it.

    Of a JPEG, only what the window needs is transformed back to pixels. The window must lie inside the picture.
    """
    # Colours are stored at half resolution and smoothed across columns, but not across the edge of what is decoded:
    # a column more on either side, where there is one, makes the window's edges those of the whole picture.
    before = tf.minimum(left, 1)
    after = tf.minimum(jpeg_size(encoded)[1] - left - width, 1)

    def jpeg() -> Any:
        wider = tf.stack([top, left - before, height, before + width + after])
        pixels = tf.image.decode_and_crop_jpeg(encoded, wider, channels=3, dct_method=DCT)
        return pixels[:, before : before + width]

    def png() -> Any:
        return decode_rgb(encoded)[top : top + height, left : left + width]

    return tf.cond(is_png(encoded), png, jpeg)


def resize(image: Any, height: Any, width: Any) -> Any:
    """An image resized to (height, width, channels) float32, still in 0..255.

    Bilinear, with the kernel widened where the picture shrinks (antialias): without, most pixels of a photograph
    would be skipped, and the network would see patterns that are not there. It is what Pillow's and Matlab's bilinear
    resizing do. An image that has the size already keeps its pixels.
    """
    same = tf.reduce_all(tf.shape(image)[:2] == (height, width))
    pixels = tf.cond(
        same,
        lambda: tf.cast(image, tf.float32),
        lambda: tf.cast(tf.image.resize(image, (height, width), antialias=True), tf.float32),
    )
    static = [size if isinstance(size, int) else None for size in (height, width)]
    return tf.ensure_shape(pixels, (*static, image.shape[-1]))


def rounded(numerator: Any, denominator: Any) -> Any:
    """The quotient of two non-negative whole numbers, to the nearest whole number, a half going up."""
    return (2 * numerator + denominator) // (2 * denominator)


def size_at(height: Any, width: Any, short: Any) -> tuple[Any, Any]:
    """The size of a (height, width) picture once its shorter side is `short`; the longer side is rounded."""
    shorter = tf.minimum(height, width)
    return rounded(height * short, shorter), rounded(width * short, shorter)


def short_side(image: Any, size: Any) -> Any:
    """An image resized, its aspect kept, so that its shorter side is `size`; the size is that of `size_at`."""
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    return resize(image, *size_at(height, width, size))


def centre(image: Any, size: int) -> Any:
    """The central (size, size, channels) of an image; an odd margin has its smaller half above and to the left."""
    top, left = (tf.shape(image)[0] - size) // 2, (tf.shape(image)[1] - size) // 2
    return tf.ensure_shape(image[top : top + size, left : left + size], (size, size, image.shape[-1]))


def window_at(encoded: Any, short: Any, top: Any, left: Any, size: int) -> Any:
    """What stands at (top, left) of the picture once its shorter side is `short`: (size, size, 3) float32 in 0..255.

    Only the window of the stored picture that corresponds is decoded, and resized. Where the stored shorter side is
    `short` nothing is resized and the pixels are exact; elsewhere the window's corner and side are rounded to pixels
    of the stored picture, so that it may be off by half of one.
    """
    height, width = jpeg_size(encoded)
    shorter = tf.minimum(height, width)
    side = tf.maximum(rounded(size * shorter, short), 1)
    above = tf.minimum(rounded(top * shorter, short), height - side)
    before = tf.minimum(rounded(left * shorter, short), width - side)
    return resize(decode_window(encoded, above, before, side, side), size, size)
