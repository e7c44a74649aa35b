"""ZFNet: Zeiler and Fergus, Visualizing and Understanding Convolutional Networks (2013)."""

from __future__ import annotations

import functools
from collections.abc import Callable

import keras

import layers
from reproductions.lab.spec import Network, Recipe, ReduceLROnPlateau, Study, keras_object

SHAPES = {
    "conv1": (110, 110, 96), "pool1": (55, 55, 96), "conv2": (26, 26, 256), "pool2": (13, 13, 256),
    "conv3": (13, 13, 384), "conv4": (13, 13, 384), "conv5": (13, 13, 256), "pool5": (6, 6, 256),
    "fc6": (4096,), "fc7": (4096,), "fc8": (1000,),
}  # fmt: skip


def initializer() -> keras.initializers.Initializer:
    """Section 3: weights "initialized to 1e-2", read as a standard deviation; biases 0."""
    # A new object for each layer: layers of one shape that share an initializer would start with equal weights.
    return keras.initializers.RandomNormal(stddev=0.01)


def renormalized(fan_in: int) -> keras.constraints.Constraint:
    """Section 3: after each update, filters whose RMS exceeds 0.1 are rescaled to that RMS."""
    return keras.constraints.MaxNorm(0.1 * fan_in**0.5, axis=(0, 1, 2))


def conv(
    filters: int, kernel_size: int, strides: int = 1, padding: str = "valid", *, name: str
) -> Callable[[keras.KerasTensor], keras.KerasTensor]:
    """Return a function that applies a convolution, with ReLU and renormalized filters."""
    return lambda x: keras.layers.Conv2D(
        filters, kernel_size, strides, padding, activation="relu", kernel_initializer=initializer(),
        kernel_constraint=renormalized(kernel_size**2 * x.shape[-1]), name=name,
    )(x)  # fmt: skip


def zfnet(
    classes: int = 1000, input_size: int = 224, filters: tuple[int, int, int] = (384, 384, 256), name: str = "zfnet"
) -> keras.Model:
    """Figure 3: images (batch, input_size, input_size, 3), mean subtracted, to logits (batch, classes).

    `filters` are those of conv3, conv4 and conv5.
    """
    images = keras.Input((input_size, input_size, 3), name="images")
    x = keras.layers.ZeroPadding2D(1, name="pad1")(images)
    x = conv(96, 7, 2, name="conv1")(x)
    x = keras.layers.MaxPooling2D(3, 2, "same", name="pool1")(x)
    x = layers.LocalResponseNormalization(name="norm1")(x)
    x = conv(256, 5, 2, name="conv2")(x)
    x = keras.layers.MaxPooling2D(3, 2, "same", name="pool2")(x)
    x = layers.LocalResponseNormalization(name="norm2")(x)
    for number, count in enumerate(filters, 3):
        x = conv(count, 3, padding="same", name=f"conv{number}")(x)
    x = keras.layers.MaxPooling2D(3, 2, name="pool5")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    for number in 6, 7:
        x = keras.layers.Dense(4096, activation="relu", kernel_initializer=initializer(), name=f"fc{number}")(x)
        x = keras.layers.Dropout(0.5, name=f"drop{number}")(x)
    return keras.Model(images, keras.layers.Dense(classes, kernel_initializer=initializer(), name="fc8")(x), name=name)


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
    "Figure 3 has feature maps of 110 x 110, 55 x 55 and 13 x 13. Here one pixel of padding around the image leads to "
    "the first, and pooling that extends beyond the edge to the others.",
    'Figure 3 says "contrast norm." without constants. Here it is the normalization across channels of Krizhevsky et '
    "al. 2012, with their constants.",
    "The paper monitors the validation images, which are its test images too. Here one in a hundred training images of "
    "each class is held out for that, and not trained on.",
    "The paper anneals the learning rate by hand. Here it is divided by ten after 4 epochs without a lower validation "
    "error, at most three times.",
    "The paper does not mention weight decay. Here there is none.",
    "The paper does not say how it tests. Here the protocol is ten crops, those it trains on.",
)

STUDY = Study(
    name="zfnet",
    title="Visualizing and Understanding Convolutional Networks",
    authors="Zeiler and Fergus",
    year=2013,
    url="https://arxiv.org/abs/1311.2901",
    networks=(
        Network("zfnet", zfnet, RECIPE, deviations=DEVIATIONS, shapes=SHAPES, trainable_parameters=62357608),
        Network(
            "zfnet-512",
            functools.partial(zfnet, filters=(512, 1024, 512), name="zfnet-512"),
            RECIPE,
            deviations=(
                *DEVIATIONS,
                "Figure 3 has 384, 384 and 256 filters in conv3, conv4 and conv5. Here they are the 512, 1024 and 512 "
                "of network (b) in Table 2, the one that the lecture describes.",
            ),
            shapes={
                **SHAPES,
                "conv3": (13, 13, 512),
                "conv4": (13, 13, 1024),
                "conv5": (13, 13, 512),
                "pool5": (6, 6, 512),
            },
            trainable_parameters=107627624,
        ),
    ),
)
