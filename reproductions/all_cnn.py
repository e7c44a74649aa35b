"""All-CNN: Springenberg, Dosovitskiy, Brox and Riedmiller, Striving for Simplicity: The All Convolutional Net."""

from __future__ import annotations

import functools
from typing import Any

import keras

from reproductions.lab.spec import Choice, Domain, KerasObject, Network, Recipe, Study, keras_object

# Table 1: the convolutions (side, maps) before each of the two pools.
TABLE_1 = {
    "a": (((5, 96),), ((5, 192),)),
    "b": (((5, 96), (1, 96)), ((5, 192), (1, 192))),
    "c": (((3, 96), (3, 96)), ((3, 192), (3, 192))),
}
# Section 3.1: how each family makes a base network's maps half as large.
FAMILIES = ("base", "strided", "convpool", "all")

GLOROT = keras_object("GlorotUniform")


def all_cnn(
    model: str = "c",
    family: str = "all",
    classes: int = 10,
    input_size: int = 32,
    padding: str = "valid",
    kernel_initializer: KerasObject = GLOROT,
    name: str = "",
) -> keras.Model:
    """Tables 1 and 2: images (batch, input_size, input_size, 3), whitened, to logits (batch, classes).

    `model` is a row of Table 1, `family` one of base (3x3 max pooling), strided (the convolution before it
    takes stride 2 instead), convpool (a 3x3 convolution before it) or all (a 3x3 convolution of stride 2
    instead). With `padding` "valid" the seventh layer leaves 6x6 maps, as printed; "same" leaves 8x8.
    """
    conv = functools.partial(keras.layers.Conv2D, activation="relu", kernel_initializer=dict(kernel_initializer))
    images = keras.Input((input_size, input_size, 3), name="images")
    x = keras.layers.Dropout(0.2, name="drop0")(images)
    for stage, convolutions in enumerate(TABLE_1[model], 1):
        for number, (side, maps) in enumerate(convolutions, 1):
            strides = 2 if family == "strided" and number == len(convolutions) else 1
            x = conv(maps, side, strides, "same", name=f"conv{stage}-{number}")(x)
        x = halve(x, maps, family, stage, conv)
        x = keras.layers.Dropout(0.5, name=f"drop{stage}")(x)
    x = conv(192, 3, padding=padding, name="conv3-1")(x)
    x = conv(192, 1, name="conv3-2")(x)
    x = conv(classes, 1, name="conv3-3")(x)
    return keras.Model(
        images, keras.layers.GlobalAveragePooling2D(name="average")(x), name=name or f"{family}-cnn-{model}"
    )


def halve(x: Any, maps: int, family: str, stage: int, conv: Any) -> Any:
    """What stands between two stages of a family."""
    if family == "convpool":
        x = conv(maps, 3, padding="same", name=f"conv{stage}-pool")(x)
    if family in ("base", "convpool"):
        return keras.layers.MaxPooling2D(3, 2, "same", name=f"pool{stage}")(x)
    if family == "all":
        return conv(maps, 3, 2, "same", name=f"pool{stage}")(x)
    return x


# Section 3.2, for every network.
RECIPE = Recipe(
    dataset="cifar10-whitened",
    train_transforms=(),
    optimizer=keras_object("SGD", momentum=0.9),
    loss=keras_object("SparseCategoricalCrossentropy", from_logits=True),
    learning_rate=((1, 0.01), (201, 0.001), (251, 0.0001), (301, 0.00001)),
    batch_size=32,
    epochs=350,
    weight_decay=0.001,
    kernel_initializer=GLOROT,
)

# The first is the paper's grid.
SEARCH_SPACE: dict[str, Domain] = {
    "learning_rate": Choice((0.25, 0.1, 0.05, 0.01)),
    "batch_size": Choice((32, 64, 128, 256)),
}

DEVIATIONS = (
    "The paper does not say how weights start; here as Glorot and Bengio.",
    "The paper averages over 6x6 maps without naming the layer that leaves them; here the unpadded 3x3.",
    "The paper takes the best of the rates 0.25, 0.1, 0.05 and 0.01 and says neither which it was nor the size of a "
    "batch; here 0.01 and 32, without a search. At 0.05 with batches of 32 or 64, or of 128 from He's start, most "
    "units of the last layer, which ends in a ReLU, come to be at zero for every image within some hundred updates, "
    "and stay there.",
)
STRIDED_DEVIATIONS = (
    "The paper does not say where dropout goes in the strided networks; here after the strided layer.",
    "In Strided-CNN-B the convolution before the pool, which takes its stride, is the 1x1.",
)

STUDY = Study(
    name="all_cnn",
    title="Striving for Simplicity: The All Convolutional Net",
    authors="Springenberg, Dosovitskiy, Brox and Riedmiller",
    year=2014,
    url="https://arxiv.org/abs/1412.6806",
    networks=tuple(
        Network(
            f"{family}-cnn-{model}",
            functools.partial(all_cnn, model, family),
            RECIPE,
            deviations=DEVIATIONS + (STRIDED_DEVIATIONS if family == "strided" else ()),
            search_space=SEARCH_SPACE,
        )
        for family in reversed(FAMILIES)
        for model in reversed(TABLE_1)
    ),
)
