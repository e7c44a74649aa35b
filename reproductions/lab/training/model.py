"""A network as its recipe needs it: classes, input size, auxiliary outputs, initial weights."""

from __future__ import annotations

import hashlib
from pathlib import Path

import keras
import tensorflow as tf

from reproductions.lab import environment
from reproductions.lab.analysis import profile
from reproductions.lab.data.base import Dataset, InMemoryImages
from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.evaluation import networks
from reproductions.lab.results import run_record
from reproductions.lab.results.entries import InitProvenance
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.spec.study import Network
from reproductions.lab.training.plan import check_init
from reproductions.lab.weights import own

RETRAIN = "retrain the run"
SMALL_STEP = 100_000_000  # multiply-adds of a batch, forward: LeNet-5 has 13 million, All-CNN-C 9 billion


def build(network: Network, recipe: Recipe, classes: int | None = None) -> keras.Model:
    """Build a network for training; see `reproductions.lab.evaluation.networks.build`."""
    return networks.build(network, recipe, classes, auxiliary=bool(recipe.loss_weights))


def threads(network: Network, recipe: Recipe, data: Dataset) -> int:
    """Return the number of intra-op threads that trains a network the fastest: 1 if it is small, else one per core.

    Of a small network, threads wait for each other longer than they compute (`benchmarks/threads.py`). This does not
    initialize TensorFlow.
    """
    photographs = not isinstance(data.train, InMemoryImages)  # whose networks are large, and take seconds to build
    if photographs or tf.config.list_physical_devices("GPU"):
        return environment.cores()
    with profile.without_weights():
        try:
            layers = profile.profile_model(build(network, recipe, data.classes))
        except AttributeError:  # a layer that is used twice, in somebody's own network
            return environment.cores()
    small = recipe.batch_size * profile.total(layers, "multiply_adds") < SMALL_STEP
    return 1 if small else environment.cores()


def inference_model(model: keras.Model, recipe: Recipe) -> keras.Model:
    """Return the network as it is tested: with its main output only."""
    if not recipe.loss_weights:
        return model
    return keras.Model(model.inputs, model.output[next(iter(recipe.loss_weights))], name=model.name)


def init_provenance(run_dir: Path | None) -> InitProvenance | None:
    """Return what a record keeps of the finished run from which layers are initialized.

    Raises:
        UsageError: If the run has not finished.
    """
    if run_dir is None:
        return None
    record = run_record.read(run_dir / "record.json")
    with file_errors(run_dir / "model.keras", RETRAIN):
        sha256 = hashlib.sha256((run_dir / "model.keras").read_bytes()).hexdigest()
    return InitProvenance(record.network, record.seed, sha256)


def initialize_layers(model: keras.Model, recipe: Recipe, run_dir: Path | None) -> None:
    """Initialize the layers that the recipe names with the weights of a finished run.

    Args:
        model: Network.
        recipe: Recipe with the names of the layers.
        run_dir: Folder of the run.

    Raises:
        UsageError: As `check_init`, and if one of its layers does not fit.
    """
    check_init(model.name, recipe, run_dir)
    if run_dir is None:
        return
    record = run_record.read(run_dir / "record.json")
    saved = own.weights_by_layer(run_dir / "model.keras")
    for name in recipe.init_layers:
        layer = model.get_layer(name)
        weights = saved.get(name, [])
        shapes, found = ([tuple(weight.shape) for weight in each] for each in (layer.weights, weights))
        if found != shapes:
            raise UsageError(
                f"{run_dir} is a run of {record.network}, whose {name} ({found or None}) does not fit {shapes}"
            )
        layer.set_weights(weights)
