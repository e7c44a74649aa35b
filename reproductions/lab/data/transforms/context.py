"""What a transform receives beside the image: its context, and random numbers drawn from its key."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from reproductions.lab.errors import UsageError


@dataclass(frozen=True)
class TransformContext:
    """Context that all transforms of a recipe share.

    Attributes:
        size: Height and width of the network's input in pixels.
        statistics: Object with statistics of the training set as attributes. For photographs these are `mean_image`
            (256, 256, 3), of the central square at a short side of 256, `mean_colour` (3,), both in 0..255, and the
            `eigenvalues` (3,) and `eigenvectors` (3, 3), in columns, of the covariance of RGB values over the same
            pixels. For images in memory it is `mean_image`, of their size.
    """

    size: int
    statistics: object = None

    def statistic(self, name: str) -> tf.Tensor:
        """Return a statistic as a float32 tensor.

        Raises:
            UsageError: If the data set does not have it.
        """
        value = getattr(self.statistics, name, None)
        if value is None:
            raise UsageError(
                f"a transform needs the training set's {name!r}, which this data set does not have; "
                "use a data set that has it, or a recipe without the transform"
            )
        return tf.convert_to_tensor(value, tf.float32)


def fold_in(key: tf.Tensor, number: int) -> tf.Tensor:
    """Return a new key for one of several random draws.

    Args:
        key: (2,) int64.
        number: Number of the draw.

    Returns:
        (2,) int64.
    """
    return tf.random.experimental.stateless_fold_in(key, tf.constant(number, tf.int64))


def uniform(key: tf.Tensor, low: float, high: float, shape: tuple[int, ...] = ()) -> tf.Tensor:
    """Return float32 numbers, uniform in [low, high)."""
    return tf.random.stateless_uniform(shape, key, low, high)


def randint(key: tf.Tensor, low: int | tf.Tensor, high: int | tf.Tensor) -> tf.Tensor:
    """Return an int32 scalar, uniform in low..high, both included."""
    return tf.random.stateless_uniform((), key, low, high + 1, dtype=tf.int32)


def bernoulli(key: tf.Tensor, probability: float) -> tf.Tensor:
    """Return a boolean scalar that is true with this probability."""
    return uniform(key, 0, 1) < probability


def maybe_mirrored(image: tf.Tensor, mirror: tf.Tensor) -> tf.Tensor:
    """Return the image, (height, width, channels), mirrored if a boolean scalar is true.

    `tf.reverse` takes a fortieth of the time of `image[:, ::-1]`, and only the branch that is taken is computed.
    """
    return tf.ensure_shape(tf.cond(mirror, lambda: tf.reverse(image, [1]), lambda: image), image.shape)


def row_of(colour: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
    """Return a colour (3,) as often as an image is wide, (width, 3), to be added to the image.

    To add (3,) would take several times as long: TensorFlow is slow where it repeats three numbers.
    """
    return tf.tile(colour[tf.newaxis], (tf.shape(image)[1], 1))
