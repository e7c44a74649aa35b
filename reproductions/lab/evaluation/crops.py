"""The views of a stored image that a protocol asks for, decoded once and stacked, for use inside tf.data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from reproductions.lab.data.transforms import decode
from reproductions.lab.data.transforms.registry import TransformContext, compose
from reproductions.lab.spec.protocols import CROPS, Protocol, positions
from reproductions.lab.spec.recipe import Transform

Prepare = Callable[[Any], Any]


def without_chance(steps: Sequence[Transform], view: TransformContext) -> Prepare:
    """The steps with a key that is always the same."""
    composed = compose(steps, view)
    return lambda image: composed(image, tf.zeros(2, tf.int64))


def stacked(protocol: Protocol, steps: Sequence[Transform], view: TransformContext) -> Callable[[Any, Any], Any]:
    """A function of a stored image and its index that gives its views, (views, height, width, channels).

    The crops of each canvas come in the order of `protocol.crops`, mirrored ones after all others.
    """
    if protocol.crops == ("random",):
        return random_views(steps, view)
    prepare = without_chance(steps, view)

    def views(stored: Any, index: Any) -> Any:
        found = [prepare(stored)] if protocol.canvas == "stored" else canvases(stored, protocol, prepare, view.size)
        crops = tf.stack([crop for canvas in found for crop in cut(canvas, protocol, view.size)])
        return tf.concat([crops, crops[:, :, ::-1]], 0) if protocol.mirrored else crops

    return views


def random_views(steps: Sequence[Transform], view: TransformContext) -> Callable[[Any, Any], Any]:
    """As many results of random steps as "random" stands for: a function of the index, the same in every test."""
    composed = compose(steps, view)

    def views(image: Any, index: Any) -> Any:
        keys = [tf.stack([tf.cast(number, tf.int64), index]) for number in range(CROPS["random"])]
        return tf.stack([composed(image, key) for key in keys])

    return views


def canvases(encoded: Any, protocol: Protocol, prepare: Prepare, size: int) -> list[Any]:
    """What crops are taken from, prepared: of an encoded picture, float32 (height, width, 3) each."""
    picture = decode.decode_rgb(encoded)
    if protocol.canvas == "central part":
        part = tf.image.central_crop(picture, protocol.central)
        return [prepare(tf.ensure_shape(decode.resize(part, size, size), (size, size, 3)))]
    found = []
    for side in protocol.sides(size):
        resized = decode.short_side(picture, side)
        if protocol.canvas == "centre square":
            found.append(prepare(decode.centre(resized, side)))
        elif protocol.canvas == "three squares":
            found.extend(windows(prepare(resized), "three squares", side))
        else:
            found.append(prepare(resized))
    return found


def cut(canvas: Any, protocol: Protocol, size: int) -> list[Any]:
    """The protocol's crops of one canvas, (size, size, channels) each; "whole" is the canvas itself."""
    found: list[Any] = []
    for crop in protocol.crops:
        if crop == "whole":
            found.append(canvas)
        elif crop == "resized":
            found.append(tf.ensure_shape(decode.resize(canvas, size, size), (size, size, 3)))
        else:
            found.extend(windows(canvas, crop, size))
    return found


def windows(canvas: Any, kind: str, size: int) -> list[Any]:
    """The windows of a canvas that `positions` names, (size, size, channels) each."""
    shape = tf.shape(canvas)
    return [
        tf.ensure_shape(canvas[top : top + size, left : left + size], (size, size, canvas.shape[-1]))
        for top, left in positions(kind, shape[0], shape[1], size)
    ]


def whole_pictures(side: int, steps: Sequence[Transform], view: TransformContext) -> Callable[[Any], Any]:
    """A function from an encoded picture to all of it, prepared, with this shorter side: (height, width, 3)."""
    prepare = without_chance(steps, view)
    return lambda encoded: prepare(decode.short_side(decode.decode_rgb(encoded), side))
