"""Descriptions of networks in the lecture's notation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from reproductions.lab.analysis.claims import Evidence, Source
from reproductions.lab.analysis.published import Fact

if TYPE_CHECKING:
    import keras

    from reproductions.lab.analysis.profile import LayerProfile

Item = TypeVar("Item")

LAYER_TYPES = {
    "Conv2D": "CONV",
    "MaxPool": "MAX POOL",
    "Pool": "POOL",
    "Subsampl": "POOL",
    "Dense": "FC",
    "ResponseNorm": "NORM",
}


def layer_type(layer: LayerProfile) -> str:
    """Return the lecture's name for the type of a layer, such as "CONV"; "" for dropout and the like."""
    return next((name for part, name in LAYER_TYPES.items() if part in layer.class_name), "")


def layers_of_type(evidence: Evidence, network: str, *types: str) -> list[LayerProfile]:
    """Return the layers of a network with one of the lecture's types."""
    return [layer for layer in evidence.layers(network) if layer_type(layer) in types]


def numbered_types(evidence: Evidence, network: str) -> str:
    """Return the types of a network's layers with numbers, "CONV1 MAX POOL1 ...".

    Convolutions and fully connected layers are numbered together.
    """
    counts = {"CONV": 0, "NORM": 0, "MAX POOL": 0}
    found = []
    for layer in layers_of_type(evidence, network, "CONV", "NORM", "MAX POOL", "FC"):
        counted = "CONV" if layer_type(layer) == "FC" else layer_type(layer)
        counts[counted] += 1
        found.append(f"{layer_type(layer)}{counts[counted]}")
    return " ".join(found)


def diagram(evidence: Evidence, network: str, convolution: str, normalization: str = "") -> str:
    """Return a network as a column of boxes, separated by semicolons, input first.

    Args:
        evidence: Networks.
        network: Name of the network.
        convolution: Template of a convolution's box, with the fields `side` and `filters`.
        normalization: Text of a normalization layer's box; "" to leave these out.
    """
    boxes = []
    for layer in layers_of_type(evidence, network, "CONV", "NORM", "MAX POOL", "FC"):
        filters = layer.output_shape[-1]
        box = {"MAX POOL": "Pool", "FC": f"FC {filters}", "NORM": normalization}.get(layer_type(layer))
        boxes.append(convolution.format(side=layer.kernel_size[0], filters=filters) if box is None else box)
    return "; ".join(box for box in boxes if box)


def padding(layer: LayerProfile) -> int:
    """Return the padding of a convolution in pixels."""
    return 0 if layer.padding == "valid" else (layer.kernel_size[0] - 1) // 2


def describe_layer(evidence: Evidence, network: str, name: str) -> str:
    """Return a layer as the lecture's AlexNet listing describes it, after the colon."""
    layer = evidence.layer(network, name)
    if layer_type(layer) == "FC":
        return f"{layer.output_shape[-1]} neurons"
    side, stride = layer.kernel_size[0], layer.strides[0]
    if layer_type(layer) != "CONV":
        return f"{side}x{side} filters at stride {stride}"
    return f"{layer.output_shape[-1]} {side}x{side} filters at stride {stride}, pad {padding(layer)}"


def distinct_windows(evidence: Evidence, networks: tuple[str, ...], type_name: str, template: str) -> str:
    """Return the distinct windows of all layers of a type.

    Args:
        evidence: Networks.
        networks: Names of the networks.
        type_name: Type of the layers, such as "CONV".
        template: Template of a window, with the fields `side`, `stride` and `pad`.
    """
    layers = [layer for network in networks for layer in layers_of_type(evidence, network, type_name)]
    return " and ".join(
        sorted(
            {
                template.format(side=layer.kernel_size[0], stride=layer.strides[0], pad=padding(layer))
                for layer in layers
            }
        )
    )


def weight_layers(*networks: str, count_last: bool = True) -> Source:
    """Source: the depth of each network in layers with weights, such as "16 - 19"."""

    def count(evidence: Evidence) -> str:
        from reproductions.lab.analysis.profile import depth

        return " - ".join(str(depth(evidence.model(network)) - (not count_last)) for network in networks)

    return Source(f"weight layers of {' and '.join(networks)}{'' if count_last else ', without the last'}", count)


def all_pass(items: Iterable[Item], test: Callable[[Item], bool], noun: str) -> Fact:
    """Return whether all of at least one item pass a test, and how many do."""
    results = [test(item) for item in items]
    return Fact(0 < sum(results) == len(results), f"{sum(results)} of {len(results)} {noun}")


def blocks(evidence: Evidence, network: str) -> list[keras.layers.Layer]:
    """Return the blocks of a network."""
    return [layer for layer in evidence.model(network).layers if hasattr(layer, "inner")]


def majority_share(evidence: Evidence, network: str, quantity: str, prefixes: tuple[str, ...], types: str) -> Fact:
    """Return whether some layers have more than half of a quantity, and their percentage.

    Args:
        evidence: Networks.
        network: Name of the network.
        quantity: Attribute of a layer's profile that is summed.
        prefixes: Beginnings of the names of the layers in question.
        types: Types of the layers that make up the whole, separated by commas.
    """
    layers = layers_of_type(evidence, network, *types.split(", "))
    part = sum(getattr(layer, quantity) for layer in layers if layer.name.startswith(prefixes))
    percent = 100 * part / sum(getattr(layer, quantity) for layer in layers)
    return Fact(percent > 50, f"{percent:.1f}% of the {quantity}")
