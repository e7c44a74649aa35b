"""Named image steps, from a stored image to a network's input. A recipe lists them by name.

A step is `step(image, key, view, **options)`: it takes one image, a key and the view, and returns the image. Stored
images are arrays of pixels (MNIST, CIFAR-10) or encoded files (ImageNet), which the first step decodes. All randomness
comes from the key, which is a function of (seed, pass, example) and of the step's place: `tf.random.stateless_*` alone,
no state. Keys are (2,) int64.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reproductions.lab.data.transforms import augment, crops, normalize
from reproductions.lab.data.transforms.context import TransformContext, part
from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.spec.recipe import Transform

__all__ = ["STEPS", "TransformContext", "compose"]

Step = Callable[..., Any]

STEPS: dict[str, Step] = {
    step.__name__: step
    for step in (
        crops.random_crop,
        crops.one_of_ten_crops,
        crops.scale_jittered_crop,
        crops.area_and_aspect_crop,
        augment.random_flip,
        augment.random_patch,
        augment.shift,
        augment.pca_colour,
        augment.photometric_distortion,
        augment.affine_distortion,
        normalize.lenet_field,
        normalize.reduced_digit,
        normalize.subtract_mean_image,
        normalize.subtract_mean_colour,
        normalize.to_unit_range,
        normalize.to_half_range,
    )
}


# The statistics of the training set that steps ask for, beside what a crop is told to subtract.
ASKS = {
    "pca_colour": ("eigenvalues", "eigenvectors"),
    "subtract_mean_image": ("mean_image",),
    "subtract_mean_colour": ("mean_colour",),
}


def check_statistics(name: str, options: Mapping[str, Any], view: TransformContext) -> None:
    """UsageError where a step asks for a statistic that the data set lacks: here, before a graph wraps the sentence."""
    for statistic in (*ASKS.get(name, ()), options.get("subtract")):
        if statistic is not None:
            view.statistic(statistic)


def check_options(name: str, options: Mapping[str, Any]) -> None:
    """UsageError where a step does not take one of these options, or lacks one that it needs."""
    parameters = inspect.signature(STEPS[name]).parameters.values()
    own = {p.name: p.default is p.empty for p in parameters if p.kind is p.KEYWORD_ONLY}
    wrong = [option for option in options if option not in own]
    missing = [option for option, needed in own.items() if needed and option not in options]
    if wrong:
        raise UsageError(
            f"the image step {name!r} has no option {wrong[0]!r}; it takes: {', '.join(own) or 'no options'}"
        )
    if missing:
        raise UsageError(f"the image step {name!r} needs the option {missing[0]!r}; name it in the recipe")


def compose(steps: Sequence[Transform], view: TransformContext) -> Callable[[Any, Any], Any]:
    """The steps, one after the other: a function of an image and its key.

    UsageError for a wrong name or option, and where the data set lacks a statistic.
    """
    chosen = [(step, {}) if isinstance(step, str) else step for step in steps]
    for name, options in chosen:
        if name not in STEPS:
            raise unknown("image step", name, STEPS)
        check_options(name, options)
        check_statistics(name, options, view)

    def composed(image: Any, key: Any) -> Any:
        for number, (name, options) in enumerate(chosen):
            image = STEPS[name](image, part(key, number), view, **options)
        return image

    return composed
