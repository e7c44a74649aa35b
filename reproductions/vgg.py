"""VGG: Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import keras

import layers
from reproductions.lab.study import Network, Plateau, Recipe, Study, keras_object

# Table 1: the five stages of each network; "3" and "1" are the sides of its convolutions.
TABLE_1 = {
    "A": ("3", "3", "33", "33", "33"),
    "A-LRN": ("3", "3", "33", "33", "33"),
    "B": ("33", "33", "33", "33", "33"),
    "C": ("33", "33", "331", "331", "331"),
    "D": ("33", "33", "333", "333", "333"),
    "E": ("33", "33", "3333", "3333", "3333"),
}
MAPS = (64, 128, 256, 512, 512)

SHAPES = {"pool1": (112, 112, 64), "pool2": (56, 56, 128), "pool3": (28, 28, 256), "pool4": (14, 14, 512),
          "pool5": (7, 7, 512), "fc6": (4096,), "fc7": (4096,), "fc8": (1000,)}  # fmt: skip


def start() -> Any:
    """Section 3.1: normal with variance 0.01, that is a deviation of 0.1; biases 0."""
    # Made anew for each layer: layers of one shape that share an initializer would start with equal weights.
    return keras.initializers.RandomNormal(stddev=0.1)


def vgg(
    configuration: str, classes: int = 1000, input_size: int | None = 224, convolutional: bool = False, name: str = ""
) -> keras.Model:
    """Table 1: images (batch, input_size, input_size, 3), mean RGB subtracted, to logits (batch, classes).

    With `convolutional`, the fully connected layers are convolutions (section 3.2): any image of 224 or
    more, input_size None, to a map of logits (batch, h, w, classes).
    """
    images = keras.Input((input_size, input_size, 3), name="images")
    x = images
    for stage, (sides, maps) in enumerate(zip(TABLE_1[configuration], MAPS), 1):
        for number, side in enumerate(map(int, sides), 1):
            x = keras.layers.Conv2D(
                maps, side, padding="same", activation="relu", kernel_initializer=start(),
                name=f"conv{stage}-{number}",
            )(x)  # fmt: skip
        if configuration == "A-LRN" and stage == 1:
            x = layers.LocalResponseNormalization(name="norm1")(x)
        x = keras.layers.MaxPooling2D(2, name=f"pool{stage}")(x)
    if not convolutional:
        x = keras.layers.Flatten(name="flatten")(x)
    for number, units in [(6, 4096), (7, 4096), (8, classes)]:
        activation = "relu" if number < 8 else None
        if convolutional:
            window = 7 if number == 6 else 1
            layer = keras.layers.Conv2D(
                units, window, activation=activation, kernel_initializer=start(), name=f"fc{number}"
            )
        else:
            layer = keras.layers.Dense(units, activation=activation, kernel_initializer=start(), name=f"fc{number}")
        x = layer(x)
        if number < 8:
            x = keras.layers.Dropout(0.5, name=f"drop{number}")(x)
    return keras.Model(images, x, name=name or f"vgg-{configuration.lower()}")


def as_convolutions(model: keras.Model) -> keras.Model:
    """A trained VGG with its fully connected layers made convolutions, for images of any size from 224 up.

    Takes a model of `vgg` with 224 input; the new one shares no weights with it. ValueError for another input.
    """
    if model.input_shape[1:3] != (224, 224):
        raise ValueError(f"the model must take 224 x 224 images, so that pool5 is 7 x 7; it takes {model.input_shape}")
    normalized = any(layer.name == "norm1" for layer in model.layers)
    stages = tuple(
        "".join(str(layer.kernel_size[0]) for layer in model.layers if layer.name.startswith(f"conv{stage}-"))
        for stage in range(1, 6)
    )
    configuration = "A-LRN" if normalized else next(name for name, sides in TABLE_1.items() if sides == stages)
    wide = vgg(configuration, model.output_shape[-1], None, convolutional=True, name=model.name)
    for layer in model.layers:
        shapes = [weight.shape for weight in wide.get_layer(layer.name).weights] if layer.weights else []
        values = [weight.reshape(shape) for weight, shape in zip(layer.get_weights(), shapes)]
        if values:
            wide.get_layer(layer.name).set_weights(values)
    return wide


# Section 3.1, at the fixed scale S = 256.
RECIPE = Recipe(
    dataset="imagenet",
    images=(("scale_jittered_crop", {"smallest": 256, "largest": 256, "crop": 224}), "random_flip", "pca_colour",
            "subtract_mean_colour"),
    test_images=("subtract_mean_colour",),
    protocol="dense at 256",
    optimizer=keras_object("SGD", momentum=0.9),
    loss=keras_object("SparseCategoricalCrossentropy", from_logits=True),
    weight_decay=0.0005,
    rates=Plateau(first=0.01, factor=0.1, patience=5, drops=3),
    batch=256,
    epochs=74,
    parts=("train",),
)  # fmt: skip

# "We initialised the first four convolutional layers and the last three fully-connected layers with the layers of
# net A": stages of one convolution in A have two in the others.
FROM_A = ("conv1-1", "conv2-1", "conv3-1", "conv3-2", "fc6", "fc7", "fc8")

DEPARTURES = (
    "The paper watches the validation images, which are its test images too; here one in a hundred training images "
    "of each class is held out for that, and not trained on.",
    "The paper divides the rate by ten by hand when the validation error stops improving; here after 5 passes "
    "without a lower one, three times at most.",
)

STUDY = Study(
    name="vgg",
    title="Very Deep Convolutional Networks for Large-Scale Image Recognition",
    authors="Simonyan and Zisserman",
    year=2014,
    url="https://arxiv.org/abs/1409.1556",
    networks=tuple(
        Network(
            f"vgg-{configuration.lower()}",
            functools.partial(vgg, configuration),
            RECIPE if configuration in ("A", "A-LRN") else replace(RECIPE, starts_from=FROM_A),
            departures=DEPARTURES,
        )
        for configuration in TABLE_1
    ),
)
