"""AlexNet's paper on CIFAR-10: the four-layer networks of section 3.3 and those of Figure 1. See `alexnet`."""

from __future__ import annotations

import functools
from dataclasses import replace

import keras

import layers
from reproductions.lab.spec import Domain, LogUniform, Network, Recipe, keras_object

SHAPES = {
    "conv1": (24, 24, 64), "pool1": (12, 12, 64), "conv2": (12, 12, 64), "pool2": (6, 6, 64),
    "local3": (6, 6, 64), "local4": (6, 6, 32), "fc10": (10,),
}  # fmt: skip

SMALL_SHAPES = {**SHAPES, "local3": (6, 6, 32)}

FIGURE1_SHAPES = {
    "conv1": (32, 32, 32), "pool1": (16, 16, 32), "conv2": (16, 16, 32), "pool2": (8, 8, 32),
    "conv3": (8, 8, 64), "pool3": (4, 4, 64), "fc10": (10,),
}  # fmt: skip


def normal(stddev: float = 0.01) -> keras.initializers.Initializer:
    """Return a new initializer: layers of one shape that share an initializer object would start with equal weights."""
    return keras.initializers.RandomNormal(stddev=stddev)


def alexnet_cifar10(
    classes: int = 10, lrn_window: int = 9, pool_first: bool = True, local3: int = 64, name: str = "alexnet-cifar10"
) -> keras.Model:
    """Section 3.3: patches (batch, 24, 24, 3), see `random_patch`, mean subtracted, to logits (batch, classes).

    Two convolutions and two locally connected layers, below a fully connected fifth layer.

    `lrn_window` is the constant n of the normalization, 0 for none; with `pool_first`, conv1 is pooled before it.
    `local3` is the number of filters of the layer of this name.
    """
    conv = functools.partial(keras.layers.Conv2D, 64, 5, padding="same", activation="relu")
    local = functools.partial(layers.LocallyConnected2D, kernel_size=3, padding="same", activation="relu")

    def norm(x: keras.KerasTensor, number: int) -> keras.KerasTensor:
        if not lrn_window:
            return x
        return layers.LocalResponseNormalization(lrn_window, k=1, alpha=0.001, average=True, name=f"norm{number}")(x)

    images = keras.Input((24, 24, 3), name="images")
    x = conv(kernel_initializer=normal(0.0001), name="conv1")(images)
    pool1 = keras.layers.MaxPooling2D(3, 2, "same", name="pool1")
    x = norm(pool1(x), 1) if pool_first else pool1(norm(x, 1))
    x = norm(conv(kernel_initializer=normal(), name="conv2")(x), 2)
    x = keras.layers.MaxPooling2D(3, 2, "same", name="pool2")(x)
    x = local(local3, kernel_initializer=normal(0.04), name="local3")(x)
    x = local(32, kernel_initializer=normal(0.04), name="local4")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(images, keras.layers.Dense(classes, kernel_initializer=normal(), name="fc10")(x), name=name)


def figure1(classes: int = 10, activation: str = "relu", name: str = "alexnet-cifar10-relu") -> keras.Model:
    """Figure 1: images (batch, 32, 32, 3), mean subtracted, to logits (batch, classes)."""
    conv = functools.partial(keras.layers.Conv2D, kernel_size=5, padding="same", activation=activation)
    images = keras.Input((32, 32, 3), name="images")
    x = conv(32, kernel_initializer=normal(0.0001), name="conv1")(images)
    x = keras.layers.MaxPooling2D(3, 2, "same", name="pool1")(x)
    x = conv(32, kernel_initializer=normal(), name="conv2")(x)
    x = keras.layers.AveragePooling2D(3, 2, "same", name="pool2")(x)
    x = conv(64, kernel_initializer=normal(), name="conv3")(x)
    x = keras.layers.AveragePooling2D(3, 2, "same", name="pool3")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(images, keras.layers.Dense(classes, kernel_initializer=normal(), name="fc10")(x), name=name)


