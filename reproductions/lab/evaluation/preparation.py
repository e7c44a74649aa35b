"""The preprocessing of a trained network as a function of images, for use in other programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from reproductions.lab.analysis.profile import without_weights
from reproductions.lab.data import registry
from reproductions.lab.data.transforms.registry import TransformContext, needs_statistics
from reproductions.lab.environment import keras_defaults
from reproductions.lab.evaluation import tested
from reproductions.lab.evaluation.crops import deterministic
from reproductions.lab.evaluation.evaluate import transforms_for
from reproductions.lab.evaluation.tested import Tested
from reproductions.lab.spec import protocols


def preprocessing(found: Tested, data_dir: Path | None = None) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return what is done to images before a trained network sees them in a test, except for cropping.

    Args:
        found: The trained network.
        data_dir: Folder of the data, for a network that needs statistics of its training set.

    Returns:
        Function from images (batch, height, width, channels), or without channels for MNIST and USPS, in 0..255 (USPS:
        -1..1), to inputs (batch, height, width, channels), float32.

    Raises:
        UsageError: If the network has no recipe, or the statistics are missing.
    """
    recipe = tested.recipe_of(found)
    protocol = protocols.find(recipe.protocol)
    if protocol.crops == ("random",):
        protocol = protocols.find("whole image")
    transforms = transforms_for(recipe, protocol)
    statistics = registry.load(recipe.dataset, data_dir).statistics if needs_statistics(transforms) else None
    with without_weights(), keras_defaults():
        size = found.network.model(**tested.arguments(found)).input_shape[1]
    prepare = deterministic(transforms, TransformContext(size, statistics))

    def prepared(images: tf.Tensor) -> tf.Tensor:
        return tf.map_fn(lambda image: tf.cast(prepare(image), tf.float32), images, fn_output_signature=tf.float32)

    return prepared
