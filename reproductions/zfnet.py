"""ZFNet: Zeiler and Fergus, Visualizing and Understanding Convolutional Networks."""

from __future__ import annotations

import functools
from typing import Any

import keras

import layers
from reproductions.lab.spec import Network, Recipe, ReduceLROnPlateau, Study, keras_object

SHAPES = {
    "conv1": (110, 110, 96), "pool1": (55, 55, 96), "conv2": (26, 26, 256), "pool2": (13, 13, 256),
    "conv3": (13, 13, 384), "conv4": (13, 13, 384), "conv5": (13, 13, 256), "pool5": (6, 6, 256),
    "fc6": (4096,), "fc7": (4096,), "fc8": (1000,),
}  # fmt: skip


def start() -> Any:
    """Section 3: weights "initialized to 1e-2", read as a deviation; biases 0."""
    # Made anew for each layer: layers of one shape that share an initializer would start with equal weights.
    return keras.initializers.RandomNormal(stddev=0.01)


def renormalized(weights: int) -> keras.constraints.Constraint:
    """Section 3: a filter of so many weights whose RMS exceeds 0.1 is rescaled to that RMS, after every update."""
    return keras.constraints.MaxNorm(0.1 * weights**0.5, axis=(0, 1, 2))


def zfnet(
    classes: int = 1000, input_size: int = 224, maps: tuple[int, int, int] = (384, 384, 256), name: str = "zfnet"
) -> keras.Model:
    """Figure 3: images (batch, input_size, input_size, 3), mean subtracted, to logits (batch, classes).

    `maps` are those of conv3, conv4 and conv5.
    """

    def conv(filters: int, side: int, strides: int = 1, padding: str = "valid", name: str = "") -> Any:
        return lambda x: keras.layers.Conv2D(
            filters, side, strides, padding, activation="relu", kernel_initializer=start(),
            kernel_constraint=renormalized(side * side * x.shape[-1]), name=name,
        )(x)  # fmt: skip

    images = keras.Input((input_size, input_size, 3), name="images")
    x = keras.layers.ZeroPadding2D(1, name="pad1")(images)
    x = conv(96, 7, 2, name="conv1")(x)
    x = keras.layers.MaxPooling2D(3, 2, "same", name="pool1")(x)
    x = layers.LocalResponseNormalization(name="norm1")(x)
    x = conv(256, 5, 2, name="conv2")(x)
    x = keras.layers.MaxPooling2D(3, 2, "same", name="pool2")(x)
    x = layers.LocalResponseNormalization(name="norm2")(x)
    for number, filters in enumerate(maps, 3):
        x = conv(filters, 3, padding="same", name=f"conv{number}")(x)
    x = keras.layers.MaxPooling2D(3, 2, name="pool5")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    for number in 6, 7:
        x = keras.layers.Dense(4096, activation="relu", kernel_initializer=start(), name=f"fc{number}")(x)
        x = keras.layers.Dropout(0.5, name=f"drop{number}")(x)
    return keras.Model(images, keras.layers.Dense(classes, kernel_initializer=start(), name="fc8")(x), name=name)


# Section 3.
RECIPE = Recipe(
    dataset="imagenet",
    train_transforms=(("one_of_ten_crops", {"of": 256, "crop": 224, "subtract": "mean_image"}),),
    test_transforms=("subtract_mean_image",),
    protocol="ten crops",
    optimizer=keras_object("SGD", momentum=0.9),
    loss=keras_object("SparseCategoricalCrossentropy", from_logits=True),
    learning_rate=ReduceLROnPlateau(initial_learning_rate=0.01, factor=0.1, patience=4, max_reductions=3),
    batch_size=128,
    epochs=70,
    splits=("train",),
)

DEVIATIONS = (
    "The 110 x 110 maps of Figure 3 need one pixel of padding around the image, and its 55 and 13 pooling that "
    "runs over the edge.",
    'Figure 3 says "contrast norm." without constants; here those of Krizhevsky et al. 2012, across maps.',
    "The paper watches the validation images, which are its test images too; here one in a hundred training images "
    "of each class is held out for that, and not trained on.",
    "The paper anneals the rate by hand; here it is divided by ten after 4 passes without a lower validation error, "
    "three times at most.",
    "The paper names no weight decay, and here there is none; it does not say how it tests, and here it is by ten "
    "crops, as it trains.",
)

STUDY = Study(
    name="zfnet",
    title="Visualizing and Understanding Convolutional Networks",
    authors="Zeiler and Fergus",
    year=2013,
    url="https://arxiv.org/abs/1311.2901",
    networks=(
        Network("zfnet", zfnet, RECIPE, deviations=DEVIATIONS),
        Network(
            "zfnet-512",
            functools.partial(zfnet, maps=(512, 1024, 512), name="zfnet-512"),
            RECIPE,
            deviations=(*DEVIATIONS, "Table 2's network (b), the one that the lecture describes."),
        ),
    ),
)