# Section 3.3, whose footnote refers to the authors' code for the rest: cuda-convnet's layers-conv-local-11pct file, its
# parameter file, and its wiki page on methodology, each in its last version.
RECIPE = Recipe(
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
NO_LRN_RECIPE = replace(
    RECIPE,
    weight_decay={"local3": 0.004, "local4": 0.004, "fc10": 0.004},
    learning_rate=((1, 0.001), (121, 0.0001), (131, 0.00001)),
    epochs=140,
)

# The first version of the layers-conv-local-11pct file and its parameters.
FIRST_RECIPE = replace(
    NO_LRN_RECIPE,
    learning_rate=((1, 0.001), (391, 0.0001), (401, 0.00001)),
    epochs=410,
)


def figure1_recipe(learning_rate: float) -> Recipe:
    """Figure 1: "No regularization of any kind was employed", and the abscissa ends at 40 epochs."""
    return replace(
        RECIPE,
        train_transforms=("subtract_mean_image",),
        test_transforms=(),
        protocol="whole image",
        weight_decay=0.0,
        learning_rate=((1, learning_rate),),
        epochs=40,
    )


# "The learning rates for each network were chosen independently to make training as fast as possible."
FIGURE1_SEARCH_SPACE: dict[str, Domain] = {"learning_rate": LogUniform(0.0005, 0.05)}

ALL_IMAGES = (
    "cuda-convnet's author trains for {} epochs on four fifths of the training images, for {} on all of them, and for "
    "20 more at lower learning rates. Here all images are used from the start, for {} epochs, about as many updates."
)
ORDER = "cuda-convnet takes the images in the same order in each epoch. Here the order is a new random one each time."

DEVIATIONS = (
    "The paper describes these networks only by reference to its authors' code. Here they are those of cuda-convnet's "
    "layers-conv-local-11pct and -13pct files. The four layers are two convolutions and two locally connected ones, "
    "below a fully connected fifth.",
    "cuda-convnet subtracts the centre of the mean image from every patch. Here the mean at the patch's own position "
    "is subtracted.",
    'The wiki lowers "all learning rates (the epsW parameters)". Here those of biases are lowered too, and stay twice '
    "as high.",
    ORDER,
)

FIGURE1_DEVIATIONS = (
    "The paper names four layers and does not give their sizes. Here they are the three convolutions and the fully "
    "connected layer of cuda-convnet's layers-19pct file, without its weight decay.",
    "The paper does not give the learning rates that it chose to make training as fast as possible. Here, for either "
    "activation, it is the one of eight drawn between 0.0005 and 0.05 with the lowest validation error after four "
    "epochs.",
    "The paper does not say how it measures the training error. Here that of an epoch is measured on its images as "
    "they are trained on, and so is somewhat above the training error at its end.",
    "The paper's text does not give the learning rate of biases. Here it is twice that of weights, as in that file.",
    ORDER,
)

figure1_network = functools.partial(
    Network,
    deviations=FIGURE1_DEVIATIONS,
    search_space=FIGURE1_SEARCH_SPACE,
    shapes=FIGURE1_SHAPES,
    trainable_parameters=89578,
)

NETWORKS = (
    Network(
        "alexnet-cifar10",
        alexnet_cifar10,
        RECIPE,
        deviations=(
            ALL_IMAGES.format(350, 150, 450),
            *DEVIATIONS,
            "Section 3.3 normalizes with n = 5, k = 2, alpha = 0.0001, before pooling. Here normalization has n = "
            "9, k = 1, alpha = 0.001 / 9 and comes after pool1, as in the last version of the file.",
            "This version differs from the network without normalization in more than normalization, here as in "
            "the authors' files: local3 has 64 filters, not 32, fc10 more weight decay, and training more epochs.",
        ),
        shapes=SHAPES,
        trainable_parameters=2112970,
    ),
    Network(
        "alexnet-cifar10-first",
        functools.partial(alexnet_cifar10, lrn_window=5, pool_first=False, local3=32, name="alexnet-cifar10-first"),
        FIRST_RECIPE,
        deviations=(
            ALL_IMAGES.format(300, 150, 410),
            *DEVIATIONS,
            "The paper does not say which version of the file its 11% are from. Here it is the first version, "
            "whose normalization (n = 5, k = 1, alpha = 0.001 / 5) comes before pool1; it differs from the network "
            "without normalization only in that and in epochs.",
        ),
        shapes=SMALL_SHAPES,
        trainable_parameters=1116490,
    ),
    Network(
        "alexnet-cifar10-no-lrn",
        functools.partial(alexnet_cifar10, lrn_window=0, local3=32, name="alexnet-cifar10-no-lrn"),
        NO_LRN_RECIPE,
        deviations=(ALL_IMAGES.format(100, 40, 140), *DEVIATIONS),
        shapes=SMALL_SHAPES,
        trainable_parameters=1116490,
    ),
    figure1_network("alexnet-cifar10-relu", figure1, figure1_recipe(0.00222)),
    figure1_network(
        "alexnet-cifar10-tanh",
        functools.partial(figure1, activation="tanh", name="alexnet-cifar10-tanh"),
        figure1_recipe(0.0193),
    ),
)
