"""Weights of a network that ConvNetJS saved as JSON (`Net.toJSON`)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reproductions.lab import json_files
from reproductions.lab.json_files import Excerpt
from reproductions.lab.ranges import Positive


@dataclass(frozen=True)
class Volume(Excerpt):
    """What is read of a volume: its shape, and its values by index or in order."""

    sx: Positive
    sy: Positive
    depth: Positive
    w: dict[str, float] | list[float]


@dataclass(frozen=True)
class Layer(Excerpt):
    """What is read of a layer: one with weights has filters and biases."""

    layer_type: str
    filters: list[Volume] | None = None
    biases: Volume | None = None


@dataclass(frozen=True)
class SavedNetwork(Excerpt):
    """What is read of a network."""

    layers: list[Layer]


def read(path: Path) -> dict[str, np.ndarray]:
    """Return filters and biases, "NUMBER/TYPE/filters" and "NUMBER/TYPE/biases", with the number of the layer from 0.

    ConvNetJS stores a filter row by row, each pixel with all its channels, and correlates as Keras does, so filters
    need only be stacked: source, `convnet_vol.js` and `convnet_layers_dotproducts.js`.

    Args:
        path: JSON file.

    Returns:
        Filters (height, width, channels, filters) of convolutions or (inputs, units) of fully connected layers, and
        biases (filters,); float32.

    Raises:
        UsageError: If the file is not such a network.
        ValueError: If a layer or volume of it is damaged.
    """
    network, tensors = json_files.read(path, SavedNetwork, "a ConvNetJS network"), {}
    for number, layer in enumerate(network.layers):
        if layer.filters is not None:
            kind = layer.layer_type
            tensors[f"{number}/{kind}/filters"], tensors[f"{number}/{kind}/biases"] = layer_weights(layer)
    if not tensors:
        raise ValueError("it has no weights")
    return tensors


def layer_weights(layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Return the kernel and the bias of a layer; see `read`."""
    if not layer.filters or layer.biases is None:
        raise ValueError(f"a layer of type {layer.layer_type} lacks filters or biases")
    kernel = np.stack([array(values) for values in layer.filters], axis=-1)
    if layer.layer_type == "fc":
        kernel = kernel.reshape(-1, kernel.shape[-1])
    return kernel, array(layer.biases).ravel()


def array(volume: Volume) -> np.ndarray:
    """Return the array (height, width, channels) of a ConvNetJS volume, float32.

    Raises:
        ValueError: If the values are not those of the shape.
    """
    shape, values = (volume.sy, volume.sx, volume.depth), volume.w
    if len(values) != math.prod(shape):
        raise ValueError(f"a volume of shape {shape} has {len(values):,} values")
    if isinstance(values, dict):
        try:
            values = [values[str(index)] for index in range(len(values))]
        except KeyError as error:
            raise ValueError(f"a volume of shape {shape} has no value {error}") from None
    return np.asarray(values, np.float32).reshape(shape)
