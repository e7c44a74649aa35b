"""VGG: Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition (2014)."""

from __future__ import annotations

import functools
from dataclasses import replace

import keras

import layers
from reproductions.lab.spec import KerasObject, Network, Recipe, ReduceLROnPlateau, Study, keras_object

# Table 1: the five stages of each network; "3" and "1" are the kernel sizes of its convolutions.
TABLE_1 = {
    "A": ("3", "3", "33", "33", "33"),
    "A-LRN": ("3", "3", "33", "33", "33"),
    "B": ("33", "33", "33", "33", "33"),
    "C": ("33", "33", "331", "331", "331"),
    "D": ("33", "33", "333", "333", "333"),
    "E": ("33", "33", "3333", "3333", "3333"),
}
FILTERS = (64, 128, 256, 512, 512)

SHAPES = {
    "pool1": (112, 112, 64), "pool2": (56, 56, 128), "pool3": (28, 28, 256), "pool4": (14, 14, 512),
    "pool5": (7, 7, 512), "fc6": (4096,), "fc7": (4096,), "fc8": (1000,),
}  # fmt: skip

# Table 2 gives them in millions.
TRAINABLE_PARAMETERS = {
    "A": 132863336, "A-LRN": 132863336, "B": 133047848, "C": 133638952, "D": 138357544, "E": 143667240,
}  # fmt: skip

# Section 3.1: a variance of 0.01, which is a standard deviation of 0.1; biases 0.
PUBLISHED_INITIALIZER = keras_object("RandomNormal", mean=0.0, stddev=0.1)


def vgg(
    configuration: str,
    classes: int = 1000,
    input_size: int = 224,
    kernel_initializer: KerasObject = PUBLISHED_INITIALIZER,
    name: str = "vgg",
) -> keras.Model:
    """Table 1: images (batch, input_size, input_size, 3), mean RGB subtracted, to logits (batch, classes)."""
    # Each layer gets a description, not an object: layers of one shape that share an initializer object would start
    # with equal weights.
    relu = {"activation": "relu", "kernel_initializer": dict(kernel_initializer)}
    x = images = keras.Input((input_size, input_size, 3), name="images")
    for stage, (kernel_sizes, filters) in enumerate(zip(TABLE_1[configuration], FILTERS), 1):
        for number, kernel_size in enumerate(map(int, kernel_sizes), 1):
            x = keras.layers.Conv2D(filters, kernel_size, padding="same", **relu, name=f"conv{stage}-{number}")(x)
        if configuration == "A-LRN" and stage == 1:
            x = layers.LocalResponseNormalization(name="norm1")(x)
        x = keras.layers.MaxPooling2D(2, name=f"pool{stage}")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    for number in 6, 7:
        x = keras.layers.Dense(4096, **relu, name=f"fc{number}")(x)
        x = keras.layers.Dropout(0.5, name=f"drop{number}")(x)
    logits = keras.layers.Dense(classes, kernel_initializer=dict(kernel_initializer), name="fc8")(x)
    return keras.Model(images, logits, name=name)


SCHEDULE = ReduceLROnPlateau(initial_learning_rate=0.01, factor=0.1, patience=5, max_reductions=3)

# Section 3.1, at the fixed scale S = 256.
RECIPE = Recipe(
    dataset="imagenet",
    train_transforms=(
        ("scale_jittered_crop", {"smallest": 256, "largest": 256, "crop": 224}),
        "random_flip",
        "pca_colour",
        "subtract_mean_colour",
    ),
    test_transforms=("subtract_mean_colour",),
    protocol="dense at 256",
    optimizer=keras_object("SGD", momentum=0.9),
    loss=keras_object("SparseCategoricalCrossentropy", from_logits=True),
    weight_decay=0.0005,
    learning_rate=SCHEDULE,
    batch_size=256,
    epochs=74,
    kernel_initializer=keras_object("GlorotUniform"),
    splits=("train",),
)

# "We initialised the first four convolutional layers and the last three fully-connected layers with the layers of
# net A": stages of one convolution in A have two in the others.
FROM_A = ("conv1-1", "conv2-1", "conv3-1", "conv3-2", "fc6", "fc7", "fc8")


def all_layers(configuration: str) -> tuple[str, ...]:
    """Return the names of all layers with weights."""
    stages = enumerate(TABLE_1[configuration], 1)
    convolutions = [f"conv{stage}-{number}" for stage, sizes in stages for number in range(1, len(sizes) + 1)]
    return (*convolutions, "fc6", "fc7", "fc8")


