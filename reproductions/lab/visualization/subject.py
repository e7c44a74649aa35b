"""What a picture is made of: a trained network, and an image as it sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from reproductions.lab.data import registry
from reproductions.lab.data.class_names import class_names
from reproductions.lab.data.transforms.registry import TransformContext, needs_statistics
from reproductions.lab.evaluation import tested
from reproductions.lab.evaluation.evaluate import validation_transform
from reproductions.lab.evaluation.scores import main_output, to_scores
from reproductions.lab.evaluation.tested import Tested
from reproductions.lab.results.picture_record import ImageSource
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.spec.study import Network
from reproductions.lab.visualization.graph import Graph, Values, forward, graph_of
from reproductions.lab.visualization.images import Stored


@dataclass(frozen=True)
class Subject:
    """A trained network.

    Attributes:
        model: The model.
        network: Its specification.
        recipe: Recipe with its test transforms.
        found: Where it is.
        data_dir: Folder of the data.
    """

    model: keras.Model
    network: Network
    recipe: Recipe
    found: Tested
    data_dir: Path | None = None

    @cached_property
    def graph(self) -> Graph:
        """The steps of the network."""
        return graph_of(self.model)

    @property
    def title(self) -> str:
        """Name of the network, and of who trained it if this suite did not."""
        provenance = self.found.provenance
        publisher = provenance.publisher.partition(" (")[0] if provenance else ""
        return f"{self.network.name} ({publisher})" if publisher else self.network.name

    @property
    def probable(self) -> bool:
        """Whether scores are probabilities; else they are negated penalties."""
        return self.network.outputs == "logits"

    @property
    def classes(self) -> Sequence[str]:
        """Names of the classes; of those with several, the first."""
        count = main_output(self.model).shape[-1]
        return [name.split(",")[0] for name in class_names(self.recipe.dataset, count)]

    @property
    def score_layer(self) -> str:
        """Name of the layer that returns the scores."""
        output = id(main_output(self.model))
        return next(step.name for step in self.graph.steps if step.output == output)

    def scores(self, inputs: np.ndarray) -> np.ndarray:
        """Return the probabilities, or negated penalties, of images (n, height, width, channels): (n, classes)."""
        output = self.model(ops.convert_to_tensor(inputs), training=False)
        main = next(iter(output.values())) if isinstance(output, dict) else output
        return np.asarray(ops.convert_to_numpy(to_scores(main, self.network.outputs)))

    def values(self, inputs: np.ndarray) -> Values:
        """Return what each step computes for one image (height, width, channels)."""
        return forward(self.graph, ops.convert_to_tensor(inputs[None]))


@dataclass(frozen=True)
class Shown:
    """An image as a network sees it.

    Attributes:
        inputs: (height, width, channels) float32.
        cover: Image of this shape that a square covers it with, as the network sees it.
        pixels: (height, width, 3) in 0..1, to look at.
        source: Where it comes from.
    """

    inputs: np.ndarray
    cover: np.ndarray
    pixels: np.ndarray
    source: ImageSource


def load(found: Tested, data_dir: Path | None = None) -> Subject:
    """Return the trained network that was found; UsageError if it is damaged."""
    return Subject(tested.load(found), found.network, tested.recipe_of(found), found, data_dir)


def show(subject: Subject, stored: Stored) -> Shown:
    """Return an image as the network sees it: the first crop of its test protocol.

    Args:
        subject: The network.
        stored: The image.

    Raises:
        UsageError: If the data that the preparation needs are missing.
    """
    recipe = subject.recipe
    transforms = recipe.test_transforms or recipe.train_transforms
    statistics = registry.load(recipe.dataset, subject.data_dir).statistics if needs_statistics(transforms) else None
    context = TransformContext(subject.model.input_shape[1], statistics)
    prepare = validation_transform(recipe, context)
    inputs, cover = (np.asarray(prepare(tf.constant(each)), np.float32) for each in (stored.image, stored.cover))
    pixels = None
    if not isinstance(stored.image, np.ndarray) or stored.image.dtype == np.uint8:
        plain = validation_transform(replace(recipe, train_transforms=(), test_transforms=()), context)
        pixels = np.asarray(plain(tf.constant(stored.image)), np.float32) / 255
    if pixels is None or pixels.shape != inputs.shape:
        pixels = stretched(inputs)
    return Shown(inputs, cover, np.broadcast_to(np.clip(pixels, 0, 1), (*inputs.shape[:2], 3)), stored.source)


def stretched(values: np.ndarray) -> np.ndarray:
    """Return an array stretched to 0..1."""
    low, high = values.min(), values.max()
    return np.asarray((values - low) / max(high - low, 1e-12))
