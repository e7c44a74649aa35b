"""AlexNet: Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural Networks (2012)."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Literal, get_args

import keras

import layers
from reproductions.lab.spec import Domain, LogUniform, Network, Recipe, ReduceLROnPlateau, Study, keras_object

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

CIFAR10_SHAPES = {
    "conv1": (24, 24, 64), "pool1": (12, 12, 64), "conv2": (12, 12, 64), "pool2": (6, 6, 64),
    "local3": (6, 6, 64), "local4": (6, 6, 32), "fc10": (10,),
}  # fmt: skip

CIFAR10_SMALL_SHAPES = {**CIFAR10_SHAPES, "local3": (6, 6, 32)}

FIGURE1_SHAPES = {
    "conv1": (32, 32, 32), "pool1": (16, 16, 32), "conv2": (16, 16, 32), "pool2": (8, 8, 32),
    "conv3": (8, 8, 64), "pool3": (4, 4, 64), "fc10": (10,),
}  # fmt: skip


Layout = Literal["two GPUs", "one GPU", "ungrouped"]


def initializers(bias: int = 0, stddev: float = 0.01) -> dict[str, keras.initializers.Initializer]:
    """Section 5: standard deviation 0.01; biases 1 in conv2, conv4, conv5 and the hidden layers, otherwise 0."""
    # New objects for each layer: layers of one shape that share an initializer would start with equal weights.
    return {
        "kernel_initializer": keras.initializers.RandomNormal(stddev=stddev),
        "bias_initializer": keras.initializers.Constant(bias),
    }


def alexnet(
    classes: int = 1000,
    input_size: int = 227,
    layout: Layout = "two GPUs",
    pool_first: bool = False,
    name: str = "alexnet",
) -> keras.Model:
    """Figure 2: images (batch, input_size, input_size, 3), mean subtracted, to logits (batch, classes).

    In the `layout` "two GPUs", conv2, conv4 and conv5 see only the feature maps of their own GPU. In the others they
    see all: "ungrouped" has the same layers otherwise, "one GPU" is the network of section 3.2 with half the filters in
    conv1 to conv4. With `pool_first`, pooling comes before normalization, as in CaffeNet and in the lecture's drawing.
    """
    if layout not in get_args(Layout):
        raise ValueError(f"layout must be one of {', '.join(get_args(Layout))}; got {layout!r}")
    groups = 2 if layout == "two GPUs" else 1
    share = 2 if layout == "one GPU" else 1
    conv = functools.partial(layers.GroupedConv2D, activation="relu", padding="same")

    def normalize_and_pool(x: keras.KerasTensor, number: int) -> keras.KerasTensor:
        norm = layers.LocalResponseNormalization(name=f"norm{number}")
        pool = keras.layers.MaxPooling2D(3, 2, name=f"pool{number}")
        return norm(pool(x)) if pool_first else pool(norm(x))

    x = images = keras.Input((input_size, input_size, 3), name="images")
    if input_size % 4 == 0:
        # 224: the last windows extend beyond the right and bottom edges, as in the original code.
        x = keras.layers.ZeroPadding2D(((0, 3), (0, 3)), name="pad1")(x)
    x = conv(96 // share, 11, 4, padding="valid", **initializers(), name="conv1")(x)
    x = normalize_and_pool(x, 1)
    x = conv(256 // share, 5, groups=groups, **initializers(bias=1), name="conv2")(x)
    x = normalize_and_pool(x, 2)
    x = conv(384 // share, 3, **initializers(), name="conv3")(x)
    x = conv(384 // share, 3, groups=groups, **initializers(bias=1), name="conv4")(x)
    x = conv(256, 3, groups=groups, **initializers(bias=1), name="conv5")(x)
    x = keras.layers.MaxPooling2D(3, 2, name="pool5")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    for number in 6, 7:
        x = keras.layers.Dense(4096, activation="relu", **initializers(bias=1), name=f"fc{number}")(x)
        x = keras.layers.Dropout(0.5, name=f"drop{number}")(x)
    return keras.Model(images, keras.layers.Dense(classes, **initializers(), name="fc8")(x), name=name)


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
    x = conv(**initializers(stddev=0.0001), name="conv1")(images)
    pool1 = keras.layers.MaxPooling2D(3, 2, "same", name="pool1")
    x = norm(pool1(x), 1) if pool_first else pool1(norm(x, 1))
    x = norm(conv(**initializers(), name="conv2")(x), 2)
    x = keras.layers.MaxPooling2D(3, 2, "same", name="pool2")(x)
    x = local(local3, **initializers(stddev=0.04), name="local3")(x)
    x = local(32, **initializers(stddev=0.04), name="local4")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(images, keras.layers.Dense(classes, **initializers(), name="fc10")(x), name=name)


def figure1(classes: int = 10, activation: str = "relu", name: str = "alexnet-cifar10-relu") -> keras.Model:
    """Figure 1: images (batch, 32, 32, 3), mean subtracted, to logits (batch, classes)."""
    conv = functools.partial(keras.layers.Conv2D, kernel_size=5, padding="same", activation=activation)
    images = keras.Input((32, 32, 3), name="images")
    x = conv(32, **initializers(stddev=0.0001), name="conv1")(images)
    x = keras.layers.MaxPooling2D(3, 2, "same", name="pool1")(x)
    x = conv(32, **initializers(), name="conv2")(x)
    x = keras.layers.AveragePooling2D(3, 2, "same", name="pool2")(x)
    x = conv(64, **initializers(), name="conv3")(x)
    x = keras.layers.AveragePooling2D(3, 2, "same", name="pool3")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(images, keras.layers.Dense(classes, **initializers(), name="fc10")(x), name=name)


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
    "The text gives an input of 224 pixels, from which feature maps of 55 do not follow. Here the default is 227. With "
    "224, the right and bottom edges are padded, as in the original code.",
    "The original code normalizes conv1 before its ReLU, which comes after pool1, and initializes conv3 to conv5 with "
    "a standard deviation of 0.03. Here both are as in the text.",
    "The original code divides the constant alpha of the normalization by its window n, and after conv2 normalizes a "
    "second time, over 5x5 positions. Here it is done once, with alpha undivided, as in the text.",
    "The paper monitors the validation images, which are its test images too. Here one in a hundred training images of "
    "each class is held out for that, and not trained on.",
    "The paper divides the learning rate by ten by hand when the validation error stops improving. Here it is divided "
    "after 5 epochs without a lower validation error, at most three times.",
    "The paper does not say which parameters have weight decay. Here only kernels do, as in the original code.",
    "The paper's formula for colours has eigenvalues, its code their square roots. Here they are the square roots.",
    "The original code divides images by 1.1 after it adds colours, which the text does not mention. Here they are not "
    "divided.",
    'The paper uses "an equal learning rate for all layers" and does not mention biases. In the original code their '
    "learning rate is twice that of weights. Here it is the same.",
    "In training by the original code, from epoch 67 on colours are no longer added and conv1 learns more slowly, then "
    "not at all. Here all epochs are alike but for the learning rate, as in the text.",
)

# Section 3.3, whose footnote refers to the authors' code for the rest: cuda-convnet's layers-conv-local-11pct file, its
# parameter file, and its wiki page on methodology, each in its last version.
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

# The first version of the layers-conv-local-11pct file and its parameters.
CIFAR10_FIRST_RECIPE = replace(
    CIFAR10_NO_LRN_RECIPE,
    learning_rate=((1, 0.001), (391, 0.0001), (401, 0.00001)),
    epochs=410,
)


def figure1_recipe(learning_rate: float) -> Recipe:
    """Figure 1: "No regularization of any kind was employed", and the abscissa ends at 40 epochs."""
    return replace(
        CIFAR10_RECIPE,
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

CIFAR10_DEVIATIONS = (
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

imagenet_network = functools.partial(Network, recipe=RECIPE, shapes=SHAPES, trainable_parameters=60965224)
figure1_network = functools.partial(
    Network,
    deviations=FIGURE1_DEVIATIONS,
    search_space=FIGURE1_SEARCH_SPACE,
    shapes=FIGURE1_SHAPES,
    trainable_parameters=89578,
)

STUDY = Study(
    name="alexnet",
    title="ImageNet Classification with Deep Convolutional Neural Networks",
    authors="Krizhevsky, Sutskever and Hinton",
    year=2012,
    url="https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks",
    networks=(
        imagenet_network("alexnet", alexnet, deviations=DEVIATIONS),
        imagenet_network(
            "alexnet-caffe",
            functools.partial(alexnet, pool_first=True, name="alexnet-caffe"),
            deviations=(
                *DEVIATIONS,
                "The paper normalizes before pooling. Here pooling comes before normalization, as in CaffeNet and in "
                "the lecture's drawing; the constants of the normalization remain the paper's, whereas Caffe has k = 1 "
                "and divides alpha by n.",
            ),
        ),
        imagenet_network(
            "alexnet-one-gpu",
            functools.partial(alexnet, layout="one GPU", name="alexnet-one-gpu"),
            deviations=(
                *DEVIATIONS,
                "The paper describes its network for one GPU, with which it compares that for two (section 3.2), as "
                "having half as many filters in each convolutional layer but the last, and fully connected layers of "
                "the same size. Here conv1 to conv4 thus have 48, 128, 192 and 192 filters, conv5 has 256, and each "
                "sees all feature maps before it.",
            ),
            shapes=ONE_GPU_SHAPES,
            trainable_parameters=59798312,
        ),
        imagenet_network(
            "alexnet-ungrouped",
            functools.partial(alexnet, layout="ungrouped", name="alexnet-ungrouped"),
            deviations=(
                *DEVIATIONS,
                "The paper divides the network between two GPUs. Here conv2, conv4 and conv5 see all feature maps. The "
                "paper has no such network: that for one GPU is alexnet-one-gpu.",
            ),
            trainable_parameters=62378344,
        ),
        Network(
            "alexnet-cifar10",
            alexnet_cifar10,
            CIFAR10_RECIPE,
            deviations=(
                ALL_IMAGES.format(350, 150, 450),
                *CIFAR10_DEVIATIONS,
                "Section 3.3 normalizes with n = 5, k = 2, alpha = 0.0001, before pooling. Here normalization has n = "
                "9, k = 1, alpha = 0.001 / 9 and comes after pool1, as in the last version of the file.",
                "This version differs from the network without normalization in more than normalization, here as in "
                "the authors' files: local3 has 64 filters, not 32, fc10 more weight decay, and training more epochs.",
            ),
            shapes=CIFAR10_SHAPES,
            trainable_parameters=2112970,
        ),
        Network(
            "alexnet-cifar10-first",
            functools.partial(alexnet_cifar10, lrn_window=5, pool_first=False, local3=32, name="alexnet-cifar10-first"),
            CIFAR10_FIRST_RECIPE,
            deviations=(
                ALL_IMAGES.format(300, 150, 410),
                *CIFAR10_DEVIATIONS,
                "The paper does not say which version of the file its 11% are from. Here it is the first version, "
                "whose normalization (n = 5, k = 1, alpha = 0.001 / 5) comes before pool1; it differs from the network "
                "without normalization only in that and in epochs.",
            ),
            shapes=CIFAR10_SMALL_SHAPES,
            trainable_parameters=1116490,
        ),
        Network(
            "alexnet-cifar10-no-lrn",
            functools.partial(alexnet_cifar10, lrn_window=0, local3=32, name="alexnet-cifar10-no-lrn"),
            CIFAR10_NO_LRN_RECIPE,
            deviations=(ALL_IMAGES.format(100, 40, 140), *CIFAR10_DEVIATIONS),
            shapes=CIFAR10_SMALL_SHAPES,
            trainable_parameters=1116490,
        ),
        figure1_network("alexnet-cifar10-relu", figure1, figure1_recipe(0.00222)),
        figure1_network(
            "alexnet-cifar10-tanh",
            functools.partial(figure1, activation="tanh", name="alexnet-cifar10-tanh"),
            figure1_recipe(0.0193),
        ),
    ),
)
