"""What the benchmarks of training steps share: the steps of a network's recipe, and random images for them."""

from __future__ import annotations

from dataclasses import replace

import keras
import tensorflow as tf

import layers  # noqa: F401, registers the layers of the networks
import reproductions
from reproductions.lab.training import model as networks
from reproductions.lab.training.momentum import create_optimizer
from reproductions.lab.training.operations import use_fast_operations
from reproductions.lab.training.step import StepConfig, Steps, decay_weights

CLASSES = 10


def build_steps(
    name: str,
    batch_size: int | None = None,
    classes: int | None = CLASSES,
    precision: str = "float32",
    input_size: int | None = None,
) -> Steps:
    """Return the steps of a network's recipe.

    Args:
        name: Name of the network.
        batch_size: Batch size; by default that of the recipe.
        classes: Number of classes; None for that of the paper.
        precision: Dtype policy of Keras.
        input_size: Height and width of the images in pixels; by default those of the recipe.
    """
    keras.config.set_dtype_policy(precision)
    network = reproductions.find_network(name)
    recipe = network.to_train()
    recipe = replace(recipe, batch_size=batch_size or recipe.batch_size, input_size=input_size or recipe.input_size)
    model = networks.build(network, recipe, classes)
    use_fast_operations(model)
    decay_weights(model, recipe.weight_decay)
    optimizer = create_optimizer(recipe.optimizer)
    optimizer.build(model.trainable_variables)
    return Steps(model, optimizer, recipe, StepConfig(network.outputs))


def random_batch(steps: Steps) -> tuple[tf.Tensor, tf.Tensor]:
    """Return random images and labels for a step."""
    size = steps.recipe.batch_size
    images = tf.random.stateless_normal((size, *steps.model.input_shape[1:]), seed=(1, 2))
    return images, tf.range(size) % CLASSES


def random_batches(steps: Steps) -> tf.data.Dataset:
    """Return a data set without an end of one batch of random images and labels."""
    return tf.data.Dataset.from_tensors(random_batch(steps)).repeat()
