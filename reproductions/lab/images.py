"""Named image steps, from a stored image to a network's input. A recipe lists them by name.

A step takes one image, a key and the view, and returns the image. Stored images are arrays of pixels (MNIST,
CIFAR-10) or encoded files (ImageNet), which the first step decodes. All randomness comes from the key, which is
a function of (seed, pass, example) and of the step's place: `tf.random.stateless_*` alone, no state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from reproductions.lab.errors import unknown
from reproductions.lab.study import ImageStep

Step = Callable[..., Any]


@dataclass(frozen=True)
class View:
    """What steps may know beside the image: the network's input size, and statistics of the training set."""

    size: int
    statistics: Any = None


def lenet_field(image: Any, key: Any, view: View) -> Any:
    """A digit on LeNet-5's field: (28, 28) in 0..255 to (32, 32, 1).

    Background -0.1 and foreground 1.175, so that the mean is about 0 and the variance about 1:
    LeCun et al. 1998, section II-B.
    """
    background, foreground = -0.1, 1.175
    ink = tf.cast(image, tf.float32) / 255
    field = tf.pad(ink * (foreground - background) + background, [(2, 2), (2, 2)], constant_values=background)
    return field[..., tf.newaxis]


STEPS: dict[str, Step] = {step.__name__: step for step in (lenet_field,)}


def compose(steps: Sequence[ImageStep], view: View) -> Callable[[Any, Any], Any]:
    """The steps, one after the other: a function of an image and its key. UsageError for a wrong name."""
    chosen = [(step, {}) if isinstance(step, str) else step for step in steps]
    for name, _ in chosen:
        if name not in STEPS:
            raise unknown("image step", name, STEPS)

    def composed(image: Any, key: Any) -> Any:
        for number, (name, options) in enumerate(chosen):
            own = tf.random.experimental.stateless_fold_in(key, number)
            image = STEPS[name](image, own, view, **options)
        return image

    return composed
