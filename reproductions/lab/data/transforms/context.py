"""What an image step is given beside the image: the view it works for, and numbers drawn from its key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from reproductions.lab.errors import UsageError


@dataclass(frozen=True)
class TransformContext:
    """What steps may know beside the image: the network's input size, and statistics of the training set.

    Statistics are attributes. Of photographs: mean_image (256, 256, 3), of the central square at short side 256, and
    mean_colour (3,), in 0..255; eigenvalues (3,) and eigenvectors (3, 3), its columns, of the covariance of such
    pixels' RGB values. Of images held in memory: mean_image, of their size.
    """

    size: int
    statistics: Any = None

    def statistic(self, name: str) -> Any:
        """A statistic as a float32 tensor; UsageError where the data set has none of this name."""
        value = getattr(self.statistics, name, None)
        if value is None:
            raise UsageError(
                f"an image step asks for the training set's {name!r}, which this data set lacks; "
                "use a data set that has it, or a recipe without the step"
            )
        return tf.convert_to_tensor(value, tf.float32)


def part(key: Any, number: int) -> Any:
    """A key of its own for each of the things that a step draws: (2,) int64 to (2,) int64."""
    return tf.random.experimental.stateless_fold_in(key, tf.constant(number, tf.int64))


def between(key: Any, low: float, high: float, shape: tuple[int, ...] = ()) -> Any:
    """Float32 numbers, uniform in [low, high)."""
    return tf.random.stateless_uniform(shape, key, low, high)


def whole(key: Any, low: Any, high: Any) -> Any:
    """An int32 whole number, uniform in low..high, both included."""
    return tf.random.stateless_uniform((), key, low, high + 1, dtype=tf.int32)


def chance(key: Any, probability: float) -> Any:
    """True with this probability."""
    return between(key, 0, 1) < probability
