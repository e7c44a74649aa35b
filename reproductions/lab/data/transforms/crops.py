"""Image steps that take a network's input out of an encoded photograph. Only the window that is needed is decoded.

Sizes in options are the paper's. For a network whose input is not `crop` pixels wide, everything grows or shrinks in
proportion: the picture's shorter side is then of * view.size / crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import tensorflow as tf

from reproductions.lab.data.transforms.context import TransformContext, between, chance, part, whole
from reproductions.lab.data.transforms.decode import decode_window, jpeg_size, resize, rounded, size_at, window_at

Subtract = Literal["mean_image"] | None


def view_of_square(encoded: Any, view: TransformContext, square: int, top: Any, left: Any, subtract: Subtract) -> Any:
    """The view at (top, left) of the picture's central square, which is `square` wide: (size, size, 3) float32.

    In 0..255, or less the mean image of the square at the same place.
    """
    height, width = size_at(*jpeg_size(encoded), square)
    above, before = (height - square) // 2, (width - square) // 2
    pixels = window_at(encoded, square, above + top, before + left, view.size)
    if subtract is None:
        return pixels
    mean = resize(view.statistic(subtract), square, square)
    return pixels - mean[top : top + view.size, left : left + view.size]


def random_crop(
    image: Any, key: Any, view: TransformContext, *, of: int = 256, crop: int = 227, subtract: Subtract = None
) -> Any:
    """A view anywhere in the central square of the picture at short side `of`: file to (size, size, 3) float32.

    In 0..255, or less the mean image at the same place. Krizhevsky et al. 2012, sections 2 and 4.1.
    """
    square = rounded(of * view.size, crop)
    top, left = (whole(part(key, number), 0, square - view.size) for number in (0, 1))
    return view_of_square(image, view, square, top, left, subtract)


def one_of_ten_crops(
    image: Any, key: Any, view: TransformContext, *, of: int = 256, crop: int = 224, subtract: Subtract = None
) -> Any:
    """A corner or the centre of the central square, mirrored or not: file to (size, size, 3) float32.

    In 0..255, or less the mean image at the same place. Zeiler and Fergus 2013, section 3, who train on "10 different
    sub-crops" of each image.
    """
    square = rounded(of * view.size, crop)
    far = square - view.size
    places = tf.constant([(0, 0), (0, far), (far, 0), (far, far), (far // 2, far // 2)])
    place = places[whole(part(key, 0), 0, 4)]
    pixels = view_of_square(image, view, square, place[0], place[1], subtract)
    return tf.where(chance(part(key, 1), 0.5), pixels[:, ::-1], pixels)


def scale_jittered_crop(
    image: Any, key: Any, view: TransformContext, *, smallest: int = 256, largest: int = 512, crop: int = 224
) -> Any:
    """A view anywhere in the picture at a random short side: file to (size, size, 3) float32 in 0..255.

    The short side S is uniform in smallest..largest; where they are equal it is the paper's fixed scale.
    Simonyan and Zisserman 2015, section 3.1.
    """
    short = rounded(whole(part(key, 0), smallest, largest) * view.size, crop)
    height, width = size_at(*jpeg_size(image), short)
    top = whole(part(key, 1), 0, height - view.size)
    left = whole(part(key, 2), 0, width - view.size)
    return window_at(image, short, top, left, view.size)


ATTEMPTS = 10
INTERPOLATIONS = ("bilinear", "area", "nearest", "bicubic")


def area_and_aspect_window(
    key: Any, height: Any, width: Any, area: tuple[float, float], aspect: tuple[float, float]
) -> Any:
    """A random window of a (height, width) picture: top, left, height and width, each a scalar int32.

    Its share of the picture's area and its aspect (width / height) are uniform in their ranges. A draw that does not
    fit is thrown away; after ten of them the window is the central square.
    """
    pixels = tf.cast(height * width, tf.float32) * between(part(key, 0), *area, (ATTEMPTS,))
    aspects = between(part(key, 1), *aspect, (ATTEMPTS,))
    heights = tf.cast(tf.round(tf.sqrt(pixels / aspects)), tf.int32)
    widths = tf.cast(tf.round(tf.sqrt(pixels * aspects)), tf.int32)
    fits = (heights >= 1) & (widths >= 1) & (heights <= height) & (widths <= width)
    first, shorter = tf.argmax(fits), tf.minimum(height, width)
    found = fits[first]
    rows = tf.where(found, heights[first], shorter)
    columns = tf.where(found, widths[first], shorter)
    top = tf.where(found, whole(part(key, 2), 0, height - rows), (height - rows) // 2)
    left = tf.where(found, whole(part(key, 3), 0, width - columns), (width - columns) // 2)
    return top, left, rows, columns


def area_and_aspect_crop(
    image: Any,
    key: Any,
    view: TransformContext,
    *,
    area: tuple[float, float] = (0.08, 1.0),
    aspect: tuple[float, float] = (3 / 4, 4 / 3),
    interpolations: Sequence[str] = INTERPOLATIONS,
) -> Any:
    """A window of random size and shape, squeezed into the view: file to (size, size, 3) float32 in 0..255.

    Szegedy et al. 2014, section 6: patches "whose size is distributed evenly between 8% and 100% of the image area and
    whose aspect ratio is chosen randomly between 3/4 and 4/3", resized by one of four methods with equal probability.
    The aspect is uniform, as in the code released with Inception (TF-slim); others draw its logarithm. No method
    filters before it shrinks, as none did there.
    """
    window = decode_window(image, *area_and_aspect_window(part(key, 0), *jpeg_size(image), area, aspect))

    def by(method: str) -> Any:
        resized = tf.image.resize(window, (view.size, view.size), method)
        return tf.clip_by_value(tf.cast(resized, tf.float32), 0, 255)  # bicubic overshoots

    chosen = whole(part(key, 1), 0, len(interpolations) - 1)
    return tf.switch_case(chosen, [lambda method=method: by(method) for method in interpolations])
