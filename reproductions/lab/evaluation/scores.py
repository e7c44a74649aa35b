"""From a trained network and a part of a data set to the scores that a protocol gives every image."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from reproductions.lab.data.base import Encoded, Pixels
from reproductions.lab.data.pipeline import plainly, reader, without_waiting
from reproductions.lab.data.transforms import decode
from reproductions.lab.data.transforms.registry import TransformContext
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import crops
from reproductions.lab.evaluation.fully_convolutional import fully_convolutional
from reproductions.lab.evaluation.partial_scores import Partial
from reproductions.lab.spec.protocols import Protocol
from reproductions.lab.spec.recipe import Transform

BATCH = 200  # views that pass through the network together, on each device

Groups = list[np.ndarray]


@dataclass(frozen=True)
class Sitting:
    """One pass over all images: groups of their indices, what gives a batch a group, and the network that takes it."""

    groups: Groups
    batches: Callable[[Groups], tf.data.Dataset]
    network: keras.Model

    def scores(self, partial: Partial, number: int) -> np.ndarray:
        """Scores (images, classes) in the order of the indices."""
        order = np.concatenate(self.groups)
        with partial.keeping(number, len(order)) as kept:
            ends = np.cumsum([0, *map(len, self.groups)])
            whole = int(np.searchsorted(ends, kept.done, side="right")) - 1
            kept.rewind(int(ends[whole]))
            left = self.groups[whole:]
            if left:
                devices = self.network.distribute_strategy.num_replicas_in_sync
                kept.expect([len(group) for group in left])
                filled = [fill(group, devices) for group in left]
                batches = self.batches(filled)
                check_size(batches.element_spec.shape, self.network)
                with plainly():
                    self.network.predict(batches, verbose=0, callbacks=[kept])
            found = kept.scores()
        return found[np.argsort(order)]


def check_size(found: tf.TensorShape, network: keras.Model) -> None:
    """UsageError where the views of a protocol are not what the network takes."""
    if not found.is_compatible_with(network.input_shape):
        sizes = ["x".join(map(str, shape[-3:])) for shape in (found, network.input_shape)]
        raise UsageError(
            f"this protocol gives {network.name} images of {sizes[0]}, but it takes {sizes[1]}: name another"
        )


def fill(group: np.ndarray, devices: int) -> np.ndarray:
    """The group with its last image repeated, so that each device has an equal share: none may be left without."""
    return np.append(group, np.repeat(group[-1:], -len(group) % devices))


def class_scores(
    model: keras.Model,
    kind: str,
    part: Pixels | Encoded,
    protocol: Protocol,
    steps: Sequence[Transform],
    view: TransformContext,
    partial: Partial | None = None,
) -> np.ndarray:
    """Scores (images, classes) float32, the largest wins: the mean over all views of the softmax of the logits.

    For penalties, which have no softmax, their mean with the sign turned. `model` is the network as it was trained,
    `kind` the `outputs` of its Network. What is done is kept by `partial`, for an interrupted test to go on from.
    Raises UsageError where part, network and protocol do not fit each other.
    """
    indices, partial = images_of(part, protocol), partial or Partial()
    number, means = 0, []
    for each in protocol.components():
        own = []
        for sitting in sittings(model, kind, part, each, indices, steps, view):
            own.append(sitting.scores(partial, number))
            number += 1
        means.append(np.mean(own, axis=0))
    scores: np.ndarray = np.asarray(np.mean(means, axis=0), np.float32)
    if not np.isfinite(scores).all():
        raise UsageError(f"{model.name} gives scores that are no numbers: its weights have diverged")
    return scores


def images_of(part: Pixels | Encoded, protocol: Protocol) -> np.ndarray:
    """The indices of the images that are tested on, in their order."""
    if protocol.blacklisted:
        return np.arange(len(part.labels))
    blacklisted = getattr(part, "blacklisted", None)
    if blacklisted is None:
        raise UsageError(f"{protocol.name!r}: these data have no blacklist; it is of ILSVRC-2012's validation images")
    return np.flatnonzero(~np.asarray(blacklisted))


def sittings(
    model: keras.Model,
    kind: str,
    part: Pixels | Encoded,
    protocol: Protocol,
    indices: np.ndarray,
    steps: Sequence[Transform],
    view: TransformContext,
) -> list[Sitting]:
    """The passes that a protocol needs: one over all crops, or one at each scale of a dense test."""
    if isinstance(part, Pixels) and protocol.canvas != "stored":
        raise UsageError(
            f"{protocol.name!r} takes crops of photographs; these images are tested by 'whole image' or patches"
        )
    devices = model.distribute_strategy.num_replicas_in_sync
    if not protocol.dense:
        most = max(1, BATCH // protocol.views) * devices
        cuts = [indices[first : first + most] for first in range(0, len(indices), most)]
        views = crops.stacked(protocol, steps, view)
        return [Sitting(cuts, lambda left: view_batches(part, left, views), over_views(model, kind, protocol.views))]
    wide, sizes, found = over_map(model, protocol.mirrored), stored_sizes(part, indices), []
    for side in protocol.sides(view.size):
        most = max(1, BATCH * view.size**2 // (2 * side**2)) * devices
        prepare = crops.whole_pictures(side, steps, view)
        cuts = groups(indices, sizes, most)
        found.append(Sitting(cuts, functools.partial(picture_batches, part, prepare=prepare), wide))
    return found


# --- Batches


def view_batches(part: Pixels | Encoded, cuts: Groups, views: Callable[[Any, Any], Any]) -> tf.data.Dataset:
    """All views of each image, which is decoded once: (images, views, height, width, channels)."""
    stored = reader(part)
    images = tf.data.Dataset.from_tensor_slices(np.concatenate(cuts).astype(np.int64))
    stacks = images.map(lambda i: views(stored(i), i), num_parallel_calls=tf.data.AUTOTUNE)
    return without_waiting(stacks.batch(len(cuts[0])).prefetch(2))


def stored_sizes(part: Any, indices: np.ndarray) -> list[tuple[int, ...]]:
    """Height and width of each picture, from the headers of the files."""
    stored = reader(part)
    images = tf.data.Dataset.from_tensor_slices(indices.astype(np.int64))
    sizes = images.map(lambda i: tf.stack(decode.jpeg_size(stored(i))), num_parallel_calls=tf.data.AUTOTUNE)
    return [tuple(map(int, size)) for size in without_waiting(sizes).as_numpy_iterator()]


def groups(indices: np.ndarray, sizes: Sequence[tuple[int, ...]], most: int) -> Groups:
    """Groups of pictures of equal size, `most` at a time: padded to one size, their scores would change."""
    by_size: dict[tuple[int, ...], list[int]] = {}
    for index, size in zip(indices, sizes):
        by_size.setdefault(size, []).append(int(index))
    return [np.array(own[first : first + most]) for own in by_size.values() for first in range(0, len(own), most)]


def picture_batches(part: Any, grouped: Groups, prepare: Callable[[Any], Any]) -> tf.data.Dataset:
    """Whole pictures, a batch a group: (images, height, width, 3)."""
    stored, one = reader(part), tf.TensorSpec((None, None, 3), tf.float32)
    lengths = [len(group) for group in grouped]
    rows = tf.RaggedTensor.from_row_lengths(np.concatenate(grouped).astype(np.int64), lengths)

    def batch(group: Any) -> Any:
        return tf.map_fn(lambda i: prepare(stored(i)), group, fn_output_signature=one)

    pictures = tf.data.Dataset.from_tensor_slices(rows).map(batch, num_parallel_calls=tf.data.AUTOTUNE)
    return without_waiting(pictures.prefetch(2))


# --- Networks that give an image's scores


def main_output(model: keras.Model) -> Any:
    """The first of a network's outputs: the others are heads that only training needs."""
    output = model.output
    if isinstance(output, dict):
        return next(iter(output.values()))
    return output[0] if isinstance(output, (list, tuple)) else output


