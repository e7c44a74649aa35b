"""A network as its recipe needs it: classes, input size, auxiliary outputs, initial weights."""

from __future__ import annotations

import hashlib
import inspect
from pathlib import Path

import keras

from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.results import run_record
from reproductions.lab.results.entries import InitProvenance
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.spec.study import Network

RETRAIN = "retrain the run"


def build(network: Network, recipe: Recipe, classes: int | None = None) -> keras.Model:
    """Build a network for training.

    Args:
        network: Network.
        recipe: Recipe with the initializer, the input size and further arguments of the builder.
        classes: Number of classes; by default that of the builder.

    Raises:
        UsageError: If the builder does not take what the recipe or the data need.
    """
    arguments: dict[str, object] = {"auxiliary": True} if recipe.loss_weights else {}
    if recipe.kernel_initializer:
        arguments["kernel_initializer"] = recipe.kernel_initializer
    parameters = inspect.signature(network.build).parameters
    if classes and "classes" in parameters and parameters["classes"].default != classes:
        arguments["classes"] = classes
    if recipe.input_size:
        arguments["input_size"] = recipe.input_size
    arguments |= recipe.options
    for name in arguments:
        if name not in parameters:
            raise UsageError(f"{network.name} has a fixed {name.replace('_', ' ')}: its builder does not take {name!r}")
    try:
        return network.model(**arguments)
    except ValueError as error:
        if not recipe.input_size:
            raise
        reason = str(error).split("\n")[0]
        raise UsageError(f"{network.name} cannot be built for images of {recipe.input_size} pixels: {reason}") from None


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
        UsageError: If a run is given but not needed, or needed but not given; if it has not finished; or if one of its
            layers does not fit.
    """
    if run_dir is None:
        if recipe.init_layers:
            names = ", ".join(recipe.init_layers)
            raise UsageError(f"{model.name} initializes {names} from a trained network: name its run with --init-from")
        return
    if not recipe.init_layers:
        raise UsageError(f"--init-from is for networks that start from a trained one; {model.name} does not")
    record = run_record.read(run_dir / "record.json")
    path = run_dir / "model.keras"
    with file_errors(path, RETRAIN):
        trained = keras.models.load_model(path, compile=False)
    sources = {layer.name: layer for layer in trained.layers}
    for name in recipe.init_layers:
        layer = model.get_layer(name)
        shapes = [tuple(weight.shape) for weight in layer.weights]
        found = [tuple(weight.shape) for weight in sources[name].weights] if name in sources else None
        if found != shapes:
            raise UsageError(f"{run_dir} is a run of {record.network}, whose {name} ({found}) does not fit {shapes}")
        layer.set_weights(sources[name].get_weights())
