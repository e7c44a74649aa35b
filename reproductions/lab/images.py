"""Named image steps, from stored pixels to a network's input. A recipe lists them by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from reproductions.lab.errors import unknown

Step = Callable[[Any], Any]


def lenet_field(images: Any) -> Any:
    """Digits on LeNet-5's field: (batch, 28, 28) in 0..255 to (batch, 32, 32, 1).

    Background -0.1 and foreground 1.175, so that the mean is about 0 and the variance about 1:
    LeCun et al. 1998, section II-B.
    """
    background, foreground = -0.1, 1.175
    ink = tf.cast(images, tf.float32) / 255
    field = tf.pad(ink * (foreground - background) + background, [(0, 0), (2, 2), (2, 2)], constant_values=background)
    return field[..., tf.newaxis]


STEPS: dict[str, Step] = {step.__name__: step for step in (lenet_field,)}


def compose(names: Sequence[str]) -> Step:
    """The steps of these names, one after the other. UsageError lists the right names for a wrong one."""
    for name in names:
        if name not in STEPS:
            raise unknown("image step", name, STEPS)

    def steps(images: Any) -> Any:
        for name in names:
            images = STEPS[name](images)
        return images

    return steps
