"""ZFNet: Zeiler and Fergus, Visualizing and Understanding Convolutional Networks (2013)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal, get_args

import keras

import layers
from reproductions.lab.spec import Network, Recipe, ReduceLROnPlateau, Study, keras_object

SHAPES = {
    "conv1": (110, 110, 96), "pool1": (55, 55, 96), "conv2": (26, 26, 256), "pool2": (13, 13, 256),
    "conv3": (13, 13, 384), "conv4": (13, 13, 384), "conv5": (13, 13, 256), "pool5": (6, 6, 256),
    "fc6": (4096,), "fc7": (4096,), "fc8": (1000,),
}  # fmt: skip

# Their replication of Krizhevsky et al. 2012.
REPLICATION_SHAPES = {**SHAPES, "conv1": (55, 55, 96), "pool1": (27, 27, 96), "conv2": (27, 27, 256)}

# Figure 3: filters or units of layers 3 to 7.
WIDTHS = {"conv3": 384, "conv4": 384, "conv5": 256, "fc6": 4096, "fc7": 4096}

# The widths of Table 3 that differ.
UNITS_2048 = {"fc6": 2048, "fc7": 2048}
UNITS_8192 = {"fc6": 8192, "fc7": 8192}
MAPS_512 = {"conv3": 512, "conv4": 1024, "conv5": 512}

Base = Literal["figure 3", "replication"]


def initializer() -> keras.initializers.Initializer:
    """Section 3: weights "initialized to 1e-2", read as a standard deviation; biases 0."""
    # A new object for each layer: layers of one shape that share an initializer would start with equal weights.
    return keras.initializers.RandomNormal(stddev=0.01)


def renormalized(fan_in: int) -> keras.constraints.Constraint:
    """Section 3: after each update, filters whose RMS exceeds 0.1 are rescaled to that RMS."""
    return keras.constraints.MaxNorm(0.1 * fan_in**0.5, axis=(0, 1, 2))


def conv(
    x: keras.KerasTensor, name: str, filters: int, kernel_size: int, strides: int = 1, *, groups: int = 1
) -> keras.KerasTensor:
    """Apply a convolution, padded unless it has strides, with ReLU and renormalized filters."""
    return layers.GroupedConv2D(
        filters, kernel_size, strides, "same" if strides == 1 else "valid", groups=groups, activation="relu",
        kernel_initializer=initializer(), kernel_constraint=renormalized(kernel_size**2 * x.shape[-1] // groups),
        name=name,
    )(x)  # fmt: skip


def figure3_layers_1_and_2(x: keras.KerasTensor) -> keras.KerasTensor:
    """Figure 3: each layer is pooled, then normalized."""
    x = keras.layers.ZeroPadding2D(1, name="pad1")(x)
    for number, (filters, kernel_size) in enumerate(((96, 7), (256, 5)), 1):
        x = conv(x, f"conv{number}", filters, kernel_size, 2)
        x = keras.layers.MaxPooling2D(3, 2, "same", name=f"pool{number}")(x)
        x = layers.LocalResponseNormalization(name=f"norm{number}")(x)
    return x


def replicated_layers_1_and_2(x: keras.KerasTensor) -> keras.KerasTensor:
    """Krizhevsky et al. 2012, Figure 2: each layer is normalized, then pooled; two groups in conv2."""
    # The last windows extend beyond the right and bottom edges, as in their code.
    x = keras.layers.ZeroPadding2D(((0, 3), (0, 3)), name="pad1")(x)
    for number, (filters, kernel_size, strides, groups) in enumerate(((96, 11, 4, 1), (256, 5, 1, 2)), 1):
        x = conv(x, f"conv{number}", filters, kernel_size, strides, groups=groups)
        x = layers.LocalResponseNormalization(name=f"norm{number}")(x)
        x = keras.layers.MaxPooling2D(3, 2, name=f"pool{number}")(x)
    return x


def zfnet(
    classes: int = 1000,
    input_size: int = 224,
    base: Base = "figure 3",
    widths: Mapping[str, int] = WIDTHS,
    name: str = "zfnet",
) -> keras.Model:
    """Figure 3 and Table 3: images (batch, input_size, input_size, 3), mean subtracted, to logits (batch, classes).

    Args:
        classes: Number of classes.
        input_size: Height and width of the images.
        base: "figure 3", or "replication" for the network of Krizhevsky et al. 2012: other layers 1 and 2, and two
            groups in conv2, conv4 and conv5.
        widths: Filters of conv3, conv4 and conv5 and units of fc6 and fc7; layers that it lacks are left out.
        name: Name of the model.
    """
    if base not in get_args(Base):
        raise ValueError(f"base must be one of {', '.join(get_args(Base))}; got {base!r}")
    if not set(widths) <= set(WIDTHS):
        raise ValueError(f"widths may be of {', '.join(WIDTHS)}; got {', '.join(widths)}")
    images = keras.Input((input_size, input_size, 3), name="images")
    x = figure3_layers_1_and_2(images) if base == "figure 3" else replicated_layers_1_and_2(images)
    for layer in "conv3", "conv4", "conv5":
        if layer in widths:
            x = conv(x, layer, widths[layer], 3, groups=2 if base == "replication" and layer != "conv3" else 1)
    x = keras.layers.MaxPooling2D(3, 2, name="pool5")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    for number in 6, 7:
        if units := widths.get(f"fc{number}"):
            x = keras.layers.Dense(units, activation="relu", kernel_initializer=initializer(), name=f"fc{number}")(x)
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

SHARED_DEVIATIONS = (
    "The paper monitors the validation images, which are its test images too. Here one in a hundred training images of "
    "each class is held out for that, and not trained on.",
    "The paper anneals the learning rate by hand. Here it is divided by ten after 4 epochs without a lower validation "
    "error, at most three times.",
    "The paper does not mention weight decay. Here there is none.",
    "The paper does not say how it tests. Here the protocol is ten crops, those it trains on.",
)
DEVIATIONS = (
    "Figure 3 has feature maps of 110 x 110, 55 x 55 and 13 x 13. Here one pixel of padding around the image leads to "
    "the first, and pooling that extends beyond the edge to the others.",
    'Figure 3 says "contrast norm." without constants. Here it is the normalization across channels of Krizhevsky et '
    "al. 2012, with their constants.",
    *SHARED_DEVIATIONS,
)
REPLICATION_DEVIATIONS = (
    "The paper does not say how it trains its replication of Krizhevsky et al. 2012. Here it is initialized and "
    "trained as the network of Figure 3 is, by section 3.",
    "The paper does not say what layer 5 sees without layers 3 and 4. Here it has two groups, as with them.",
    *SHARED_DEVIATIONS,
)


def network(
    name: str, trainable_parameters: int, base: Base = "figure 3", widths: Mapping[str, int] = WIDTHS
) -> Network:
    """Return a network of Table 3."""
    figure3 = base == "figure 3"
    changed = {layer: (*SHAPES[layer][:-1], width) for layer, width in widths.items()}
    shapes = {**(SHAPES if figure3 else REPLICATION_SHAPES), **changed, "pool5": (6, 6, widths["conv5"])}
    return Network(
        name,
        functools.partial(zfnet, base=base, widths=widths, name=name),
        RECIPE,
        deviations=DEVIATIONS if figure3 else REPLICATION_DEVIATIONS,
        shapes={layer: shape for layer, shape in shapes.items() if layer in widths or layer not in WIDTHS},
        trainable_parameters=trainable_parameters,
    )


def without(*removed: str) -> dict[str, int]:
    """Return the widths of Figure 3 without those of removed layers."""
    return {layer: width for layer, width in WIDTHS.items() if layer not in removed}


replication = functools.partial(network, base="replication")

STUDY = Study(
    name="zfnet",
    title="Visualizing and Understanding Convolutional Networks",
    authors="Zeiler and Fergus",
    year=2013,
    url="https://arxiv.org/abs/1311.2901",
    label="ZFNet",
    contribution=(
        "It projects the activations of feature maps back to pixels, which shows what a trained network responds to.",
        "By what the pictures showed, it changed AlexNet's first layers, to smaller windows and strides, and lowered "
        "the error.",
        "It removes and resizes layers, and covers parts of the image, to find what the answer depends on.",
    ),
    networks=(
        network("zfnet", 62357608),
        # Network (b) of Table 2, the one that the lecture describes.
        network("zfnet-512", 107627624, widths={**WIDTHS, **MAPS_512}),
        network("zfnet-2048", 28848232, widths={**WIDTHS, **UNITS_2048}),
        network("zfnet-8192", 154542184, widths={**WIDTHS, **UNITS_8192}),
        network("zfnet-512-8192", 237560936, widths={**MAPS_512, **UNITS_8192}),
        replication("zfnet-alexnet", 60965224),
        replication("zfnet-alexnet-no-3-4", 59268712, widths=without("conv3", "conv4")),
        replication("zfnet-alexnet-no-7", 44183912, widths=without("fc7")),
        replication("zfnet-alexnet-no-6-7", 11551080, widths=without("fc6", "fc7")),
        replication("zfnet-alexnet-no-3-4-6-7", 9854568, widths=without("conv3", "conv4", "fc6", "fc7")),
        replication("zfnet-alexnet-2048", 27455848, widths={**WIDTHS, **UNITS_2048}),
        replication("zfnet-alexnet-8192", 153149800, widths={**WIDTHS, **UNITS_8192}),
    ),
)
