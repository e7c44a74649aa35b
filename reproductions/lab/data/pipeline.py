"""Input pipelines: from a split of a data set to batches."""

from __future__ import annotations

import atexit
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from reproductions.lab.data.base import Images, InMemoryImages
from reproductions.lab.data.transforms.registry import TransformContext, compose
from reproductions.lab.errors import UsageError
from reproductions.lab.spec.recipe import Recipe

QUIET_SECONDS = 0.2


@dataclass(frozen=True)
class DataPosition:
    """Where training batches begin.

    Attributes:
        seed: Seed of the order of images and of random transforms.
        epoch: Epoch, from 1.
        step: Number of batches of the epoch to skip.
    """

    seed: int
    epoch: int
    step: int = 0


@dataclass(frozen=True)
class WorkerShard:
    """The share of every batch that one worker reads.

    A batch is cut into equal shares for the workers, and each of these into equal shares for the worker's replicas,
    which come one after the other.

    Attributes:
        worker: Index of the worker.
        workers: Number of workers.
        replicas: Number of replicas of each worker.
    """

    worker: int = 0
    workers: int = 1
    replicas: int = 1


WHOLE_BATCH = WorkerShard()

# For functions without loops and conditions on tensors, which autograph takes long to read.
do_not_convert = tf.autograph.experimental.do_not_convert


class Reads:
    """The reads of all pipelines, which end before Python does.

    A pipeline that is alive when Python ends is taken down then, and waits for its reads. These wait in turn for
    Python's lock, which they never get again: the process would hang. So from the beginning of the end on, reads fail
    at once, until the pipelines ask for no more.

    Attributes:
        count: Number of reads.
        ending: Whether Python ends.
    """

    def __init__(self) -> None:
        self.count, self.ending = 0, False
        atexit.register(self.end)

    def counted(self, read: Callable[[int], bytes]) -> Callable[[int], bytes]:
        """Return a function that reads an image, or fails if Python ends."""

        def counted_read(index: int) -> bytes:
            self.count += 1
            if self.ending:
                raise StopIteration
            return read(index)

        return counted_read

    def end(self) -> None:
        """Wait until there were no reads for a while."""
        self.ending, before = True, -1
        while self.count not in (0, before):
            before = self.count
            time.sleep(QUIET_SECONDS)


READS = Reads()


def reader(images: Images) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a function from an index to the stored image, for use in a tf.data pipeline."""
    if isinstance(images, InMemoryImages):
        pixels = tf.constant(images.images)
        return lambda index: tf.gather(pixels, index)
    read = READS.counted(images.read)
    return lambda index: tf.ensure_shape(tf.numpy_function(read, [index], tf.string, stateful=False), ())


def without_autotune(examples: tf.data.Dataset) -> tf.data.Dataset:
    """Return the pipeline without autotuning, whose thread sleeps for up to a minute and delays the end."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return examples.with_options(options)


@contextmanager
def unwrap_tf_errors() -> Iterator[None]:
    """Raise a `UsageError` from within a pipeline as such, without TensorFlow's additions."""
    try:
        yield
    except tf.errors.OpError as error:
        message = re.search(r"UsageError: (.*)", str(error))
        if message is None:
            raise
        raise UsageError(message.group(1)) from None


def training_batches(
    images: Images,
    recipe: Recipe,
    context: TransformContext,
    position: DataPosition,
    shard: WorkerShard = WHOLE_BATCH,
) -> tf.data.Dataset:
    """Return the batches from a position to the last epoch: a pure function of (seed, epoch, step).

    Every epoch has its own order. Images left over at its end, fewer than a batch, are dropped.

    Args:
        images: Images to train on.
        recipe: Recipe with the transforms, the batch size and the number of epochs.
        context: Context of the transforms.
        position: Where the batches begin.
        shard: Share of each batch to return.

    Returns:
        Data set of (images, labels), one element per replica and batch.
    """
    size, worker = len(images.labels), shard.worker
    steps, share = size // recipe.batch_size, recipe.batch_size // shard.workers
    labels, stored, prepare = tf.constant(images.labels), reader(images), compose(recipe.train_transforms, context)
    seed = tf.cast(position.seed, tf.int64)

    @do_not_convert
    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(tf.range(size, dtype=tf.int64), seed=tf.stack([seed, epoch]))
        own = tf.reshape(order[: steps * recipe.batch_size], (steps, shard.workers, share))[:, worker]
        first = tf.where(epoch == position.epoch, tf.cast(position.step, tf.int64), 0)
        indices = tf.reshape(own[first:], (-1,))
        return tf.data.Dataset.from_tensor_slices((indices, tf.fill(tf.shape(indices), epoch)))

    @do_not_convert
    def example(index: tf.Tensor, epoch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        key = tf.stack([seed, epoch * size + index])
        return prepare(stored(index), key), labels[index]

    epochs = tf.data.Dataset.range(position.epoch, recipe.epochs + 1)
    examples = epochs.flat_map(one_epoch).map(example, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return batched(examples, share, shard)


def first_of_epoch(
    images: Images, recipe: Recipe, context: TransformContext, position: DataPosition, count: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the first images of an epoch, as `training_batches` transforms and orders them.

    Args:
        images: Images to train on.
        recipe: Recipe with the transforms.
        context: Context of the transforms.
        position: Seed and epoch.
        count: Number of images; at most all are returned.

    Returns:
        Images and labels.
    """
    recipe = replace(recipe, batch_size=min(count, len(images.labels)), epochs=position.epoch)
    return next(iter(training_batches(images, recipe, context, position)))


def validation_batches(
    images: Images,
    prepare: Callable[[tf.Tensor], tf.Tensor],
    batch_size: int,
    shard: WorkerShard = WHOLE_BATCH,
) -> tf.data.Dataset:
    """Return the batches of a split, once.

    Args:
        images: Images of the split.
        prepare: Function from a stored image to the input of the network.
        batch_size: Images per batch, over all workers and replicas.
        shard: Share of each batch to return.

    Returns:
        Data set of (images, labels, weights). The last batch is filled up with images of weight 0; all others have 1.
    """
    size = len(images.labels)
    share = max(batch_size // shard.workers, shard.replicas)
    steps = -(-size // (share * shard.workers))
    indices = np.arange(steps * share * shard.workers).reshape(steps, shard.workers, share)[:, shard.worker].ravel()
    labels, stored = tf.constant(images.labels), reader(images)

    @do_not_convert
    def example(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        wrapped = index % size
        return prepare(stored(wrapped)), labels[wrapped], tf.cast(index < size, tf.float32)

    examples = tf.data.Dataset.from_tensor_slices(indices).map(example, num_parallel_calls=tf.data.AUTOTUNE)
    return batched(examples, share, shard)


def batched(examples: tf.data.Dataset, share: int, shard: WorkerShard) -> tf.data.Dataset:
    """Return batches of one replica each."""
    batches = examples.batch(share // shard.replicas, drop_remainder=True)
    return without_autotune(batches.prefetch(tf.data.AUTOTUNE))
