"""Networks as recipes need them, and trained ones: built here, with weights from files."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras

from reproductions.lab.environment import keras_defaults
from reproductions.lab.errors import UsageError
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.spec.study import Network
from reproductions.lab.weights import matching, own, presets, tensor_file

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
    arguments: dict[str, object] = {"auxiliary": True} if auxiliary else {}
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
        with keras_defaults():
            return network.model(**arguments)
    except ValueError as error:
        if not recipe.input_size:
            raise
        reason = str(error).split("\n")[0]
        raise UsageError(f"{network.name} cannot be built for images of {recipe.input_size} pixels: {reason}") from None


def trained(run_dir: Path, network: Network, recipe: Recipe, classes: int | None, precision: str) -> keras.Model:
    """Return the network of a finished run.

    Args:
        run_dir: Folder of the run.
        network: Its network.
        recipe: Its recipe.
        classes: Number of classes of its data.
        precision: Keras dtype policy of the run.

    Raises:
        UsageError: If the saved network is missing or damaged, or is not what the recipe says.
    """
    with dtype_policy(precision):
        model = build(network, recipe, classes)
    own.load(run_dir / "model.keras", model)
    return model


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
    with keras_defaults():
        model = network.model(**(options or {}))
    if path.suffix == CONVNETJS:
        matching.assign(matching.match(model, tensor_file.read(path), presets.find(network.name)))
    else:
        own.load(path, model)
    return model
