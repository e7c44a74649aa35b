"""The kernels of a layer as small images."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from reproductions.lab.errors import UsageError
from reproductions.lab.visualization.graph import Graph, Step

PIXELS = (keras.layers.Flatten, keras.layers.ZeroPadding2D, keras.layers.Dropout)  # what may come before a first layer


@dataclass(frozen=True)
class Kernels:
    """Kernels of a layer.

    Attributes:
        layer: Name of the layer.
        tiles: (kernels, height, width, channels), of one or three channels that are those of the image; or, of a layer
            that sees feature maps, (filters, maps, height, width), NaN where a filter does not see a map.
        towers: Number of towers that the filters are divided between, in their order.
    """

    layer: str
    tiles: np.ndarray
    towers: int = 1
    of_maps: bool = False


def first_layer(graph: Graph) -> str:
    """Return the name of the first layer with a kernel.

    Raises:
        UsageError: If there is none.
    """
    for step in graph.steps:
        if getattr(step.layer, "kernel", None) is not None:
            return step.name
    raise UsageError(f"{graph.name} has no layer with a kernel")


def kernels_of(graph: Graph, layer: str | None = None) -> Kernels:
    """Return the kernels of a layer, by default of the first.

    Raises:
        UsageError: If there is no such layer, or it has no kernels that can be shown as images.
    """
    step = graph.step(layer or first_layer(graph))
    kernel = getattr(step.layer, "kernel", None)
    if kernel is None:
        having = [each.name for each in graph.steps if getattr(each.layer, "kernel", None) is not None]
        raise UsageError(f"{step.name} of {graph.name} has no kernel; these have: {', '.join(having)}")
    values = np.asarray(ops.convert_to_numpy(kernel), np.float64)
    if isinstance(step.layer, keras.layers.Dense):
        return Kernels(step.name, images_of_units(graph, step, values))
    if hasattr(step.layer, "connections"):
        return Kernels(step.name, connected(step.layer, values), of_maps=True)
    if values.ndim != 4:
        raise UsageError(f"{step.name} of {graph.name} has a kernel at each position: show its features instead")
    if sees_image(graph, step) and values.shape[2] in (1, 3):
        return Kernels(step.name, values.transpose(3, 0, 1, 2), towers_after(graph, step))
    return Kernels(step.name, values.transpose(3, 2, 0, 1), of_maps=True)


def sees_image(graph: Graph, step: Step) -> bool:
    """Return whether a layer sees the image itself, padded or flattened."""
    return all(isinstance(each.layer, PIXELS) for each in graph.before(step.name)[:-1])


def images_of_units(graph: Graph, step: Step, kernel: np.ndarray) -> np.ndarray:
    """Return the weights of fully connected units that see the image, each as an image.

    Raises:
        UsageError: If they see something else.
    """
    shape = graph.before(step.name)[0].layer.input.shape[1:]
    if not sees_image(graph, step) or int(np.prod(shape)) != len(kernel):
        raise UsageError(
            f"{step.name} of {graph.name} is fully connected to other units, so that its weights are not images: show "
            f"the filters of {first_layer(graph)}"
        )
    return kernel.T.reshape(-1, *shape)


def connected(layer: keras.layers.Layer, kernel: np.ndarray) -> np.ndarray:
    """Return the kernels of a partially connected convolution, with NaN where a filter does not see a map.

    Args:
        layer: Layer with `connections`, for each filter the maps that it sees.
        kernel: (height, width, connections), those of the first filter first.
    """
    maps = max(map(max, layer.connections)) + 1
    tiles = np.full((len(layer.connections), maps, *kernel.shape[:2]), np.nan)
    numbers = iter(range(kernel.shape[-1]))
    for number, channels in enumerate(layer.connections):
        for channel in channels:
            tiles[number, channel] = kernel[..., next(numbers)]
    return tiles


def towers_after(graph: Graph, step: Step) -> int:
    """Return the number of groups of the next convolution, which divide this layer's filters into towers."""
    later = graph.steps[graph.steps.index(step) + 1 :]
    return next((int(each.layer.groups) for each in later if hasattr(each.layer, "groups")), 1)


def balanced(tiles: np.ndarray, axes: tuple[int, ...], percentile: float = 100) -> np.ndarray:
    """Return tiles scaled to -1..1 with zero in the middle; one scale for each group of elements along `axes`.

    Args:
        tiles: Weights, NaN where there are none.
        axes: Axes of the elements that share a scale.
        percentile: Percentile of their sizes that becomes 1; larger ones are cut off.
    """
    largest = np.nanpercentile(np.abs(tiles), percentile, axis=axes, keepdims=True)
    return np.asarray(np.clip(tiles / np.maximum(largest, 1e-12), -1, 1))
