"""AlexNet: Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural Networks (2012)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, get_args

import keras

import layers
from reproductions import alexnet_cifar10
from reproductions.lab.spec import Network, Recipe, ReduceLROnPlateau, Study, keras_object

# Figure 2 and section 3.5, and the feature maps after pooling.
SHAPES = {
    "conv1": (55, 55, 96), "pool1": (27, 27, 96), "conv2": (27, 27, 256), "pool2": (13, 13, 256),
    "conv3": (13, 13, 384), "conv4": (13, 13, 384), "conv5": (13, 13, 256), "pool5": (6, 6, 256),
    "fc6": (4096,), "fc7": (4096,), "fc8": (1000,),
}  # fmt: skip

# Section 3.2: one GPU has half the filters of two in conv1 to conv4, and all in conv5 and the layers after it.
ONE_GPU_SHAPES = {
    **SHAPES,
    "conv1": (55, 55, 48), "pool1": (27, 27, 48), "conv2": (27, 27, 128), "pool2": (13, 13, 128),
    "conv3": (13, 13, 192), "conv4": (13, 13, 192),
}  # fmt: skip

Layout = Literal["two GPUs", "one GPU", "ungrouped"]
REMOVABLE = ("norm1", "norm2", "conv3", "conv4")


def initializers(bias: int = 0) -> dict[str, keras.initializers.Initializer]:
    """Section 5: standard deviation 0.01; biases 1 in conv2, conv4, conv5 and the hidden layers, otherwise 0."""
    # New objects for each layer: layers of one shape that share an initializer would start with equal weights.
    return {
        "kernel_initializer": keras.initializers.RandomNormal(stddev=0.01),
        "bias_initializer": keras.initializers.Constant(bias),
    }


def alexnet(
    classes: int = 1000,
    input_size: int = 227,
    layout: Layout = "two GPUs",
    pool_first: bool = False,
    pool_size: int = 3,
    removed: tuple[str, ...] = (),
    caffe: bool = False,
    name: str = "alexnet",
) -> keras.Model:
    """Figure 2: images (batch, input_size, input_size, 3), mean subtracted, to logits (batch, classes).

    Args:
        classes: Number of classes.
        input_size: Height and width of the images.
        layout: "two GPUs": conv2, conv4 and conv5 see only the feature maps of their own GPU. "ungrouped": they see
            all. "one GPU": the network of section 3.2, ungrouped, with half the filters in conv1 to conv4.
        pool_first: Whether pooling comes before normalization, as in CaffeNet and in the lecture's drawing.
        pool_size: Width of the pooling windows, whose stride is 2; section 3.4 compares 3 with 2.
        removed: Layers that are left out: any of norm1, norm2, conv3 and conv4.
        caffe: Whether normalization has k = 1 and averages, as weights that were trained by Caffe need it.
        name: Name of the model.
    """
    if layout not in get_args(Layout):
        raise ValueError(f"layout must be one of {', '.join(get_args(Layout))}; got {layout!r}")
    if not set(removed) <= set(REMOVABLE):
        raise ValueError(f"removed must be some of {', '.join(REMOVABLE)}; got {', '.join(removed)}")
    groups = 2 if layout == "two GPUs" else 1
    share = 2 if layout == "one GPU" else 1
    constants: Mapping[str, Any] = layers.CAFFE_CONSTANTS if caffe else {}
    conv = functools.partial(layers.GroupedConv2D, activation="relu", padding="same")

    def apply(x: keras.KerasTensor, *chosen: keras.layers.Layer) -> keras.KerasTensor:
        for layer in chosen:
            x = x if layer.name in removed else layer(x)
        return x

    def normalize_and_pool(x: keras.KerasTensor, number: int) -> keras.KerasTensor:
        norm = layers.LocalResponseNormalization(**constants, name=f"norm{number}")
        pool = keras.layers.MaxPooling2D(pool_size, 2, name=f"pool{number}")
        return apply(x, pool, norm) if pool_first else apply(x, norm, pool)

    x = images = keras.Input((input_size, input_size, 3), name="images")
    if input_size % 4 == 0:
        # 224: the last windows extend beyond the right and bottom edges, as in the original code.
        x = keras.layers.ZeroPadding2D(((0, 3), (0, 3)), name="pad1")(x)
    x = conv(96 // share, 11, 4, padding="valid", **initializers(), name="conv1")(x)
    x = normalize_and_pool(x, 1)
    x = conv(256 // share, 5, groups=groups, **initializers(bias=1), name="conv2")(x)
    x = normalize_and_pool(x, 2)
    x = apply(
        x,
        conv(384 // share, 3, **initializers(), name="conv3"),
        conv(384 // share, 3, groups=groups, **initializers(bias=1), name="conv4"),
        conv(256, 3, groups=groups, **initializers(bias=1), name="conv5"),
        keras.layers.MaxPooling2D(pool_size, 2, name="pool5"),
        keras.layers.Flatten(name="flatten"),
    )
    for number in 6, 7:
        x = keras.layers.Dense(4096, activation="relu", **initializers(bias=1), name=f"fc{number}")(x)
        x = keras.layers.Dropout(0.5, name=f"drop{number}")(x)
    return keras.Model(images, keras.layers.Dense(classes, **initializers(), name="fc8")(x), name=name)


# Section 5; the images as in sections 2 and 4.1.
RECIPE = Recipe(
    dataset="imagenet",
    train_transforms=(("random_crop", {"of": 256, "crop": 227, "subtract": "mean_image"}), "random_flip", "pca_colour"),
    test_transforms=("subtract_mean_image",),
    protocol="ten crops",
    optimizer=keras_object("SGD", momentum=0.9),
    loss=keras_object("SparseCategoricalCrossentropy", from_logits=True),
    weight_decay=0.0005,
    learning_rate=ReduceLROnPlateau(initial_learning_rate=0.01, factor=0.1, patience=5, max_reductions=3),
    batch_size=128,
    epochs=90,
    splits=("train",),
)

# Section 4.1 says what colours gain.
NO_COLOUR_RECIPE = replace(
    RECIPE, train_transforms=tuple(each for each in RECIPE.train_transforms if each != "pca_colour")
)

GENERAL_DEVIATIONS = (
    "The text gives an input of 224 pixels, from which feature maps of 55 do not follow. Here the default is 227. With "
    "224, the right and bottom edges are padded, as in the original code.",
    "The original code initializes conv3 to conv5 with a standard deviation of 0.03. Here it is 0.01, as in the text.",
    "The paper monitors the validation images, which are its test images too. Here one in a hundred training images of "
    "each class is held out for that, and not trained on.",
    "The paper divides the learning rate by ten by hand when the validation error stops improving. Here it is divided "
    "after 5 epochs without a lower validation error, at most three times.",
    "The paper does not say which parameters have weight decay. Here only kernels do, as in the original code.",
    'The paper uses "an equal learning rate for all layers" and does not mention biases. In the original code their '
    "learning rate is twice that of weights. Here it is the same.",
    "In training by the original code, from epoch 67 on colours are no longer added and conv1 learns more slowly, then "
    "not at all. Here all epochs are alike but for the learning rate, as in the text.",
)
NORMALIZATION_DEVIATIONS = (
    "The original code normalizes conv1 before its ReLU, which comes after pool1. Here normalization follows the ReLU, "
    "as in the text.",
    "The original code divides the constant alpha of the normalization by its window n, and after conv2 normalizes a "
    "second time, over 5x5 positions. Here it is done once, with alpha undivided, as in the text.",
)
COLOUR_DEVIATIONS = (
    "The paper's formula for colours has eigenvalues, its code their square roots. Here they are the square roots.",
    "The original code divides images by 1.1 after it adds colours, which the text does not mention. Here they are not "
    "divided.",
)
DEVIATIONS = GENERAL_DEVIATIONS + NORMALIZATION_DEVIATIONS + COLOUR_DEVIATIONS
REMOVED_DEVIATION = (
    "The paper does not say how the layers around one that is removed are then connected. Here {} is left out, and the "
    "next layer sees {} in the same way: each GPU its own feature maps."
)


def imagenet_network(
    name: str, deviations: tuple[str, ...], trainable_parameters: int = 60965224, **options: Any
) -> Network:
    """Return a network of this paper for ImageNet; `options` are those of its builder."""
    removed = options.get("removed", ())
    shapes = ONE_GPU_SHAPES if options.get("layout") == "one GPU" else SHAPES
    return Network(
        name,
        functools.partial(alexnet, **options, name=name),
        RECIPE,
        deviations=deviations,
        shapes={layer: shape for layer, shape in shapes.items() if layer not in removed},
        trainable_parameters=trainable_parameters,
    )


ALEXNET = imagenet_network("alexnet", DEVIATIONS)

STUDY = Study(
    name="alexnet",
    title="ImageNet Classification with Deep Convolutional Neural Networks",
    authors="Krizhevsky, Sutskever and Hinton",
    year=2012,
    url="https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks",
    label="AlexNet",
    contribution=(
        "An ensemble of seven won ILSVRC-2012 with a top-5 error of 15.3%; five of them, trained on the supplied data "
        "alone, have 16.4%, and the next team had 26.2%.",
        "It made a network of 60 million parameters trainable: rectified linear units, dropout, augmented images and "
        "two GPUs.",
        "Its smaller networks for CIFAR-10 measure what these parts contribute.",
    ),
    pictured=("alexnet", "alexnet-cifar10"),
    networks=(
        ALEXNET,
        imagenet_network(
            "alexnet-caffe",
            (
                *DEVIATIONS,
                "The paper normalizes before pooling. Here pooling comes before normalization, as in CaffeNet and in "
                "the lecture's drawing; the constants of the normalization remain the paper's, whereas Caffe has k = 1 "
                "and divides alpha by n.",
            ),
            pool_first=True,
        ),
        imagenet_network(
            "alexnet-one-gpu",
            (
                *DEVIATIONS,
                "The paper describes its network for one GPU, with which it compares that for two (section 3.2), as "
                "having half as many filters in each convolutional layer but the last, and fully connected layers of "
                "the same size. Here conv1 to conv4 thus have 48, 128, 192 and 192 filters, conv5 has 256, and each "
                "sees all feature maps before it.",
            ),
            59798312,
            layout="one GPU",
        ),
        imagenet_network(
            "alexnet-ungrouped",
            (
                *DEVIATIONS,
                "The paper divides the network between two GPUs. Here conv2, conv4 and conv5 see all feature maps. The "
                "paper has no such network: that for one GPU is alexnet-one-gpu.",
            ),
            62378344,
            layout="ungrouped",
        ),
        # The networks without one of its parts that the paper gives a difference of: sections 3.3, 3.4, 4.1 and 7.
        imagenet_network("alexnet-no-lrn", GENERAL_DEVIATIONS + COLOUR_DEVIATIONS, removed=("norm1", "norm2")),
        imagenet_network("alexnet-no-overlap", DEVIATIONS, pool_size=2),
        replace(
            ALEXNET,
            name="alexnet-no-colour-jitter",
            build=functools.partial(alexnet, name="alexnet-no-colour-jitter"),
            recipe=NO_COLOUR_RECIPE,
            deviations=GENERAL_DEVIATIONS + NORMALIZATION_DEVIATIONS,
        ),
        imagenet_network(
            "alexnet-no-conv3",
            (*DEVIATIONS, REMOVED_DEVIATION.format("conv3", "pool2")),
            59858920,
            removed=("conv3",),
        ),
        imagenet_network(
            "alexnet-no-conv4",
            (*DEVIATIONS, REMOVED_DEVIATION.format("conv4", "conv3")),
            60301288,
            removed=("conv4",),
        ),
        *alexnet_cifar10.NETWORKS,
    ),
)
