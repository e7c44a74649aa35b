"""Evaluation of trained networks by the papers' protocols, on images that were not used for training or selection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from reproductions.lab.data.base import Dataset
from reproductions.lab.data.transforms.registry import TransformContext
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import networks
from reproductions.lab.evaluation.crops import ImageFunction, Preprocessing, crop_function
from reproductions.lab.evaluation.partial_scores import SAVE_EVERY, PartialScores
from reproductions.lab.evaluation.scores import class_scores, main_output, tested_images
from reproductions.lab.results import predictions
from reproductions.lab.results.entries import EvaluationResult
from reproductions.lab.results.predictions import Predictions
from reproductions.lab.spec import protocols
from reproductions.lab.spec.protocols import Protocol
from reproductions.lab.spec.recipe import Recipe, Transform
from reproductions.lab.spec.study import Network


@dataclass(frozen=True)
class EvaluationTask:
    """What is evaluated, on what, and how.

    Attributes:
        model: The trained network.
        network: Its specification, including whether it returns logits or penalties.
        recipe: The recipe it was trained by, with the transforms.
        data: Data set whose test split is evaluated.
        protocol: Test protocol; by default that of the recipe.
    """

    model: keras.Model
    network: Network
    recipe: Recipe
    data: Dataset
    protocol: Protocol | None = None

    @property
    def test_protocol(self) -> Protocol:
        """The protocol, that of the recipe if none is given."""
        return self.protocol or protocols.find(self.recipe.protocol)

    @property
    def indices(self) -> np.ndarray:
        """Indices of the images that are tested."""
        return tested_images(self.data.test, self.test_protocol)

    @property
    def labels(self) -> np.ndarray:
        """Labels of the images that are tested, int64."""
        return np.asarray(self.data.test.labels)[self.indices].astype(np.int64)

    @property
    def names(self) -> np.ndarray:
        """Names of the images that are tested: those of their files, or else their indices."""
        names = getattr(self.data.test, "filenames", np.arange(len(self.data.test.labels)))
        return np.asarray(names)[self.indices]

    @property
    def preprocessing(self) -> Preprocessing:
        """What is done to an image before the network sees it."""
        size = self.model.input_shape[1]
        if size is None:
            raise UsageError(f"{self.model.name} takes images of any size: build it with an input_size to evaluate it")
        protocol = self.test_protocol
        context = TransformContext(size, self.data.statistics)
        return Preprocessing(protocol, transforms_for(self.recipe, protocol), context)

    def metadata(self) -> dict[str, str]:
        """Return what was tested on what, as it is saved with the predictions."""
        return {
            "network": self.network.name,
            "protocol": self.test_protocol.name,
            "dataset": self.data.name,
            "sha256": self.data.sha256,
            "weights": networks.digest(self.model),
        }


def answers(outputs: keras.KerasTensor, kind: str) -> keras.KerasTensor:
    """Return the predicted classes: of the largest logit, or of the smallest penalty.

    Args:
        outputs: Outputs of a network (..., classes).
        kind: "logits" or "penalties".
    """
    return ops.argmax(outputs, axis=-1) if kind == "logits" else ops.argmin(outputs, axis=-1)


def transforms_for(recipe: Recipe, protocol: Protocol) -> Sequence[Transform]:
    """Return the transforms of a test; stored images default to those of training."""
    if protocol.crops == ("random",):
        return recipe.train_transforms
    return recipe.test_transforms or (recipe.train_transforms if protocol.region == "stored" else ())


def validation_transform(recipe: Recipe, context: TransformContext) -> ImageFunction:
    """Return the function from a stored image to the single input that is validated during training.

    That is the first crop of the recipe's protocol for images that are stored at a fixed size, the central part for
    recipes with the protocol "one crop", and the centre crop for all other photographs. Random transforms are not
    applied.

    Args:
        recipe: Recipe of the training.
        context: Context of the transforms.
    """
    protocol = protocols.find(recipe.protocol)
    if protocol.crops == ("random",):
        protocol = protocols.find("whole image")
    if protocol.region not in ("stored", "central part"):
        protocol = protocols.find("centre crop")
    first = replace(protocol, crops=protocol.crops[:1])
    crops_of = crop_function(Preprocessing(first, transforms_for(recipe, protocol), context))
    return lambda image: crops_of(image, tf.zeros((), tf.int64))[0]


def test(
    task: EvaluationTask, tested: Path | None = None, save_every: float = SAVE_EVERY
) -> tuple[EvaluationResult, np.ndarray]:
    """Evaluate a network on the test split by a protocol.

    Args:
        task: What is evaluated, on what, and how.
        tested: Folder of the run, or file of the weights, for which predictions are saved; by default they are not.
            Unfinished scores are saved there too, from which the same call resumes after an interruption.
        save_every: Time between two saves of unfinished scores, in seconds.

    Returns:
        The result, and the scores (images, classes), float32, of which the largest wins.

    Raises:
        UsageError: If data, network and protocol do not fit each other.
    """
    preprocessing, labels = task.preprocessing, task.labels
    check_classes(task.model, labels)
    if tested is None:
        scores = class_scores(task.model, task.network.outputs, task.data.test, preprocessing)
        return predictions.result_of(scores, labels, task.test_protocol.name), scores
    metadata, path = task.metadata(), predictions.path_of(tested, task.test_protocol)
    partial = PartialScores(path, metadata, save_every)
    scores = class_scores(task.model, task.network.outputs, task.data.test, preprocessing, partial)
    Predictions(scores, labels, task.names, metadata).write(path)
    partial.remove()
    return predictions.result_of(scores, labels, task.test_protocol.name), scores


def check_classes(model: keras.Model, labels: np.ndarray) -> None:
    """Raise UsageError unless the network has all classes of the labels."""
    classes = main_output(model).shape[-1]
    if labels.max(initial=0) >= classes:
        raise UsageError(
            f"{model.name} has {classes} classes, but the data have labels up to {labels.max()}; "
            f"build it with at least {labels.max() + 1} classes"
        )
