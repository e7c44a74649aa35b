"""Which feature maps of a network are shown."""

from __future__ import annotations

import keras

from reproductions.lab.visualization.graph import Graph

# What leaves maps as they are but for their size and scale; its input or output is shown instead.
LEFT_OUT = (
    keras.layers.ZeroPadding2D,
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
    keras.layers.Dropout,
    keras.layers.Concatenate,
)


def stages(graph: Graph, model: keras.Model) -> list[str]:
    """Return a layer for each size of feature maps: the last of that size that computes something.

    Args:
        graph: Steps of the network.
        model: The network; of its blocks, the whole output counts.

    Returns:
        Names of layers with maps (height, width, channels) of more than one position, in the order of the network.
    """
    found: dict[tuple[int, ...], str] = {}
    for layer in model.layers:
        shape = layer.output.shape[1:]
        plain = (
            isinstance(layer, LEFT_OUT) or "Normalization" in type(layer).__name__ or layer.name not in graph.outputs
        )
        if len(shape) == 3 and shape[0] > 1 and not plain:
            found[shape[:2]] = layer.name
    return list(found.values())
