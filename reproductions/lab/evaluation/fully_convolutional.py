"""Fully connected layers as convolutions: Simonyan and Zisserman 2014, section 3.2."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras.layers import Conv2D, Dense, Flatten, GlobalAveragePooling2D

from reproductions.lab.errors import UsageError


def fully_convolutional(model: keras.Model) -> keras.Model:
    """Return the network for images of any size: fully connected layers become convolutions with the same weights.

    The first of them becomes a convolution as large as the feature maps, the others 1 x 1. At the network's own input
    size the result is a 1 x 1 map of its logits. On larger images, if convolutions are padded ("same"), a position of
    the map sees neighbouring pixels where a crop sees zeros.

    Args:
        model: Network with one output whose feature maps are flattened into fully connected layers, such as VGG,
            AlexNet and ZFNet.

    Returns:
        Network from (batch, height, width, channels) to logits (batch, rows, columns, classes). Weights are copies.

    Raises:
        UsageError: If the network does not have this form.
    """
    layers = [layer for layer in model.layers if layer.weights]
    flats = [layer for layer in model.layers if isinstance(layer, Flatten)]
    pooled = any(isinstance(layer, GlobalAveragePooling2D) for layer in model.layers)
    if len(model.outputs) != 1 or len(flats) != 1 or pooled or not isinstance(layers[-1], Dense):
        raise UsageError(
            f"{model.name} cannot be tested densely: expected one output, by fully connected layers over flattened "
            "feature maps; choose another protocol"
        )
    rows, columns = flats[0].input.shape[1:3]

    with model.distribute_strategy.scope():
        bare = keras.Model(
            model.inputs[0], model.outputs[0], name=model.name
        )  # without this, the clone would be compiled as the model was
        images = keras.Input((None, None, model.input_shape[-1]), name="images")
        wide = keras.models.clone_model(bare, input_tensors=images, clone_function=convolutional_clone((rows, columns)))
        for layer in layers:
            clone = wide.get_layer(layer.name)
            values = zip(clone.weights, layer.get_weights(), strict=True)
            clone.set_weights([value.reshape(weight.shape) for weight, value in values])
    return wide


def convolutional_clone(map_size: tuple[int, int]) -> Callable[[keras.layers.Layer], keras.layers.Layer]:
    """Return a clone function for `keras.models.clone_model` that replaces fully connected layers by convolutions.

    Args:
        map_size: Rows and columns of the feature maps, the kernel size of the first convolution.
    """
    windows = iter([map_size])

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