def recipe_at(scale: tuple[int, int], configuration: str) -> Recipe:
    """Section 3.1: S = 384, or S in [256; 512], from all layers of a network with the same configuration."""
    smallest, largest = scale
    crop = ("scale_jittered_crop", {"smallest": smallest, "largest": largest, "crop": 224})
    return replace(
        RECIPE,
        dataset="imagenet-originals",
        train_transforms=(crop, *RECIPE.train_transforms[1:]),
        protocol="dense at 384",
        learning_rate=replace(SCHEDULE, initial_learning_rate=0.001),
        init_layers=all_layers(configuration),
    )


DEVIATIONS = (
    "The paper monitors the validation images, which are its test images too. Here one in a hundred training images of "
    "each class is held out for that, and not trained on.",
    "The paper divides the learning rate by ten by hand when the validation error stops improving. Here it is divided "
    "after 5 epochs without a lower validation error, at most three times.",
)
SCALE_256_DEVIATIONS = (
    *DEVIATIONS,
    "The text initializes A with a variance of 0.01. Its loss is then not a number after one update at the published "
    "learning rate. Here A is initialized as by Glorot and Bengio 2010, which the paper found possible after its "
    "submission.",
    "The text initializes the layers of the other networks that do not come from A in the same way as A. Here they are "
    "initialized as by Glorot and Bengio 2010 too; conv1-1, conv2-1, conv3-1, conv3-2 and fc6 to fc8 come from A.",
    "The paper tests networks trained at S = 256 at a shorter side of 288 too. Here images are stored with a shorter "
    "side of 256 and enlarged for that test.",
)
EPOCHS_DEVIATION = (
    "The paper does not say how long training at S = 384 and S in [256; 512] takes. Here it ends as at S = 256: after "
    "74 epochs, with at most three divisions of the learning rate."
)
SCALE_384_DEVIATIONS = (*DEVIATIONS, EPOCHS_DEVIATION)
JITTERED_DEVIATIONS = (
    *SCALE_384_DEVIATIONS,
    "The paper does not give the learning rate of training with S in [256; 512]. Here it is 0.001 at first, as at "
    "S = 384.",
)


# By the number of layers, as in Keras and torchvision; "vgg16" is D, not C.
OTHER_NAMES = {"A": ("vgg11",), "B": ("vgg13",), "D": ("vgg16",), "E": ("vgg19",)}


def network(configuration: str, suffix: str, recipe: Recipe, deviations: tuple[str, ...]) -> Network:
    """Return the network of a configuration, trained by a recipe that its name ends with."""
    name = f"vgg-{configuration.lower()}{suffix}"
    return Network(
        name,
        functools.partial(vgg, configuration, name=name),
        recipe,
        deviations=deviations,
        shapes=SHAPES,
        trainable_parameters=TRAINABLE_PARAMETERS[configuration],
        other_names=() if suffix else OTHER_NAMES.get(configuration, ()),
    )


STUDY = Study(
    name="vgg",
    title="Very Deep Convolutional Networks for Large-Scale Image Recognition",
    authors="Simonyan and Zisserman",
    year=2014,
    url="https://arxiv.org/abs/1409.1556",
    label="VGG",
    contribution=(
        "It shows that depth lowers the error: from 11 to 19 layers, with 3x3 convolutions alone.",
        "Two 3x3 convolutions see as much of the image as one 5x5, with fewer parameters and one more nonlinearity.",
        "It compares training and test at several scales of the image, on a dense grid of positions and on many crops.",
    ),
    pictured=("vgg-d",),
    networks=(
        *(network(configuration, "", RECIPE, SCALE_256_DEVIATIONS) for configuration in ("A", "A-LRN")),
        *(
            network(configuration, "", replace(RECIPE, init_layers=FROM_A), SCALE_256_DEVIATIONS)
            for configuration in ("B", "C", "D", "E")
        ),
        # From the networks trained at S = 256.
        *(
            network(configuration, "-384", recipe_at((384, 384), configuration), SCALE_384_DEVIATIONS)
            for configuration in ("C", "D", "E")
        ),
        # From the networks trained at S = 384.
        *(
            network(configuration, "-256-512", recipe_at((256, 512), configuration), JITTERED_DEVIATIONS)
            for configuration in ("C", "D", "E")
        ),
    ),
)
