"""Files as ConvNetJS saves networks."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def volume(values: np.ndarray) -> dict[str, Any]:
    """An array (height, width, channels) as a volume."""
    height, width, depth = values.shape
    weights = {str(index): float(value) for index, value in enumerate(values.ravel())}
    return {"sx": width, "sy": height, "depth": depth, "w": weights}


def saved_network(model: keras.Model) -> dict[str, Any]:
    """The demo's network, built by this suite, as ConvNetJS saves it."""
    layers: list[dict[str, Any]] = [{"layer_type": "input"}]
    for name in ("conv1", "conv2", "conv3", "fc"):
        kernel, bias = model.get_layer(name).get_weights()
        units = kernel if kernel.ndim == 4 else kernel[np.newaxis, np.newaxis]
        filters = [volume(units[..., number]) for number in range(units.shape[-1])]
        kind = "fc" if name == "fc" else "conv"
        layers.append({"layer_type": kind, "filters": filters, "biases": volume(bias[np.newaxis, np.newaxis])})
        layers += [{"layer_type": "relu"}, {"layer_type": "pool"}] if name != "fc" else [{"layer_type": "softmax"}]
    return {"layers": layers}
