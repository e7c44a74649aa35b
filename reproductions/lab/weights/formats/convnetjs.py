"""Weights of a network that ConvNetJS saved as JSON (`Net.toJSON`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

LARGEST_FILE = 20_000_000  # bytes, which take up to 30 times as much memory; the demo's network has 600,000


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
        ValueError: If the file is not such a network or is damaged.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise ValueError(f"it is larger than {LARGEST_FILE:,} bytes")
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not isinstance(content.get("layers"), list):
        raise ValueError("expected the layers of a ConvNetJS network")
    tensors = {}
    for number, layer in enumerate(content["layers"]):
        if "filters" in layer:
            kind = str(layer["layer_type"])
            tensors[f"{number}/{kind}/filters"], tensors[f"{number}/{kind}/biases"] = layer_weights(layer)
    if not tensors:
        raise ValueError("it has no weights")
    return tensors


def layer_weights(layer: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the kernel and the bias of a layer; see `read`."""
    kernel = np.stack([volume(values) for values in layer["filters"]], axis=-1)
    if layer["layer_type"] == "fc":
        kernel = kernel.reshape(-1, kernel.shape[-1])
    return kernel, volume(layer["biases"]).ravel()


def volume(content: Mapping[str, Any]) -> np.ndarray:
    """Return the array (height, width, channels) of a ConvNetJS volume, float32.

    Raises:
        ValueError: If the number of values is not that of the shape, or a value is not finite.
    """
    shape = (content["sy"], content["sx"], content["depth"])
    values = content["w"]
    if not isinstance(values, (dict, list)) or len(values) != np.prod(shape):
        raise ValueError(f"a volume of shape {shape} does not have that many values")
    by_index = [values[str(index)] for index in range(len(values))] if isinstance(values, dict) else values
    array = np.asarray(by_index, np.float32).reshape(shape)
    if not np.isfinite(array).all():
        raise ValueError("a weight is not finite")
    return array
