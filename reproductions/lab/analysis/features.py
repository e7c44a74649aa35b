"""The part of a network before its classifier."""

from __future__ import annotations

import keras

from reproductions.lab.errors import UsageError

POOLING = (keras.layers.Flatten, keras.layers.GlobalAveragePooling2D)


def feature_extractor(model: keras.Model) -> keras.Model:
    """Return the network from images to the feature maps that its classifier takes.

    The classifier is what follows the feature maps: the layers from Flatten or global average pooling on, or, in a
    network that averages the maps of its last convolution, this convolution.

    Args:
        model: Network with one output. It shares its weights with the result.

    Returns:
        Model from images (batch, height, width, channels) to maps (batch, rows, columns, filters).

    Raises:
        UsageError: If the network has several outputs, or its classifier takes the images themselves.
    """
    if isinstance(model.output, dict) or len(model.outputs) != 1:
        raise UsageError(f"the features of {model.name} are those of one output: leave out its auxiliary heads")
    maps = keras.Model(model.inputs, classifier_input(model), name=f"{model.name}-features")
    if not maps.weights:
        raise UsageError(
            f"{model.name} has no features without its top: its fully connected layers take the images; build it with "
            "include_top=True"
        )
    return maps


def classifier_input(model: keras.Model) -> keras.KerasTensor:
    """Return the tensor that the classifier of a network takes; the images if no layer pools or flattens the maps."""
    producers = {id(layer.output): layer for layer in model.layers}
    tensor, weighted, pooled = model.outputs[0], False, False
    while isinstance(tensor, keras.KerasTensor) and tensor is not model.inputs[0]:
        layer = producers[id(tensor)]
        if isinstance(layer, POOLING) and len(layer.input.shape) > 2:
            if weighted:
                return layer.input
            pooled = True
        elif layer.weights:
            if pooled:
                return layer.input
            weighted = True
        tensor = layer.input
    return model.inputs[0]
