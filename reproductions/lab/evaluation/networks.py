"""Networks as recipes need them, and trained ones: built here, with weights from files."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np

from reproductions.lab.environment import keras_defaults
from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.evaluation.recipes import recipe_from, recipe_of
from reproductions.lab.results import predictions
from reproductions.lab.results.run_record import Record
from reproductions.lab.spec import protocols
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.spec.study import Network
from reproductions.lab.weights import matching, own, presets, suite_file, tensor_file
from reproductions.lab.weights.suite_file import Contents

CONVNETJS = ".json"


def build(network: Network, recipe: Recipe, classes: int | None = None, auxiliary: bool = False) -> keras.Model:
    """Build a network for a recipe.

    Args:
        network: Network.
        recipe: Recipe with the initializer, the input size and further arguments of the builder.
        classes: Number of classes; by default that of the builder.
        auxiliary: Whether to build the auxiliary classifiers too, which the recipe trains.

    Raises:
        UsageError: If the builder does not take what the recipe or the data need.
    """
    options = arguments(network, recipe, classes) | ({"auxiliary": True} if auxiliary else {})
    parameters = inspect.signature(network.build).parameters
    for name in options:
        if name not in parameters:
            raise UsageError(f"{network.name} has a fixed {name.replace('_', ' ')}: its builder does not take {name!r}")
    try:
        with keras_defaults():
            return network.model(**options)
    except ValueError as error:
        if not recipe.input_size:
            raise
        reason = str(error).split("\n")[0]
        raise UsageError(f"{network.name} cannot be built for images of {recipe.input_size} pixels: {reason}") from None


def arguments(network: Network, recipe: Recipe, classes: int | None = None) -> dict[str, Any]:
    """Return the arguments of a network's builder for a recipe and a number of classes."""
    chosen: dict[str, Any] = {}
    if recipe.kernel_initializer:
        chosen["kernel_initializer"] = recipe.kernel_initializer
    parameters = inspect.signature(network.build).parameters
    if classes and "classes" in parameters and parameters["classes"].default != classes:
        chosen["classes"] = classes
    if recipe.input_size:
        chosen["input_size"] = recipe.input_size
    return chosen | dict(recipe.options)


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Set the weights of a network to those of another that has all of its layers.

    Raises:
        UsageError: If a weight has another shape in the other network, or does not exist there.
    """
    known = {variable.path: variable for variable in source.weights}
    for variable in target.weights:
        found = known.get(variable.path)
        if found is None or found.shape != variable.shape:
            shape = "no such weight" if found is None else f"the shape {tuple(found.shape)}"
            raise UsageError(
                f"{variable.path} of {target.name} has the shape {tuple(variable.shape)}, but the trained network has "
                f"{shape}: leave out the option that changes it, or take only the features, with include_top=False"
            )
    for variable in target.weights:
        variable.assign(known[variable.path])


def trained(run_dir: Path, network: Network, record: Record) -> keras.Model:
    """Return the network of a finished run.

    Args:
        run_dir: Folder of the run.
        network: Its network.
        record: Its record.

    Raises:
        UsageError: If the saved network is missing or damaged, or is not the one of the record.
    """
    with dtype_policy(record.precision):
        model = build(network, recipe_of(record), record.data.classes)
    own.load(run_dir / "model.keras", model)
    check_record(run_dir, model, record)
    return model


def contents_of(record: Record) -> Contents:
    """Return what a file with the weights of a run says of them."""
    return Contents(record.network, record.recipe, record.data.classes, record.precision)


def check_record(run_dir: Path, model: keras.Model, record: Record) -> None:
    """Raise UsageError unless a network has the parameters of the record, and the weights that the run tested."""
    counts = parameters(model)
    # A network that was trained with auxiliary classifiers is saved without them.
    if counts != record.parameters and not record.recipe.get("loss_weights"):
        raise UsageError(f"{run_dir} has a network with {counts} parameters, but its record has {record.parameters}")
    saved = predictions.path_of(run_dir, protocols.find(record.test.protocol))
    if saved.is_file() and predictions.read_metadata(saved).get("weights") != digest(model):
        raise UsageError(
            f"the weights in {run_dir / 'model.keras'} are not those that the run tested (see {saved}): restore the "
            "file, or train again"
        )


def parameters(model: keras.Model) -> dict[str, int]:
    """Return the number of trainable and of other parameters, as in a record."""
    kinds = {"trainable": model.trainable_weights, "non_trainable": model.non_trainable_weights}
    return {name: int(sum(np.prod(weight.shape) for weight in weights)) for name, weights in kinds.items()}


def digest(model: keras.Model) -> str:
    """Return the SHA-256 of a network's weights in their order."""
    sha256 = hashlib.sha256()
    for weight in model.get_weights():
        sha256.update(np.ascontiguousarray(weight).tobytes())
    return sha256.hexdigest()


@contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Build layers with a dtype policy within the block."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def from_file(path: Path, network: Network, options: Mapping[str, Any] | None = None) -> keras.Model:
    """Return a network with the weights in a file.

    Args:
        path: .keras or .weights.h5 file of the same network, or .json file of ConvNetJS.
        network: Its specification.
        options: Arguments of its builder.

    Raises:
        UsageError: If the file does not exist, is damaged or does not fit.
    """
    with file_errors(path, "import the weights again"), keras_defaults():
        model = network.model(**(options or {}))
    if path.suffix == CONVNETJS:
        matching.assign(matching.match(model, tensor_file.read(path), presets.find(network.name)))
    else:
        own.load(path, model)
    return model


def from_suite_file(path: Path, network: Network, contents: Contents) -> keras.Model:
    """Return a network with the weights in a safetensors file of this suite.

    Args:
        path: The file.
        network: Its network.
        contents: What it says of its weights.

    Raises:
        UsageError: If the file is damaged or does not fit.
    """
    with file_errors(path, "export the weights again"), dtype_policy(contents.precision):
        if contents.recipe is None:
            with keras_defaults():
                model = network.model(**(contents.provenance.options if contents.provenance else {}))
        else:
            model = build(network, recipe_from(contents.recipe), contents.classes)
    suite_file.load(path, model)
    return model
