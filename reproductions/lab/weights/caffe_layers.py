"""Layers of networks that were trained by Caffe: their names, and the layouts of their weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reproductions.lab.weights import layouts
from reproductions.lab.weights.preset import Placement

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Naming:
    """How a format names the tensors of a layer of Caffe.

    Attributes:
        kernel: What follows the name of the layer in that of its kernel.
        bias: And in that of its bias.
    """

    kernel: str
    bias: str


BLOBS = Naming("/0", "/1")


def inception_layer(layer: str) -> str:
    """Return Caffe's name of a layer of GoogLeNet or BN-Inception: "conv1" to "conv1/7x7_s2"."""
    parts = {"conv2_": "conv2/", "double_3x3_1": "double3x3a", "double_3x3_2": "double3x3b", "double_": "double"}
    for ours, theirs in parts.items():
        layer = layer.replace(ours, theirs)
    return {"conv1": "conv1/7x7_s2", "linear": "loss3/classifier"}.get(layer, layer)


def inception(model: keras.Model, naming: Naming) -> Iterator[Placement]:
    """Yield where kernels and biases of GoogLeNet or BN-Inception come from."""
    return placements(model, naming, inception_layer, {"conv1": layouts.bgr_convolution, "linear": layouts.dense})


def flattened(model: keras.Model, naming: Naming) -> Iterator[Placement]:
    """Yield where the weights of AlexNet or VGG come from, whose feature maps are flattened after "pool5"."""
    height, width = model.get_layer("pool5").output.shape[1:3]
    dense = {"fc6": layouts.dense_after_flatten(height, width), "fc7": layouts.dense, "fc8": layouts.dense}
    first = {"conv1": layouts.bgr_convolution, "conv1-1": layouts.bgr_convolution}
    return placements(model, naming, lambda layer: layer.replace("-", "_"), {**first, **dense})


def placements(
    model: keras.Model, naming: Naming, name: Callable[[str], str], kernels: Mapping[str, layouts.Convert]
) -> Iterator[Placement]:
    """Yield where each kernel and bias comes from.

    Args:
        model: The network.
        naming: How the format names tensors.
        name: Function from the name of a layer here to that in Caffe.
        kernels: Conversions of kernels, by layer here, other than that of a convolution.
    """
    for variable in model.weights:
        layer, _, weight = variable.path.rpartition("/")
        if weight == "bias":
            yield Placement(variable.path, (name(layer) + naming.bias,), layouts.bias)
        elif weight == "kernel":
            convert = kernels.get(layer, layouts.convolution)
            yield Placement(variable.path, (name(layer) + naming.kernel,), convert)
