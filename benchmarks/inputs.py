"""What the benchmarks of the input pipelines share: the recipe's pipeline and a plain one on the same photographs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import tensorflow as tf
from photographs import encoded, prepared
from timing import alternating

import reproductions
from reproductions.lab.data import pipeline
from reproductions.lab.data.transforms.registry import TransformContext

EPOCHS, BATCH_SIZE, ROUNDS = 4, 16, 15


def recipe_batches(network: str, size: int, folder: Path) -> tf.data.Dataset:
    """Return some epochs of a network's training batches."""
    recipe = reproductions.find_network(network).to_train()
    data = prepared(folder, recipe.dataset)
    short = replace(recipe, batch_size=BATCH_SIZE, epochs=EPOCHS)
    context = TransformContext(size, data.statistics)
    return pipeline.training_batches(data.train, short, context, pipeline.DataPosition(seed=1, epoch=1))


def ratios_to_plain(network: str, size: int, plain: Callable[[tf.Tensor], tf.Tensor]) -> list[float]:
    """Return the processor time of an image in a network's training relative to a plain tf.data pipeline.

    Args:
        network: Name of the network.
        size: Width of its input in pixels.
        plain: Function from an encoded image to the input, random.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = recipe_batches(network, size, folder)
        prepared(folder, "imagenet-originals")
        examples = encoded(folder / "imagenet-originals").repeat(EPOCHS).map(plain, num_parallel_calls=tf.data.AUTOTUNE)
        theirs = pipeline.without_autotune(examples.batch(BATCH_SIZE, drop_remainder=True).prefetch(2))
        images = [sum(len(batch[0]) for batch in ours), sum(len(batch) for batch in theirs)]
        ratios = alternating(lambda: list(map(len, ours)), lambda: list(map(len, theirs)), ROUNDS)
    return [ratio * images[1] / images[0] for ratio in ratios]
