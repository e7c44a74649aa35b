"""AlexNet: Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural Networks."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import keras

import layers
from reproductions.lab.spec import Domain, LogUniform, Network, Recipe, ReduceLROnPlateau, Study, keras_object

# Figure 2 and section 3.5, with the maps after pooling.
SHAPES = {
    "conv1": (55, 55, 96), "pool1": (27, 27, 96), "conv2": (27, 27, 256), "pool2": (13, 13, 256),
    "conv3": (13, 13, 384), "conv4": (13, 13, 384), "conv5": (13, 13, 256), "pool5": (6, 6, 256),
    "fc6": (4096,), "fc7": (4096,), "fc8": (1000,),
}  # fmt: skip

CIFAR10_SHAPES = {
    "conv1": (24, 24, 64), "pool1": (12, 12, 64), "conv2": (12, 12, 64), "pool2": (6, 6, 64),
    "local3": (6, 6, 64), "local4": (6, 6, 32), "fc10": (10,),
}  # fmt: skip

FIGURE1_SHAPES = {
    "conv1": (32, 32, 32), "pool1": (16, 16, 32), "conv2": (16, 16, 32), "pool2": (8, 8, 32),
    "conv3": (8, 8, 64), "pool3": (4, 4, 64), "fc10": (10,),
}  # fmt: skip


def start(bias: int = 0, stddev: float = 0.01) -> dict[str, Any]:
    """Section 5: weights from N(0, 0.01); biases 1 in conv2, conv4, conv5 and the hidden layers, else 0."""
    # Made anew for each layer: layers of one shape that share an initializer would start with equal weights.
    return {
        "kernel_initializer": keras.initializers.RandomNormal(stddev=stddev),
        "bias_initializer": keras.initializers.Constant(bias),
    }


def alexnet(
    classes: int = 1000, input_size: int = 227, towers: int = 2, pool_first: bool = False, name: str = "alexnet"
) -> keras.Model:
    """Images (batch, input_size, input_size, 3), mean subtracted, to logits (batch, classes).

    With `towers` 2, conv2, conv4 and conv5 see the maps of their own GPU only; with 1 they see all.
    With `pool_first`, pooling comes before normalization, as in CaffeNet and in the lecture's drawing.
    """
    conv = functools.partial(layers.GroupedConv2D, activation="relu", padding="same")

    def normalize_and_pool(x: Any, number: int) -> Any:
        norm = layers.LocalResponseNormalization(name=f"norm{number}")
        pool = keras.layers.MaxPooling2D(3, 2, name=f"pool{number}")
        return norm(pool(x)) if pool_first else pool(norm(x))

    images = keras.Input((input_size, input_size, 3), name="images")
    x = images
    if input_size % 4 == 0:
        # 224: the last windows run over the right and bottom edge, as in the original code.
        x = keras.layers.ZeroPadding2D(((0, 3), (0, 3)), name="pad1")(x)
    x = conv(96, 11, 4, padding="valid", **start(), name="conv1")(x)
    x = normalize_and_pool(x, 1)
    x = conv(256, 5, groups=towers, **start(1), name="conv2")(x)
    x = normalize_and_pool(x, 2)
    x = conv(384, 3, **start(), name="conv3")(x)
    x = conv(384, 3, groups=towers, **start(1), name="conv4")(x)
    x = conv(256, 3, groups=towers, **start(1), name="conv5")(x)
    x = keras.layers.MaxPooling2D(3, 2, name="pool5")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    for number in 6, 7:
        x = keras.layers.Dense(4096, activation="relu", **start(1), name=f"fc{number}")(x)
        x = keras.layers.Dropout(0.5, name=f"drop{number}")(x)
    return keras.Model(images, keras.layers.Dense(classes, **start(), name="fc8")(x), name=name)


def alexnet_cifar10(
    classes: int = 10, neighbours: int = 9, pool_first: bool = True, local3: int = 64, name: str = "alexnet-cifar10"
) -> keras.Model:
    """Section 3.3: patches (batch, 24, 24, 3), see `random_patch`, mean subtracted, to logits (batch, classes).

    Two convolutions and two locally connected layers, of `local3` and 32 maps; the classifier is a fifth layer.
    Normalization is over so many `neighbours`, of conv1 after its pooling if `pool_first`; with 0 there is none.
    """
    conv = functools.partial(keras.layers.Conv2D, 64, 5, padding="same", activation="relu")
    local = functools.partial(layers.LocallyConnected2D, kernel_size=3, padding="same", activation="relu")

    def norm(x: Any, number: int) -> Any:
        if not neighbours:
            return x
        return layers.LocalResponseNormalization(neighbours, k=1, alpha=0.001, average=True, name=f"norm{number}")(x)

    images = keras.Input((24, 24, 3), name="images")
    x = conv(**start(stddev=0.0001), name="conv1")(images)
    pool1 = keras.layers.MaxPooling2D(3, 2, "same", name="pool1")
    x = norm(pool1(x), 1) if pool_first else pool1(norm(x, 1))
    x = norm(conv(**start(), name="conv2")(x), 2)
    x = keras.layers.MaxPooling2D(3, 2, "same", name="pool2")(x)
    x = local(local3, **start(stddev=0.04), name="local3")(x)
    x = local(32, **start(stddev=0.04), name="local4")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(images, keras.layers.Dense(classes, **start(), name="fc10")(x), name=name)


def figure1(classes: int = 10, activation: str = "relu", name: str = "alexnet-cifar10-relu") -> keras.Model:
    """Figure 1: the four layers, images (batch, 32, 32, 3), mean subtracted, to logits (batch, classes)."""
    conv = functools.partial(keras.layers.Conv2D, kernel_size=5, padding="same", activation=activation)
    images = keras.Input((32, 32, 3), name="images")
    x = conv(32, **start(stddev=0.0001), name="conv1")(images)
    x = keras.layers.MaxPooling2D(3, 2, "same", name="pool1")(x)
    x = conv(32, **start(), name="conv2")(x)
    x = keras.layers.AveragePooling2D(3, 2, "same", name="pool2")(x)
    x = conv(64, **start(), name="conv3")(x)
    x = keras.layers.AveragePooling2D(3, 2, "same", name="pool3")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(images, keras.layers.Dense(classes, **start(), name="fc10")(x), name=name)


def variant(build: Any, name: str, **options: Any) -> Any:
    """The builder with other defaults, under another name."""
    return functools.partial(build, name=name, **options)


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

DEVIATIONS = (
    "The text says 224 input, from which 55 maps do not follow; the default here is 227. With 224 the right and "
    "bottom edge are padded, as in the original code.",
    "The original code normalizes conv1 before its ReLU, which comes after pool1, and starts conv3 to conv5 with a "
    "deviation of 0.03; here as the text says.",
    "The paper watches the validation images, which are its test images too; here one in a hundred training images "
    "of each class is held out for that, and not trained on.",
    "The paper divides the rate by ten by hand when the validation error stops improving; here after 5 passes "
    "without a lower one, three times at most.",
    "Weight decay is on kernels alone, as in the original code; the paper does not say.",
    "The paper's formula for colours has eigenvalues, its code their square roots; here the roots.",
)

# Section 3.3, whose footnote gives the rest to the authors' code: cuda-convnet's layers-conv-local-11pct file, its
# parameter file, and the page of its wiki on methodology, each in its last version.
CIFAR10_RECIPE = Recipe(
    dataset="cifar10",
    train_transforms=("subtract_mean_image", "random_patch", "random_flip"),
    test_transforms=("subtract_mean_image",),
    protocol="ten patches",
    optimizer=keras_object("SGD", momentum=0.9),
    loss=keras_object("SparseCategoricalCrossentropy", from_logits=True),
    weight_decay={"local3": 0.004, "local4": 0.004, "fc10": 0.01},
    bias_learning_rate_multiplier=2.0,
    learning_rate=((1, 0.001), (431, 0.0001), (441, 0.00001)),
    batch_size=128,
    epochs=450,
)

# The layers-conv-local-13pct file and its parameters.
CIFAR10_NO_LRN_RECIPE = replace(
    CIFAR10_RECIPE,
    weight_decay={"local3": 0.004, "local4": 0.004, "fc10": 0.004},
    learning_rate=((1, 0.001), (121, 0.0001), (131, 0.00001)),
    epochs=140,
)

# The layers-conv-local-11pct file and its parameters as they were first.
CIFAR10_FIRST_RECIPE = replace(
    CIFAR10_NO_LRN_RECIPE,
    learning_rate=((1, 0.001), (391, 0.0001), (401, 0.00001)),
    epochs=410,
)


def figure1_recipe(rate: float) -> Recipe:
    """ "No regularization of any kind was employed"; the abscissa of Figure 1 ends at 40 passes."""
    return replace(
        CIFAR10_RECIPE,
        train_transforms=("subtract_mean_image",),
        test_transforms=(),
        protocol="whole image",
        weight_decay=0.0,
        learning_rate=((1, rate),),
        epochs=40,
    )


# "The learning rates for each network were chosen independently to make training as fast as possible."
FIGURE1_SEARCH_SPACE: dict[str, Domain] = {"learning_rate": LogUniform(0.0005, 0.05)}

ON_ALL_IMAGES = (
    "cuda-convnet's author trains for {} passes on four fifths of the training images, for {} on all, and for 20 more "
    "at lower rates; here on all from the start, in {} passes, which are about as many updates."
)
ANOTHER_ORDER = "cuda-convnet takes the images in the same order each pass; here in a new one."

CIFAR10_DEVIATIONS = (
    "The paper describes these networks by reference to its authors' code alone; here cuda-convnet's "
    "layers-conv-local-11pct and -13pct files. The four layers are two convolutions and two locally connected ones, "
    "below a fully connected fifth.",
    "cuda-convnet takes the mean image's centre from every patch; here each patch is less the mean at its own place.",
    'The wiki lowers "all learning rates (the epsW parameters)"; here those of biases too, which stay twice as high.',
    ANOTHER_ORDER,
)

FIGURE1_DEVIATIONS = (
    "The paper names four layers and no sizes; here the three convolutions and the fully connected layer of "
    "cuda-convnet's layers-19pct file, without its weight decay.",
    "The paper does not print the rates that it chose to make training as fast as possible; here, for units of either "
    "kind, the one of eight drawn between 0.0005 and 0.05 that had the lowest validation error after four passes.",
    "The training error of a pass is that of its images as they are trained on, so somewhat above that of its end; the "
    "paper does not say how it is measured.",
    "Biases learn at twice the rate of weights, as in that file; the paper's text does not say.",
    ANOTHER_ORDER,
)

STUDY = Study(
    name="alexnet",
    title="ImageNet Classification with Deep Convolutional Neural Networks",
    authors="Krizhevsky, Sutskever and Hinton",
    year=2012,
    url="https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks",
    networks=(
        Network(
            "alexnet",
            alexnet,
            RECIPE,
            deviations=DEVIATIONS,
        ),
        Network(
            "alexnet-caffe",
            variant(alexnet, "alexnet-caffe", pool_first=True),
            RECIPE,
            deviations=(
                *DEVIATIONS,
                "Pooling before normalization, as CaffeNet does and the lecture draws it; the constants of the "
                "normalization stay the paper's, where Caffe has k = 1 and divides alpha by n.",
            ),
        ),
        Network(
            "alexnet-one-tower",
            variant(alexnet, "alexnet-one-tower", towers=1),
            RECIPE,
            deviations=(*DEVIATIONS, "conv2, conv4 and conv5 see all maps, as one GPU would have allowed."),
        ),
        Network(
            "alexnet-cifar10",
            alexnet_cifar10,
            CIFAR10_RECIPE,
            deviations=(
                ON_ALL_IMAGES.format(350, 150, 450),
                *CIFAR10_DEVIATIONS,
                "The file in its last version, whose normalization (n = 9, k = 1, alpha = 0.001 / 9) comes after "
                "pool1, where that of section 3 (n = 5, k = 2, alpha = 0.0001) comes before pooling.",
                "Beside normalization this version differs from the network without it, here as in the authors' files: "
                "local3 has 64 maps, not 32, fc10 has more weight decay, and training more passes.",
            ),
        ),
        Network(
            "alexnet-cifar10-first",
            variant(alexnet_cifar10, "alexnet-cifar10-first", neighbours=5, pool_first=False, local3=32),
            CIFAR10_FIRST_RECIPE,
            deviations=(
                ON_ALL_IMAGES.format(300, 150, 410),
                *CIFAR10_DEVIATIONS,
                "The file in its first version, whose normalization (n = 5, k = 1, alpha = 0.001 / 5) comes before "
                "pool1; from the network without it, it differs in normalization and passes alone. Which version the "
                "paper's 11% is of is not known.",
            ),
        ),
        Network(
            "alexnet-cifar10-no-lrn",
            variant(alexnet_cifar10, "alexnet-cifar10-no-lrn", neighbours=0, local3=32),
            CIFAR10_NO_LRN_RECIPE,
            deviations=(
                ON_ALL_IMAGES.format(100, 40, 140),
                *CIFAR10_DEVIATIONS,
            ),
        ),
        Network(
            "alexnet-cifar10-relu",
            figure1,
            figure1_recipe(0.00222),
            deviations=FIGURE1_DEVIATIONS,
            search_space=FIGURE1_SEARCH_SPACE,
        ),
        Network(
            "alexnet-cifar10-tanh",
            variant(figure1, "alexnet-cifar10-tanh", activation="tanh"),
            figure1_recipe(0.0193),
            deviations=FIGURE1_DEVIATIONS,
            search_space=FIGURE1_SEARCH_SPACE,
        ),
    ),
)
