"""Networks of this suite that Keras saved: their arrays are read, their configuration is never deserialized."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reproductions.lab import json_files, zip_files
from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.files import open_regular
from reproductions.lab.json_files import Excerpt
from reproductions.lab.weights import layouts, matching, tensor_file
from reproductions.lab.weights.preset import Placement, Preset

if TYPE_CHECKING:
    import keras

CONFIG = "config.json"  # in a .keras file
WHAT = "a network that Keras saved"
# Settings that do not change what a trained network computes.
WITHOUT_EFFECT = ("name", "dtype", "trainable", "seed", "rate")


@dataclass(frozen=True)
class SavedLayer(Excerpt):
    """What is read of a layer's configuration."""

    class_name: str
    config: dict[str, Any]


@dataclass(frozen=True)
class SavedNetwork(Excerpt):
    """What is read of a network's configuration."""

    name: str
    layers: list[SavedLayer]


@dataclass(frozen=True)
class SavedModel(Excerpt):
    """What is read of the configuration in a `.keras` file."""

    config: SavedNetwork


def load(path: Path, model: keras.Model) -> None:
    """Set the weights of a network to those in a file of the same network.

    Args:
        path: `.keras` or `.weights.h5` file.
        model: The network; it is not changed if the file does not fit.

    Raises:
        UsageError: If the file is missing or damaged, is of another network, or has other layers or settings, or
            weights of other shapes.
    """
    if path.suffix == ".keras" and path.is_file():
        check_configuration(path, model)
    preset = Preset("keras", model.name, "", path.name, "", placements, unused=("optimizer/",))
    matching.assign(matching.match(model, tensor_file.read(path), preset))


def placements(model: keras.Model, prefix: str = "") -> Iterator[Placement]:
    """Yield where Keras saves each weight: "layers/conv2d_1/vars/0" is the kernel of the second convolution.

    A layer of this suite that is made of others has them in its model `inner`.

    Args:
        model: The network, or the inner model of a layer.
        prefix: Path of the model in the file.
    """
    count: Counter[str] = Counter()
    for layer in model.layers:
        path = f"{prefix}layers/{group_name(type(layer).__name__, count)}"
        if hasattr(layer, "inner"):
            yield from placements(layer.inner, f"{path}/inner/")
            continue
        for number, variable in enumerate(layer.weights):
            yield Placement(variable.path, (f"{path}/vars/{number}",), layouts.unchanged)


def group_name(class_name: str, count: Counter[str]) -> str:
    """Return the name under which Keras saves the next layer of a class, "conv2d_1", and count it."""
    kind = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", class_name)).lower()
    count[kind] += 1
    return f"{kind}_{count[kind] - 1}" if count[kind] > 1 else kind


def weights_by_layer(path: Path) -> dict[str, list[np.ndarray]]:
    """Return the weights of the layers in a `.keras` file by the layers' names, in Keras' order.

    Raises:
        UsageError: If the file is missing or damaged.
    """
    tensors, found = tensor_file.read(path).tensors, {}
    count: Counter[str] = Counter()
    for layer in configuration(path).layers:
        group = group_name(layer.class_name, count)
        own = (f"layers/{group}/vars/{number}" for number in itertools.count())
        found[str(layer.config["name"])] = [tensors[name] for name in itertools.takewhile(tensors.__contains__, own)]
    return found


# --- The configuration in a file, as data


def configuration(path: Path) -> SavedNetwork:
    """Return the configuration of the network in a `.keras` file, as JSON has it.

    Raises:
        UsageError: If the file is missing or damaged.
    """
    with file_errors(path, "train or import the network again"), open_regular(path) as file:
        content = zip_files.read_member(zip_files.open_archive(file), CONFIG, json_files.LARGEST)
        return parse(content, path)


def parse(content: bytes, source: object) -> SavedNetwork:
    """Return the configuration of a network in JSON; UsageError if it does not fit."""
    value = json_files.parse(content, source, WHAT)
    saved = json_files.convert(value, SavedModel, source, WHAT, f"$.{CONFIG}").config
    for number, layer in enumerate(saved.layers):
        place = f"$.{CONFIG}.config.layers[{number}].config.name"
        json_files.convert(layer.config.get("name"), str, source, WHAT, place)
    return saved


def check_configuration(path: Path, model: keras.Model) -> None:
    """Compare the configuration in a `.keras` file with that of the network.

    Weights alone do not tell networks apart that differ in an activation or in local response normalization.

    Raises:
        UsageError: If the network has another name, or a layer has another setting.
    """
    saved = configuration(path)
    own = parse(model.to_json().encode(), model.name)
    check_name(saved.name, model.name, path)
    settings = {layer.config["name"]: layer.config for layer in saved.layers}
    weighted = [layer.name for layer in model.layers if layer.weights]
    if [name for name in settings if name in weighted] != weighted:
        raise UsageError(f"{path} does not fit {model.name}, whose layers are {', '.join(weighted)}, in this order")
    for layer in own.layers:
        name = layer.config["name"]
        for difference in differences(settings.get(name, {}), layer.config):
            raise UsageError(f"{path} does not fit {model.name}: in {name}, {difference}")


def check_name(saved: str, name: str, path: Path) -> None:
    """Raise UsageError if the name of the network in a file is not that of the network."""
    if saved != name:
        raise UsageError(f"{path} is of the network {saved}, not of {name}: name it with --network")


def differences(saved: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[str]:
    """Yield the settings of a layer that differ, as text, of those that both have."""
    for key in own:
        if key in saved and key not in WITHOUT_EFFECT and not key.endswith(("_initializer", "_regularizer")):
            values = summary(saved[key]), summary(own[key])
            if values[0] != values[1]:
                yield f"{key} is {values[0]}, not {values[1]}"


def summary(value: Any) -> Any:
    """Return a setting, of a serialized object its class or, of a function, its name."""
    if isinstance(value, Mapping) and "class_name" in value:
        return value["config"] if isinstance(value.get("config"), str) else value["class_name"]
    return value
