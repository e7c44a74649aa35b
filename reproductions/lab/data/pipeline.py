"""From a part of a data set to batches: which image comes when, and what is random about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from reproductions.lab.data.base import Encoded, Pixels
from reproductions.lab.data.transforms.registry import TransformContext, compose
from reproductions.lab.errors import UsageError
from reproductions.lab.spec.recipe import Recipe


def reader(part: Pixels | Encoded) -> Callable[[Any], Any]:
    """A function from an index to the stored image, for use in a tf.data pipeline."""
    if isinstance(part, Pixels):
        pixels = tf.constant(part.images)
        return lambda index: tf.gather(pixels, index)
    return lambda index: tf.ensure_shape(tf.numpy_function(part.read, [index], tf.string, stateful=False), ())


def without_waiting(examples: tf.data.Dataset) -> tf.data.Dataset:
    """The same, without the thread that tunes the pipeline: it sleeps for up to a minute, and so would its end."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return examples.with_options(options)


@contextmanager
def plainly() -> Iterator[None]:
    """Gives the sentence of a UsageError that was raised while a pipeline read an image, without TensorFlow's words."""
    try:
        yield
    except tf.errors.OpError as error:
        told = re.search(r"UsageError: (.*)", str(error))
        if told is None:
            raise
        raise UsageError(told.group(1)) from None


def training_batches(
    part: Pixels | Encoded,
    recipe: Recipe,
    view: TransformContext,
    seed: int,
    epoch: int,
    step: int = 0,
    worker: int = 0,
    workers: int = 1,
    replicas: int = 1,
) -> tf.data.Dataset:
    """A worker's share of all batches from `step` of pass `epoch` on: a pure function of (seed, pass, step).

    Each pass is in an order of its own; what is left over at its end, less than a batch, is dropped. A batch is cut
    into equal shares, first for the workers and then for the `replicas` of each, which come one after the other.
    """
    size = len(part.labels)
    steps, share = size // recipe.batch_size, recipe.batch_size // workers
    labels, stored, prepare = tf.constant(part.labels), reader(part), compose(recipe.train_transforms, view)

    def one_pass(number: Any) -> tf.data.Dataset:
        seeds = tf.stack([tf.cast(seed, tf.int64), number])
        order = tf.random.experimental.stateless_shuffle(tf.range(size, dtype=tf.int64), seed=seeds)
        own = tf.reshape(order[: steps * recipe.batch_size], (steps, workers, share))[:, worker]
        first = tf.where(number == epoch, tf.cast(step, tf.int64), 0)
        chosen = tf.reshape(own[first:], (-1,))
        return tf.data.Dataset.from_tensor_slices((chosen, tf.fill(tf.shape(chosen), number)))

    def example(index: Any, number: Any) -> tuple[Any, Any]:
        key = tf.stack([tf.cast(seed, tf.int64), number * size + index])
        return prepare(stored(index), key), labels[index]

    passes = tf.data.Dataset.range(epoch, recipe.epochs + 1)
    examples = passes.flat_map(one_pass).map(example, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return without_waiting(examples.batch(share // replicas, drop_remainder=True).prefetch(tf.data.AUTOTUNE))


def first_of_pass(
    part: Pixels | Encoded, recipe: Recipe, view: TransformContext, seed: int, epoch: int, count: int
) -> tuple[Any, Any]:
    """The images that a pass begins with, `count` or else all, and their labels: a function of (seed, pass) too."""
    whole = replace(recipe, batch_size=min(count, len(part.labels)), epochs=epoch)
    return next(iter(training_batches(part, whole, view, seed, epoch)))


def validation_batches(
    part: Pixels | Encoded,
    prepare: Callable[[Any], Any],
    batch: int,
    worker: int = 0,
    workers: int = 1,
    replicas: int = 1,
) -> tf.data.Dataset:
    """A worker's share of a part, once: image, label, and 1; a last batch is filled up with images that count 0.

    `prepare` leads from the stored image to the network's input.
    """
    size = len(part.labels)
    share = max(batch // workers, replicas)
    steps = -(-size // (share * workers))
    indices = np.arange(steps * share * workers).reshape(steps, workers, share)[:, worker].ravel()
    stored = reader(part)
    labels = tf.constant(part.labels)

    def example(index: Any) -> tuple[Any, Any, Any]:
        there = index % size
        return prepare(stored(there)), labels[there], tf.cast(index < size, tf.float32)

    examples = tf.data.Dataset.from_tensor_slices(indices).map(example, num_parallel_calls=tf.data.AUTOTUNE)
    return without_waiting(examples.batch(share // replicas, drop_remainder=True).prefetch(tf.data.AUTOTUNE))
