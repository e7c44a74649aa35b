"""All-CNN: Springenberg, Dosovitskiy, Brox and Riedmiller, Striving for Simplicity: The All Convolutional Net."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import keras

from reproductions.lab.spec import Choice, Domain, KerasObject, Network, Recipe, Study, keras_object

# Table 1: the convolutions (kernel size, filters) before each of the two poolings.
TABLE_1 = {
    "a": (((5, 96),), ((5, 192),)),
    "b": (((5, 96), (1, 96)), ((5, 192), (1, 192))),
    "c": (((3, 96), (3, 96)), ((3, 192), (3, 192))),
}

# Section 3.1: the ways of halving the feature maps of a base network.
FAMILIES = ("base", "strided", "convpool", "all")

# Of the base and strided networks; the 3x3 convolutions of the other families add to them.
TRAINABLE_PARAMETERS = {"a": 839242, "b": 885610, "c": 954730}
POOLING_PARAMETERS = 96 * 96 * 9 + 96 + 192 * 192 * 9 + 192

SHAPES = {"conv3-1": (6, 6, 192), "conv3-3": (6, 6, 10), "average": (10,)}

GLOROT_UNIFORM = keras_object("GlorotUniform")


def all_cnn(
    model: str = "c",
    family: str = "all",
    classes: int = 10,
    input_size: int = 32,
    padding: str = "valid",
    kernel_initializer: KerasObject = GLOROT_UNIFORM,
    name: str = "all-cnn",
) -> keras.Model:
    """Tables 1 and 2: images (batch, input_size, input_size, 3), whitened, to logits (batch, classes).

    Args:
        model: Base network, a column of Table 1: "a", "b" or "c".
        family: "base" for 3x3 max pooling; "strided" for stride 2 in the convolution before it instead; "convpool" for
            a 3x3 convolution before the pooling; "all" for a 3x3 convolution with stride 2 instead.
        classes: Number of classes.
        input_size: Height and width of the images.
        padding: Padding of the last 3x3 convolution: "valid" for 6 x 6 feature maps, as published, "same" for 8 x 8.
        kernel_initializer: Initializer of all kernels.
        name: Name of the model.
    """
    conv = functools.partial(keras.layers.Conv2D, activation="relu", kernel_initializer=dict(kernel_initializer))
    images = keras.Input((input_size, input_size, 3), name="images")
    x = keras.layers.Dropout(0.2, name="drop0")(images)
    for stage, convolutions in enumerate(TABLE_1[model], 1):
        for number, (kernel_size, filters) in enumerate(convolutions, 1):
            strides = 2 if family == "strided" and number == len(convolutions) else 1
            x = conv(filters, kernel_size, strides, "same", name=f"conv{stage}-{number}")(x)
        x = downsample(x, filters, family, stage, conv)
        x = keras.layers.Dropout(0.5, name=f"drop{stage}")(x)
    x = conv(192, 3, padding=padding, name="conv3-1")(x)
    x = conv(192, 1, name="conv3-2")(x)
    x = conv(classes, 1, name="conv3-3")(x)
    logits = keras.layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(images, logits, name=name)


def downsample(
    x: keras.KerasTensor, filters: int, family: str, stage: int, conv: Callable[..., keras.layers.Layer]
) -> keras.KerasTensor:
    """Apply what halves the feature maps after a stage; nothing in the strided family."""
    if family == "convpool":
        x = conv(filters, 3, padding="same", name=f"conv{stage}-pool")(x)
    if family in ("base", "convpool"):
        return keras.layers.MaxPooling2D(3, 2, "same", name=f"pool{stage}")(x)
    if family == "all":
        return conv(filters, 3, 2, "same", name=f"pool{stage}")(x)
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
    kernel_initializer=GLOROT_UNIFORM,
)

# Section 3.2, on whitened images.
AUGMENTED_RECIPE = replace(
    RECIPE,
    train_transforms=(("shift", {"pixels": 5}), "random_flip"),
    # Test images stay where they are: without transforms of their own they would get those of training.
    test_transforms=(("shift", {"pixels": 0}),),
)

# The learning rates are the paper's.
SEARCH_SPACE: dict[str, Domain] = {
    "learning_rate": Choice((0.25, 0.1, 0.05, 0.01)),
    "batch_size": Choice((32, 64, 128, 256)),
}

DEVIATIONS = (
    "The paper does not say how weights are initialized. Here they are as by Glorot and Bengio.",
    "The paper averages over 6 x 6 feature maps and does not say which layer leads to them. Here it is the last 3x3 "
    "convolution, which is not padded.",
    "The paper takes the best of the learning rates 0.25, 0.1, 0.05 and 0.01, and gives neither the one taken nor the "
    "batch size. Here they are 0.01 and 32, without a search. At 0.05 with batches of 32 or 64, or of 128 from He's "
    "initialization, most units of the last layer, which ends in a ReLU, become zero for every image within some "
    "hundred updates, and stay so.",
)
STRIDED_DEVIATIONS = (
    "The paper does not say where dropout stands in the strided networks. Here it follows the strided layer.",
    "The paper gives stride 2 to the convolution before a pooling that it removes. Here, in Strided-CNN-B, that is the "
    "1x1 convolution.",
)
AUGMENTED_DEVIATIONS = (
    "The paper does not say what images that are shifted show beyond the edge. Here it is zero, the mean of the "
    "whitened images.",
    "The paper adds flipped and shifted copies of all images. Here every image is flipped with probability one half "
    "and shifted at random in each epoch, which then has as many updates as without augmentation.",
)


def network(family: str, model: str) -> Network:
    """Return the network of a family and base network."""
    name = f"{family}-cnn-{model}"
    return Network(
        name,
        functools.partial(all_cnn, model, family, name=name),
        RECIPE,
        deviations=DEVIATIONS + (STRIDED_DEVIATIONS if family == "strided" else ()),
        search_space=SEARCH_SPACE,
        shapes=SHAPES,
        trainable_parameters=TRAINABLE_PARAMETERS[model] + (POOLING_PARAMETERS if family in ("convpool", "all") else 0),
    )


NETWORKS = tuple(network(family, model) for family in reversed(FAMILIES) for model in reversed(TABLE_1))

AUGMENTED = replace(
    NETWORKS[0],
    name="all-cnn-c-augmented",
    build=functools.partial(all_cnn, "c", "all", name="all-cnn-c-augmented"),
    recipe=AUGMENTED_RECIPE,
    deviations=DEVIATIONS + AUGMENTED_DEVIATIONS,
)

STUDY = Study(
    name="all_cnn",
    title="Striving for Simplicity: The All Convolutional Net",
    authors="Springenberg, Dosovitskiy, Brox and Riedmiller",
    year=2014,
    url="https://arxiv.org/abs/1412.6806",
    label="All-CNN",
    contribution=(
        "It replaces pooling by convolutions with stride 2, and fully connected layers by 1x1 convolutions, without a "
        "higher error.",
        "It compares three networks and four ways to reduce their feature maps on CIFAR-10.",
        "It introduces guided backpropagation, which needs no switches of a pooling layer.",
    ),
    networks=(*NETWORKS, AUGMENTED),
)
