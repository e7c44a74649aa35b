"""The crops that a test takes of an image, which is decoded once; for use in a tf.data pipeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tensorflow as tf

from reproductions.lab.data.transforms import decode
from reproductions.lab.data.transforms.registry import TransformContext, compose
from reproductions.lab.spec.protocols import CROP_COUNTS, Protocol, positions
from reproductions.lab.spec.recipe import Transform

ImageFunction = Callable[[tf.Tensor], tf.Tensor]
CropFunction = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


@dataclass(frozen=True)
class Preprocessing:
    """What a test does to an image before the network sees it.

    Attributes:
        protocol: Test protocol: which crops are taken, and of what.
        transforms: Transforms of the region that crops are taken from.
        context: Context of the transforms: the input size, and statistics of the training set.
    """

    protocol: Protocol
    transforms: Sequence[Transform]
    context: TransformContext


def deterministic(transforms: Sequence[Transform], context: TransformContext) -> ImageFunction:
    """Return the transforms with a constant key: a function from an image to an image."""
    composed = compose(transforms, context)
    return lambda image: composed(image, tf.zeros(2, tf.int64))


def crop_function(preprocessing: Preprocessing) -> CropFunction:
    """Return a function from a stored image and its index to its crops.

    Returns:
        Function with the result (crops, height, width, channels). The crops of each region come in the order of
        `protocol.crops`; the mirrored ones follow after all others.
    """
    protocol, size = preprocessing.protocol, preprocessing.context.size
    if protocol.crops == ("random",):
        return random_crop_function(preprocessing)
    prepare = deterministic(preprocessing.transforms, preprocessing.context)

    def crops_of(stored: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        if protocol.region == "stored":
            found = [prepare(decode.decode_rgb(stored) if stored.dtype == tf.string else stored)]
        else:
            found = regions(stored, protocol, prepare, size)
        crops = tf.stack([crop for region in found for crop in cut(region, protocol, size)])
        return tf.concat([crops, tf.reverse(crops, [2])], 0) if protocol.mirrored else crops

    return crops_of


def random_crop_function(preprocessing: Preprocessing) -> CropFunction:
    """Return a function from an image and its index to results of the random transforms, the same in every test."""
    composed = compose(preprocessing.transforms, preprocessing.context)

    def crops_of(image: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        keys = [tf.stack([tf.cast(number, tf.int64), index]) for number in range(CROP_COUNTS["random"])]
        return tf.stack([composed(image, key) for key in keys])

    return crops_of


def regions(encoded: tf.Tensor, protocol: Protocol, prepare: ImageFunction, size: int) -> list[tf.Tensor]:
    """Return the regions of an encoded image that crops are taken from.

    Args:
        encoded: Encoded image.
        protocol: Test protocol.
        prepare: Transforms of a region; those of three squares are applied to the image they are cut from.
        size: Height and width of the network's input.

    Returns:
        Regions (height, width, 3), float32.
    """
    image = decode.decode_rgb(encoded)
    if protocol.region == "central part":
        central = tf.image.central_crop(image, protocol.central_fraction)
        return [prepare(tf.ensure_shape(decode.resize(central, size, size), (size, size, 3)))]
    found = []
    for side in protocol.short_sides_for(size):
        resized = decode.short_side(image, side)
        if protocol.region == "centre square":
            found.append(prepare(decode.centre(resized, side)))
        elif protocol.region == "three squares":
            found.extend(windows(prepare(resized), "three squares", side))
        else:
            found.append(prepare(resized))
    return found


def cut(region: tf.Tensor, protocol: Protocol, size: int) -> list[tf.Tensor]:
    """Return the protocol's crops of a region, (size, size, channels) each; "whole" is the region itself."""
    found: list[tf.Tensor] = []
    for crop in protocol.crops:
        if crop == "whole":
            found.append(region)
        elif crop == "resized":
            found.append(tf.ensure_shape(decode.resize(region, size, size), (size, size, 3)))
        else:
            found.extend(windows(region, crop, size))
    return found


def windows(image: tf.Tensor, kind: str, size: int) -> list[tf.Tensor]:
    """Return the windows of an image at the positions of a kind of crops, (size, size, channels) each."""
    shape = tf.shape(image)
    return [
        tf.ensure_shape(image[top : top + size, left : left + size], (size, size, image.shape[-1]))
        for top, left in positions(kind, shape[0], shape[1], size)
    ]


def uncropped_function(preprocessing: Preprocessing, side: int) -> ImageFunction:
    """Return a function from an encoded image to all of it with this shorter side, (height, width, 3)."""
    prepare = deterministic(preprocessing.transforms, preprocessing.context)
    return lambda encoded: prepare(decode.short_side(decode.decode_rgb(encoded), side))
