"""Feature maps projected back to pixels: the deconvnet and guided backpropagation.

Both go back from the strongest activation of a map, layer by layer. They differ in what a ReLU does to the signal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from reproductions.lab.errors import UsageError
from reproductions.lab.visualization.graph import Graph, Values
from reproductions.lab.visualization.transpose import activation_of, transposed

Rule = Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor]


def deconvnet(signal: keras.KerasTensor, output: keras.KerasTensor) -> keras.KerasTensor:
    """Rectify the signal itself: Zeiler and Fergus 2013, section 2.1."""
    return ops.relu(signal)


def gradient(signal: keras.KerasTensor, output: keras.KerasTensor) -> keras.KerasTensor:
    """Let the signal pass where the ReLU's output is positive: backpropagation."""
    return signal * ops.cast(output > 0, signal.dtype)


def guided(signal: keras.KerasTensor, output: keras.KerasTensor) -> keras.KerasTensor:
    """Let the signal pass where it and the output are positive: Springenberg et al. 2014, section 3.4."""
    return deconvnet(gradient(signal, output), output)


BEYOND = 0.01  # share of a signal's energy that may lie beyond each side of the window that is shown
RULES: dict[str, Rule] = {"deconv": deconvnet, "guided": guided, "gradient": gradient}


@dataclass(frozen=True)
class Projection:
    """The strongest activation of a feature map or unit, projected back to pixels.

    Attributes:
        channel: Number of the map or unit, from 0.
        activation: Its strongest activation.
        position: Row and column of it in the map; () for a unit.
        pixels: The signal at the pixels (height, width, channels).
    """

    channel: int
    activation: float
    position: tuple[int, ...]
    pixels: np.ndarray

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of a square with most of the signal.

        Above it, below it, on its left and on its right lies at most a hundredth of the signal's energy each.
        """
        energy = np.square(self.pixels.astype(np.float64)).sum(axis=-1)
        extents = [extent(energy.sum(axis=axis)) for axis in (1, 0)]
        side = max(stop - start for start, stop in extents)
        rows, columns = (centred(start, stop, side, size) for (start, stop), size in zip(extents, energy.shape))
        return rows, columns


def extent(energy: np.ndarray) -> tuple[int, int]:
    """Return the first row or column with the bulk of the energy, and the one after the last."""
    share = np.cumsum(energy) / max(float(energy.sum()), 1e-300)
    return int(np.searchsorted(share, BEYOND, side="right")), int(np.searchsorted(share, 1 - BEYOND)) + 1


def centred(start: int, stop: int, side: int, size: int) -> slice:
    """Return a range of `side` numbers around another one, moved so that it lies between 0 and `size`."""
    side = min(side, size)
    first = min(max((start + stop - side) // 2, 0), size - side)
    return slice(first, first + side)


def check_rectified(graph: Graph, layer: str, kind: str) -> None:
    """Check that a layer can be projected back.

    Raises:
        UsageError: If a layer that it depends on has another activation than ReLU, or none has ReLU.
    """
    steps = graph.before(layer)
    advice = "show filters, features or occlusion of this network"
    for step in steps:
        if activation_of(step.layer) not in ("linear", "relu"):
            raise UsageError(
                f"{kind} is for networks with ReLU, whose backward pass it replaces; {step.name} of {graph.name} has "
                f"the activation {activation_of(step.layer)}: {advice}"
            )
    if not any(activation_of(step.layer) == "relu" for step in steps):
        raise UsageError(
            f"{kind} is for networks with ReLU, whose backward pass it replaces; {graph.name} has none up to {layer}: "
            f"{advice}"
        )


def backward(graph: Graph, values: Values, layer: str, signal: keras.KerasTensor, rule: Rule) -> keras.KerasTensor:
    """Take a signal at the output of a layer back to the pixels.

    Args:
        graph: The network.
        values: What its steps computed, from `graph.forward`.
        layer: Name of the layer.
        signal: Tensor with the shape of its output.
        rule: Function from the signal at a ReLU, and the ReLU's output, to the signal before it.

    Returns:
        Tensor with the shape of the images.
    """
    signals = {graph.key(layer): signal}
    for step in reversed(graph.before(layer)):
        own = signals.pop(step.output, None)
        if own is None:
            continue
        if activation_of(step.layer) == "relu":
            own = rule(own, values[step.output])
        for key, found in zip(step.inputs, transposed(step, [values[key] for key in step.inputs], own)):
            signals[key] = signals[key] + found if key in signals else found
    return signals[graph.images]


def strongest(values: np.ndarray) -> list[int]:
    """Return the maps or units of one image by their largest activation, the strongest first.

    Args:
        values: (..., channels).
    """
    peaks = values.reshape(-1, values.shape[-1]).max(axis=0)
    return [int(channel) for channel in np.argsort(-peaks, kind="stable")]


def project(graph: Graph, values: Values, layer: str, channel: int, rule: str) -> Projection:
    """Project the strongest activation of a map back to the pixels of one image.

    If it is not positive, as logits need not be, the signal starts with 1 in its place.

    Args:
        graph: The network.
        values: What its steps computed for a batch of one image.
        layer: Name of the layer.
        channel: Number of the map or unit, from 0.
        rule: Key of `RULES`.

    Raises:
        UsageError: If the network has other activations than ReLU, or there is no such layer.
    """
    check_rectified(graph, layer, rule)
    output = np.asarray(ops.convert_to_numpy(values[graph.key(layer)]))
    maps = output[0, ..., channel]
    position = tuple(int(index) for index in np.unravel_index(np.argmax(maps), maps.shape))
    signal = np.zeros_like(output)
    signal[(0, *position, channel)] = maps[position] if maps[position] > 0 else 1
    pixels = backward(graph, values, layer, ops.convert_to_tensor(signal), RULES[rule])
    return Projection(channel, float(maps[position]), position, np.asarray(ops.convert_to_numpy(pixels))[0])
