"""Fully connected layers as convolutions: Simonyan and Zisserman 2014, section 3.2."""

from __future__ import annotations

from typing import Any

import keras
from keras.layers import Conv2D, Dense, Flatten, GlobalAveragePooling2D

from reproductions.lab.errors import UsageError


def fully_convolutional(model: keras.Model) -> keras.Model:
    """The network over images of any size: (batch, height, width, channels) to logits (batch, h, w, classes).

    Takes a network with one output whose maps are flattened into fully connected layers, as VGG's, AlexNet's and
    ZFNet's are: the first becomes a convolution as large as the maps, the others 1 x 1. Weights are copies. At the
    network's own input the map is 1 x 1 and holds its logits; on larger images, where maps are padded in convolution
    ("same"), a place of the map sees its neighbourhood where a crop would have seen zeros.
    Raises UsageError for other networks.
    """
    layers = [layer for layer in model.layers if layer.weights]
    flats = [layer for layer in model.layers if isinstance(layer, Flatten)]
    pooled = any(isinstance(layer, GlobalAveragePooling2D) for layer in model.layers)
    if len(model.outputs) != 1 or len(flats) != 1 or pooled or not isinstance(layers[-1], Dense):
        raise UsageError(f"{model.name} cannot be tested densely: it does not end in fully connected layers over maps")
    maps = tuple(flats[0].input.shape[1:3])

    with model.distribute_strategy.scope():
        bare = keras.Model(model.inputs[0], model.outputs[0], name=model.name)  # clones compile as the model was
        images = keras.Input((None, None, model.input_shape[-1]), name="images")
        wide = keras.models.clone_model(bare, input_tensors=images, clone_function=convolution(maps))
        for layer in layers:
            clone = wide.get_layer(layer.name)
            values = zip(clone.weights, layer.get_weights(), strict=True)
            clone.set_weights([value.reshape(weight.shape) for weight, value in values])
    return wide


def convolution(maps: tuple[int, int]) -> Any:
    """A cloning function: dense layers become convolutions, the first as large as the maps; none is flattened."""
    windows = iter([maps])

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, Flatten):
            return keras.layers.Identity(name=layer.name)
        if isinstance(layer, Dense):
            return Conv2D(
                layer.units,
                next(windows, (1, 1)),
                activation=layer.activation,
                use_bias=layer.use_bias,
                kernel_initializer="zeros",
                dtype=layer.dtype_policy,
                name=layer.name,
            )
        return layer.__class__.from_config(layer.get_config())

    return clone
