"""The networks that a classifier combines, each trained as a run of its own in the folder of the classifier's run."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from reproductions.lab.classifiers.boosting import Patterns, Scores
from reproductions.lab.data import pipeline
from reproductions.lab.data.base import Dataset, InMemoryImages
from reproductions.lab.data.transforms.registry import TransformContext
from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.evaluation import evaluate, networks
from reproductions.lab.results import run_record
from reproductions.lab.results.run_record import Record
from reproductions.lab.spec import recipe_files
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.spec.study import Network, Study
from reproductions.lab.training.options import MAX_SEED, TrainOptions
from reproductions.lab.training.plan import Plan, check_recipe, check_record, steps_per_epoch
from reproductions.lab.training.train import train_planned

BLOCK = 1000  # images at a time


@dataclass
class MemberTrainer:
    """Trains networks of one kind; see `reproductions.lab.classifiers.boosting.Trainer`.

    Attributes:
        study: The paper.
        network: One of its networks.
        recipe: Recipe of each network.
        options: Options of each run; the seed and the folder are those of the classifier's run.
        data: Data set, whose images for training are given later.
        records: Records of the networks that were trained.
        earlier_seconds: Time that was spent on them in earlier sessions.
    """

    study: Study
    network: Network
    recipe: Recipe
    options: TrainOptions
    data: Dataset
    records: list[Record] = field(default_factory=list)
    earlier_seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.options.run_dir is None:
            raise ValueError("the folder of the classifier's run is not given")
        self.folder = self.options.run_dir

    @cached_property
    def context(self) -> TransformContext:
        """Context of the transforms."""
        size = networks.build(self.network, self.recipe, self.data.classes).input_shape[1]
        return TransformContext(size, self.data.statistics)

    def seed(self, number: int) -> int:
        """Return the seed of a network, which follows from that of the classifier."""
        return int(np.random.SeedSequence((self.options.seed, number)).generate_state(1)[0]) % (MAX_SEED + 1)

    def train(self, number: int, patterns: Patterns, prepared: bool) -> Scores:
        """Train a network, or continue its run; see `Trainer.train`."""
        images = InMemoryImages(*patterns) if prepared else stored(patterns)
        recipe = replace(self.recipe, train_transforms=()) if prepared else self.recipe
        data = self.data_of(number, images)
        print(f"network {number}: {len(images.labels):,} patterns", flush=True)
        steps_per_epoch(recipe, images, data.name)
        options = replace(self.options, seed=self.seed(number), run_dir=self.folder / f"network{number}")
        planned, start = Plan(self.study, self.network, options, recipe, data), time.perf_counter()
        check_record(planned)
        folder = train_planned(planned)
        assert folder is not None  # there is one worker
        record = run_record.read(folder / "record.json")
        self.records.append(record)
        self.earlier_seconds += max(0.0, record.wall_seconds - (time.perf_counter() - start))
        return scores_of(networks.trained(folder, self.network, record), self.network.outputs)

    def data_of(self, number: int, images: InMemoryImages) -> Dataset:
        """Return the data set on which a network is trained; what is trained on is not validated."""
        digest = hashlib.sha256(self.data.sha256.encode())
        for array in images:
            digest.update(array.tobytes())
        return replace(
            self.data,
            name=f"{self.data.name}, patterns of network {number}",
            sha256=digest.hexdigest(),
            train=images,
            validation=images.take(0) if "validation" in self.recipe.splits else self.data.validation,
        )

    def copies(self, number: int, patterns: Patterns, count: int) -> Iterator[Patterns]:
        """Yield copies of images; see `Trainer.copies`."""
        images = stored(patterns)
        recipe = replace(self.recipe, batch_size=min(BLOCK, len(images.labels)), epochs=count)
        position = pipeline.DataPosition(self.seed(number), epoch=1)
        for batch in pipeline.training_batches(images, recipe, self.context, position).as_numpy_iterator():
            yield Patterns(*batch)

    def inputs(self, images: np.ndarray) -> np.ndarray:
        """Return images as they are prepared in a test."""
        unlabelled = stored(Patterns(images, np.zeros(len(images), np.uint8)))
        prepare = evaluate.validation_transform(self.recipe, self.context)
        batches = pipeline.validation_batches(unlabelled, prepare, BLOCK).as_numpy_iterator()
        return np.concatenate([batch for batch, *_ in batches])[: len(images)]


def stored(patterns: Patterns) -> InMemoryImages:
    """Return images with pixels in 0..1 as they are stored, in grey levels."""
    return InMemoryImages(np.rint(255 * patterns.images).astype(np.uint8), patterns.labels)


def scores_of(model: keras.Model, outputs: str) -> Scores:
    """Return a function from inputs to the outputs of a network, negated if they are penalties."""
    sign = 1 if outputs == "logits" else -1
    signature = [tf.TensorSpec((None, *model.input_shape[1:]))]
    run = tf.function(lambda inputs: sign * model(inputs, training=False), input_signature=signature)

    def scores(inputs: np.ndarray) -> np.ndarray:
        return np.concatenate([run(inputs[first : first + BLOCK]).numpy() for first in range(0, len(inputs), BLOCK)])

    return scores


def find_network(name: object, study: Study) -> Network:
    """Return the network of this name; UsageError if the paper has none."""
    known = {network.name: network for network in study.networks}
    if name not in known:
        raise unknown(f"network of {study.name}", str(name), known)
    return known[str(name)]


def recipe_of(fields: object, classifier: str) -> Recipe:
    """Return the recipe that a step of a classifier holds as data.

    Raises:
        UsageError: If a field is missing or does not fit.
    """
    source = Path(classifier)  # which error messages name
    if not isinstance(fields, Mapping):
        raise UsageError(f"the recipe of the networks of {classifier} must be fields by name; got {fields!r}")
    try:
        recipe = Recipe(**recipe_files.field_values(fields, Recipe, source, "$.recipe"))
    except TypeError as error:  # Recipe.__init__() missing 1 required positional argument: 'loss'
        raise UsageError(f"the recipe of the networks of {classifier} is not whole: {error}") from None
    check_recipe(recipe, source)
    return recipe
