"""The transforms by name, as recipes list them, from a stored image to the network's input.

A transform is a function `transform(image, key, context, **options)` of one image that returns the image. Stored images
are arrays of pixels (MNIST, CIFAR-10) or encoded files (ImageNet), which the first transform decodes. All randomness
comes from the key, (2,) int64, by `tf.random.stateless_*`. The key is a function of (seed, epoch, example) and of the
transform's position in the recipe.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from reproductions.lab.data.transforms import augment, crops, names, normalize
from reproductions.lab.data.transforms.context import TransformContext, fold_in
from reproductions.lab.spec.recipe import Transform

__all__ = ["TRANSFORMS", "TransformContext", "compose"]

TRANSFORMS: dict[str, Callable[..., tf.Tensor]] = {
    transform.__name__: transform
    for transform in (
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
        normalize.grey_channel,
        normalize.reduced_digit,
        normalize.subtract_mean_image,
        normalize.subtract_colour,
        normalize.subtract_mean_colour,
        normalize.standardize,
        normalize.to_unit_range,
        normalize.to_half_range,
    )
}


# Statistics of the training set that transforms need, beside the one a crop subtracts.
NEEDED_STATISTICS = {
    "pca_colour": ("eigenvalues", "eigenvectors"),
    "subtract_mean_image": ("mean_image",),
    "subtract_mean_colour": ("mean_colour",),
}


def check_statistics(name: str, options: Mapping[str, object], context: TransformContext) -> None:
    """Raise a UsageError if the data set lacks a statistic that a transform needs.

    Raised here and not by the transform because a graph would wrap the error.
    """
    for statistic in (*NEEDED_STATISTICS.get(name, ()), options.get("subtract")):
        if statistic is not None:
            context.statistic(str(statistic))


def needs_statistics(transforms: Sequence[Transform]) -> bool:
    """Return whether some transforms need statistics of the training set."""
    chosen = [(each, {}) if isinstance(each, str) else each for each in transforms]
    return any(name in NEEDED_STATISTICS or options.get("subtract") for name, options in chosen)


def options_of(transform: Callable[..., tf.Tensor]) -> dict[str, bool]:
    """Return the options of a transform by name, and whether they are required."""
    parameters = inspect.signature(transform).parameters.values()
    return {each.name: each.default is each.empty for each in parameters if each.kind is each.KEYWORD_ONLY}


def compose(transforms: Sequence[Transform], context: TransformContext) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Return a function that applies transforms one after the other.

    Args:
        transforms: Names of transforms, or (name, options) pairs.
        context: Context of the transforms.

    Returns:
        Function of an image and a key, (2,) int64, that returns the transformed image.

    Raises:
        UsageError: If a name or an option does not exist, an option is missing, or the data set lacks a statistic.
    """
    chosen = [(each, {}) if isinstance(each, str) else each for each in transforms]
    names.check(transforms, {name: options_of(transform) for name, transform in TRANSFORMS.items()})
    for name, options in chosen:
        check_statistics(name, options, context)

    def composed(image: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        for number, (name, options) in enumerate(chosen):
            image = TRANSFORMS[name](image, fold_in(key, number), context, **options)
        return image

    return composed
