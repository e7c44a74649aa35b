"""What a network is made of, computed from the model itself."""

from __future__ import annotations

import math

import keras


def connections(model: keras.Model) -> dict[str, int]:
    """Connections by layer, as LeCun et al. 1998 count them: inputs and biases of every unit.

    Weights shared over the image count at every place; layers that use a weight more than once at a
    place say so in `connections_per_place`.
    """
    found = {}
    for layer in model.layers:
        places = math.prod(layer.output.shape[1:-1])
        found[layer.name] = places * getattr(layer, "connections_per_place", layer.count_params())
    return {name: count for name, count in found.items() if count}
