"""The scores that a trained network gives the images of a split, by a protocol."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from reproductions.lab.data.base import EncodedImages, Images, InMemoryImages
from reproductions.lab.data.pipeline import do_not_convert, reader, unwrap_tf_errors, without_autotune
from reproductions.lab.data.transforms import decode
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import crops
from reproductions.lab.evaluation.crops import CropFunction, ImageFunction, Preprocessing
from reproductions.lab.evaluation.fully_convolutional import fully_convolutional
from reproductions.lab.evaluation.partial_scores import PartialScores
from reproductions.lab.progress import progress
from reproductions.lab.spec.protocols import Protocol

BATCH_SIZE = 200  # crops per forward pass and device

Groups = list[np.ndarray]
Sizes = Sequence[tuple[int, ...]]


@dataclass(frozen=True)
class ScoringJob:
    """One prediction over all images.

    Attributes:
        groups: Indices of the images, one array for each batch.
        batches: Function from groups to a data set with a batch for each.
        network: Network from a batch to scores.
    """

    groups: Groups
    batches: Callable[[Groups], tf.data.Dataset]
    network: keras.Model

    def scores(self, partial: PartialScores, number: int) -> np.ndarray:
        """Return the scores of all images.

        Args:
            partial: Scores that are already there, and where further ones are saved.
            number: Number of the job in the test, from 0.

        Returns:
            Scores (images, classes) by increasing index.
        """
        order = np.concatenate(self.groups)
        with partial.collect(number, len(order)) as collector:
            ends = np.cumsum([0, *map(len, self.groups)])
            complete = int(np.searchsorted(ends, collector.done, side="right")) - 1
            collector.rewind(int(ends[complete]))
            left = self.groups[complete:]
            if left:
                devices = self.network.distribute_strategy.num_replicas_in_sync
                collector.expect([len(group) for group in left])
                batches = self.batches([fill(group, devices) for group in left])
                check_size(batches.element_spec.shape, self.network)
                with unwrap_tf_errors(), progress("test", len(order), "images", collector.done) as collector.progress:
                    self.network.predict(batches, verbose=0, callbacks=[collector])
            found = collector.scores()
        return found[np.argsort(order)]


def check_size(found: tf.TensorShape, network: keras.Model) -> None:
    """Raise UsageError unless batches of this shape fit the network."""
    if not found.is_compatible_with(network.input_shape):
        sizes = ["x".join(map(str, shape[-3:])) for shape in (found, network.input_shape)]
        raise UsageError(
            f"this protocol gives images of {sizes[0]}, but {network.name} takes {sizes[1]}; choose another protocol"
        )


def fill(group: np.ndarray, devices: int) -> np.ndarray:
    """Return the group with its last image repeated, so that every device has an equal share of at least one."""
    return np.append(group, np.repeat(group[-1:], -len(group) % devices))


def class_scores(
    model: keras.Model,
    kind: str,
    images: Images,
    preprocessing: Preprocessing,
    partial: PartialScores | None = None,
) -> np.ndarray:
    """Return the scores of images by a protocol: of logits, the mean of their softmax over all crops.

    Args:
        model: The network as it was trained.
        kind: What it returns, `Network.outputs`. Penalties have no softmax: scores are their negated mean.
        images: Images of a split.
        preprocessing: The protocol, the transforms and their context.
        partial: Where unfinished scores are saved; by default they are not.

    Returns:
        Scores (images, classes), float32, of which the largest wins.

    Raises:
        UsageError: If images, network and protocol do not fit each other, or scores are not finite.
    """
    indices, partial = tested_images(images, preprocessing.protocol), partial or PartialScores()
    number, means = 0, []
    for protocol in preprocessing.protocol.components():
        own = []
        for job in scoring_jobs(model, kind, images, replace(preprocessing, protocol=protocol), indices):
            own.append(job.scores(partial, number))
            number += 1
        means.append(np.mean(own, axis=0))
    scores: np.ndarray = np.asarray(np.mean(means, axis=0), np.float32)
    if not np.isfinite(scores).all():
        raise UsageError(f"{model.name} gives NaN or infinite scores: its weights have diverged; retrain it")
    return scores


def tested_images(images: Images, protocol: Protocol) -> np.ndarray:
    """Return the indices of the images that a protocol tests, in increasing order.

    Raises:
        UsageError: If the protocol leaves out blacklisted images and the data have no blacklist.
    """
    if protocol.blacklisted:
        return np.arange(len(images.labels))
    blacklisted = getattr(images, "blacklisted", None)
    if blacklisted is None:
        raise UsageError(
            f"{protocol.name!r} leaves out blacklisted images, but these data have no blacklist; "
            "only the validation images of ILSVRC-2012 have one"
        )
    return np.flatnonzero(~np.asarray(blacklisted))


def scoring_jobs(
    model: keras.Model, kind: str, images: Images, preprocessing: Preprocessing, indices: np.ndarray
) -> list[ScoringJob]:
    """Return the jobs of a protocol: one for all crops, or one for each scale of a dense test."""
    protocol, size = preprocessing.protocol, preprocessing.context.size
    if isinstance(images, InMemoryImages) and protocol.region != "stored":
        raise UsageError(
            f"{protocol.name!r} takes crops of photographs, but these images are stored at a fixed size; "
            "test them by 'whole image' or by patches"
        )
    if protocol.region == "stored" and not isinstance(images, InMemoryImages):
        check_stored_sizes(images, indices, protocol, size)
    devices = model.distribute_strategy.num_replicas_in_sync
    if not protocol.dense:
        most = max(1, BATCH_SIZE // protocol.crops_per_image) * devices
        groups = [indices[first : first + most] for first in range(0, len(indices), most)]
        batches = functools.partial(crop_batches, images, crops_of=crops.crop_function(preprocessing))
        return [ScoringJob(groups, batches, crop_network(model, kind, protocol.crops_per_image))]
    network, sizes, jobs = dense_network(model, protocol.mirrored), stored_sizes(images, indices), []
    for side in protocol.short_sides_for(size):
        most = max(1, BATCH_SIZE * size**2 // (2 * side**2)) * devices
        batches = functools.partial(uncropped_batches, images, prepare=crops.uncropped_function(preprocessing, side))
        jobs.append(ScoringJob(groups_by_size(indices, sizes, most), batches, network))
    return jobs


def check_stored_sizes(images: EncodedImages, indices: np.ndarray, protocol: Protocol, size: int) -> None:
    """Raise UsageError if a photograph is too small for a protocol that takes it as it is stored, or must fit."""
    whole = protocol.crops == ("whole",)
    with unwrap_tf_errors():
        sizes = stored_sizes(images, indices)
    for index, (height, width) in zip(indices, sizes):
        if min(height, width) < size or (whole and (height, width) != (size, size)):
            name, wanted = getattr(images, "filenames", indices)[index], "of" if whole else "of at least"
            raise UsageError(
                f"{protocol.name!r} takes images as they are stored, {wanted} {size} x {size} pixels, but "
                f"{name} has {height} x {width}: choose another protocol"
            )


# --- Batches


def crop_batches(images: Images, groups: Groups, crops_of: CropFunction) -> tf.data.Dataset:
    """Return batches of all crops of each image, which is decoded once: (images, crops, height, width, channels)."""
    stored = reader(images)
    indices = tf.data.Dataset.from_tensor_slices(np.concatenate(groups).astype(np.int64))
    crops = do_not_convert(lambda i: crops_of(stored(i), i))
    stacks = indices.map(crops, num_parallel_calls=tf.data.AUTOTUNE)
    return without_autotune(stacks.batch(len(groups[0])).prefetch(2))


def stored_sizes(images: Images, indices: np.ndarray) -> Sizes:
    """Return height and width of each encoded image, from the headers of the files."""
    stored = reader(images)
    dataset = tf.data.Dataset.from_tensor_slices(indices.astype(np.int64))
    sizes = dataset.map(lambda i: tf.stack(decode.jpeg_size(stored(i))), num_parallel_calls=tf.data.AUTOTUNE)
    return [tuple(map(int, size)) for size in without_autotune(sizes).as_numpy_iterator()]


def groups_by_size(indices: np.ndarray, sizes: Sizes, most: int) -> Groups:
    """Return groups of at most `most` images of one size: padded to a common size, their scores would change."""
    by_size: dict[tuple[int, ...], list[int]] = {}
    for index, size in zip(indices, sizes):
        by_size.setdefault(size, []).append(int(index))
    return [np.array(own[first : first + most]) for own in by_size.values() for first in range(0, len(own), most)]


def uncropped_batches(images: Images, groups: Groups, prepare: ImageFunction) -> tf.data.Dataset:
    """Return batches of uncropped images, one for each group: (images, height, width, 3)."""
    stored, spec = reader(images), tf.TensorSpec((None, None, 3), tf.float32)
    lengths = [len(group) for group in groups]
    rows = tf.RaggedTensor.from_row_lengths(np.concatenate(groups).astype(np.int64), lengths)

    def batch(group: tf.Tensor) -> tf.Tensor:
        return tf.map_fn(lambda i: prepare(stored(i)), group, fn_output_signature=spec)

    batches = tf.data.Dataset.from_tensor_slices(rows).map(batch, num_parallel_calls=tf.data.AUTOTUNE)
    return without_autotune(batches.prefetch(2))


# --- Networks that return the scores of an image


def main_output(model: keras.Model) -> keras.KerasTensor:
    """Return the first output of a network: the others are auxiliary classifiers for training."""
    output = model.output
    if isinstance(output, dict):  # in its own order, whereas keras.tree.flatten sorts by name
        return next(iter(output.values()))
    return output[0] if isinstance(output, (list, tuple)) else output


def to_scores(outputs: keras.KerasTensor, kind: str) -> keras.KerasTensor:
    """Return float32 scores, of which the largest wins: the softmax of logits, or negated penalties."""
    exact = ops.cast(outputs, "float32")
    return ops.softmax(exact) if kind == "logits" else -exact


def predictor(model: keras.Model, images: keras.KerasTensor, scores: keras.KerasTensor) -> keras.Model:
    """Return a network for `predict`; without XLA, so that a test has the same result in every process."""
    network = keras.Model(images, scores, name=model.name)
    network.jit_compile = False
    return network


def crop_network(model: keras.Model, kind: str, count: int) -> keras.Model:
    """Return a network from (batch, crops, height, width, channels) to scores averaged over the crops.

    Args:
        model: Network from a crop to logits or penalties.
        kind: Which of these, `Network.outputs`.
        count: Number of crops per image.

    Returns:
        Network with the output (batch, classes).
    """
    shape = model.input_shape[1:]
    with model.distribute_strategy.scope():
        one = keras.Model(model.inputs[0], main_output(model), name=model.name)
        images = keras.Input((count, *shape), name="crops")
        scores = to_scores(one(ops.reshape(images, (-1, *shape))), kind)
        return predictor(model, images, ops.mean(ops.reshape(scores, (-1, count, scores.shape[-1])), axis=1))


def dense_network(model: keras.Model, mirrored: bool) -> keras.Model:
    """Return a network from images of any size to scores: the softmax of the average of a map of logits.

    Args:
        model: Network to make fully convolutional.
        mirrored: Whether to average the scores of the image and of its mirror image.

    Returns:
        Network from (batch, height, width, channels) to (batch, classes).
    """
    wide = fully_convolutional(model)
    with model.distribute_strategy.scope():
        images = keras.Input((None, None, model.input_shape[-1]), name="images")
        inputs = [images, ops.flip(images, axis=2)] if mirrored else [images]
        scores = [to_scores(ops.mean(wide(each), axis=(1, 2)), "logits") for each in inputs]
        return predictor(model, images, ops.mean(ops.stack(scores), axis=0))
