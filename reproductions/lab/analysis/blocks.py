"""Blocks of a model: its layers, with those of each Inception block taken together."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import keras

from reproductions.lab.analysis.network_profile import Block, NetworkProfile
from reproductions.lab.analysis.profile import LayerProfile, profile_model, total, without_weights
from reproductions.lab.spec.study import Network

# Layers that belong to the block of the layer before them.
FOLLOWING = ("Activation", "BatchNormalization", "Concatenate", "Dropout", "Flatten", "Rescaling", "UnitBias")
# Layers that change shapes only.
INVISIBLE = ("ConstantPadding2D", "ZeroPadding2D", "InputLayer")
KINDS = {
    "Conv2D": "convolution",
    "Dense": "dense",
    "LocalResponseNormalization": "normalization",
    "Pooling2D": "pooling",
    "RBFOutput": "dense",
    "Subsampling2D": "pooling",
    "Connected2D": "convolution",
}


def profile_network(network: Network) -> NetworkProfile:
    """Return the profile of a network, which is built for it without memory for weights."""
    with without_weights():
        model = network.model()
        layers = profile_model(model)
        return NetworkProfile(
            network=network.name,
            input_shape=tuple(model.inputs[0].shape[1:]),
            parameters=total(layers, "trainable"),
            multiply_adds=total(layers, "multiply_adds"),
            blocks=blocks_of(model, layers),
        )


def blocks_of(model: keras.Model, layers: Sequence[LayerProfile]) -> list[Block]:
    """Return the blocks of a model from the profiles of its layers."""
    kinds = {layer.name: kind_of(layer) for layer in model.layers}
    grouped: list[list[LayerProfile]] = []
    for _, found in itertools.groupby(layers, key=lambda layer: layer.name.split("/")[0]):
        parts = list(found)
        follows = len(parts) == 1 and parts[0].class_name in FOLLOWING
        if follows and grouped:
            grouped[-1] += parts
        elif not follows and parts[0].class_name not in INVISIBLE:
            grouped.append(parts)
    return [block_of(parts, kinds[parts[0].name.split("/")[0]]) for parts in grouped]


def kind_of(layer: keras.layers.Layer) -> str:
    """Return the kind of the block that a layer is, by the end of its class's name."""
    name = type(layer).__name__
    return next((kind for ending, kind in KINDS.items() if name.endswith(ending)), "block")


def block_of(parts: Sequence[LayerProfile], kind: str) -> Block:
    """Return the block that consists of some layers, in their order."""
    first, shape = parts[0], parts[-1].output_shape
    visible = [part.output_shape for part in parts if part.class_name != "Flatten"]
    return Block(
        name=first.name.split("/")[0],
        kind=kind,
        output_shape=visible[-1] if visible else shape,
        kernel_size=first.kernel_size if len(parts) == 1 or kind != "block" else (),
        strides=first.strides if len(parts) == 1 or kind != "block" else (),
        receptive_field=parts[-1].receptive_field,
        parameters=total(parts, "trainable"),
        multiply_adds=total(parts, "multiply_adds"),
        activations=total(parts, "activations"),
    )
