"""A network as its recipe wants it: classes, input size, heads, starting weights."""

from __future__ import annotations

import hashlib
import inspect
from pathlib import Path
from typing import Any

import keras

from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.results import run_record
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.spec.study import Network


def build(network: Network, recipe: Recipe, classes: int | None = None) -> keras.Model:
    """The network as it is trained; UsageError where it cannot take what the recipe or the data ask of it."""
    wanted: dict[str, Any] = {"auxiliary": True} if recipe.loss_weights else {}
    if recipe.kernel_initializer:
        wanted["kernel_initializer"] = recipe.kernel_initializer
    takes = inspect.signature(network.build).parameters
    if classes and "classes" in takes and takes["classes"].default != classes:
        wanted["classes"] = classes
    if recipe.input_size:
        wanted["input_size"] = recipe.input_size
    wanted |= recipe.options
    for name in wanted:
        if name not in takes:
            raise UsageError(f"{network.name} has one {name.replace('_', ' ')} only: it cannot be changed")
    try:
        return network.build(**wanted)
    except ValueError as error:
        if not recipe.input_size:
            raise
        reason = str(error).split("\n")[0]
        raise UsageError(f"{network.name} cannot be built for images of {recipe.input_size} pixels: {reason}") from None


def tested(model: keras.Model, recipe: Recipe) -> keras.Model:
    """The network as it is tested: its main output alone."""
    if not recipe.loss_weights:
        return model
    return keras.Model(model.inputs, model.output[next(iter(recipe.loss_weights))], name=model.name)


def told_of(run_dir: Path | None) -> dict[str, Any]:
    """What a record says of the finished run that a network starts from; nothing where there is none."""
    if run_dir is None:
        return {}
    done = run_record.read(run_dir / "record.json")
    with file_errors(run_dir / "model.keras", "train the run again"):
        sha256 = hashlib.sha256((run_dir / "model.keras").read_bytes()).hexdigest()
    return {"init_from": {"network": done.network, "seed": done.seed, "sha256": sha256}}


def start(model: keras.Model, recipe: Recipe, run_dir: Path | None) -> None:
    """Gives the layers that the recipe names the weights of a finished run.

    UsageError where a run is named and none is needed, or the other way round; where the run is not finished;
    and where a layer of it does not fit.
    """
    if run_dir is None:
        if recipe.init_layers:
            given = ", ".join(recipe.init_layers)
            raise UsageError(f"{model.name} takes {given} from a trained network: name its run with --init-from")
        return
    if not recipe.init_layers:
        raise UsageError(f"--init-from is for networks that start from a trained one; {model.name} does not")
    done = run_record.read(run_dir / "record.json")
    path = run_dir / "model.keras"
    with file_errors(path, "train the run again"):
        trained = keras.models.load_model(path, compile=False)
    there = {layer.name: layer for layer in trained.layers}
    for name in recipe.init_layers:
        layer = model.get_layer(name)
        shapes = [tuple(weight.shape) for weight in layer.weights]
        found = [tuple(weight.shape) for weight in there[name].weights] if name in there else None
        if found != shapes:
            raise UsageError(f"{run_dir} is a run of {done.network}, whose {name} ({found}) does not fit {shapes}")
        layer.set_weights(there[name].get_weights())