def scores_of(outputs: Any, kind: str) -> Any:
    """Scores, the largest of which wins: the softmax of logits, or penalties with their sign turned."""
    exact = ops.cast(outputs, "float32")
    return ops.softmax(exact) if kind == "logits" else -exact


def testing(model: keras.Model, images: Any, scores: Any) -> keras.Model:
    """A network to predict with; without XLA, so that a test gives the same in whichever process it is made."""
    made = keras.Model(images, scores, name=f"{model.name}-tested")
    made.jit_compile = False
    return made


def over_views(model: keras.Model, kind: str, views: int) -> keras.Model:
    """(batch, views, height, width, channels) to (batch, classes): scores averaged over the views."""
    shape = model.input_shape[1:]
    with model.distribute_strategy.scope():
        one = keras.Model(model.inputs[0], main_output(model), name=model.name)
        images = keras.Input((views, *shape), name="views")
        scores = scores_of(one(ops.reshape(images, (-1, *shape))), kind)
        return testing(model, images, ops.mean(ops.reshape(scores, (-1, views, scores.shape[-1])), axis=1))


def over_map(model: keras.Model, mirrored: bool) -> keras.Model:
    """(batch, height, width, 3) of any size to (batch, classes): maps of logits averaged, then softmax."""
    wide = fully_convolutional(model)
    with model.distribute_strategy.scope():
        images = keras.Input((None, None, model.input_shape[-1]), name="pictures")
        seen = [images, ops.flip(images, axis=2)] if mirrored else [images]
        scores = [scores_of(ops.mean(wide(each), axis=(1, 2)), "logits") for each in seen]
        return testing(model, images, ops.mean(ops.stack(scores), axis=0))
