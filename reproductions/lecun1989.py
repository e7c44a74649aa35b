"""ZIP codes: LeCun et al., Backpropagation Applied to Handwritten Zip Code Recognition (1989)."""

from __future__ import annotations

import functools
from dataclasses import replace

import keras

import layers
from reproductions.lab.spec import Domain, KerasObject, LogUniform, Network, Recipe, Study, keras_object

# The H1 feature maps that each H2 feature map sees, eight of twelve. The paper does not give them.
H2_TABLE = (tuple(range(8)),) * 4 + (tuple(range(4, 12)),) * 4 + ((0, 1, 2, 3, 8, 9, 10, 11),) * 4

FAN_IN_UNIFORM = keras_object("layers>FanInUniform", bound=2.4)

SHAPES = {"H1": (8, 8, 12), "H2": (4, 4, 12), "H3": (30,), "output": (10,)}


def lecun1989(kernel_initializer: KerasObject = FAN_IN_UNIFORM, name: str = "lecun1989") -> keras.Model:
    """Return the network: images (batch, 16, 16, 1) in -1..1 to squared distances (batch, 10) from ten targets."""
    initializer = dict(kernel_initializer)
    # Two rows above and one below the plane, and columns alike: as far as the kernels reach.
    border = functools.partial(layers.ConstantPadding2D, ((2, 1), (2, 1)), value=-1.0)
    biases = functools.partial(layers.UnitBias, layers.scaled_tanh)
    dense = functools.partial(keras.layers.Dense, activation=layers.scaled_tanh, kernel_initializer=initializer)
    images = keras.Input((16, 16, 1), name="images")
    x = border(name="H1-border")(images)
    x = keras.layers.Conv2D(12, 5, 2, use_bias=False, kernel_initializer=initializer, name="H1-kernels")(x)
    x = biases(name="H1")(x)
    x = border(name="H2-border")(x)
    x = layers.PartiallyConnectedConv2D(
        H2_TABLE, 5, 2, use_bias=False, kernel_initializer=initializer, name="H2-kernels"
    )(x)
    x = biases(name="H2")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = dense(30, name="H3")(x)
    x = dense(10, name="output")(x)
    targets = [[1 if unit == digit else -1 for unit in range(10)] for digit in range(10)]
    return keras.Model(images, layers.RBFOutput(targets, name="targets")(x), name=name)


RECIPE = Recipe(
    dataset="usps",
    train_transforms=("grey_channel",),
    optimizer=keras_object("layers>StochasticDiagonalLevenbergMarquardt", mu=0.1),
    curvature=500,
    loss=keras_object("layers>MeanPenalty"),
    learning_rate=((1, 0.001),),
    batch_size=1,
    epochs=23,
    kernel_initializer=FAN_IN_UNIFORM,
)

SGD_RECIPE = replace(RECIPE, optimizer=keras_object("SGD"), curvature=None, learning_rate=((1, 0.001),))

# About an order of magnitude around the learning rates above.
SEARCH_SPACE: dict[str, Domain] = {"learning_rate": LogUniform(0.0001, 0.01)}

NETWORK_DEVIATIONS = (
    "The paper does not give the eight feature maps of H1 that each feature map of H2 sees. Here four see the first "
    "eight, four the last eight, and four the first and last four, as in Karpathy's reproduction of 2022.",
    "The paper does not say how biases are initialized. Here they start at zero.",
    "The paper minimizes the mean squared error over the ten outputs. Here the loss is the sum of the ten squares, ten "
    "times as much.",
    "The paper presents its patterns in a constant order. Here the order is a new random one in each epoch.",
)

DEVIATIONS = (
    "The paper does not give the learning rate, nor the constant that limits the steps of weights with a small "
    "curvature. Here they are 0.001 and mu = 0.1, chosen on the validation split, where 0.0005 with mu = 0.1 gave a "
    "similar error. With mu = 0.02, the constant of LeCun et al. 1998, training diverges in the first epoch: the "
    "curvatures of the output units' weights, measured before it, are about 0.0001; in the trained network they are 3.",
    "The paper approximates second derivatives by a backward pass that drops terms between units, and does not say on "
    "which patterns. Here they are the diagonal of the Gauss-Newton matrix, measured on the first 500 patterns of each "
    "epoch.",
    *NETWORK_DEVIATIONS,
)

SGD_DEVIATIONS = (
    "The paper trains by an approximation of Newton's method. Here the optimizer is plain SGD, without momentum, with "
    "one pattern per update. Its learning rate, 0.001, was chosen on the validation split among 0.001, 0.003 and 0.01.",
    *NETWORK_DEVIATIONS,
)

zip_code_network = functools.partial(
    Network, outputs="penalties", search_space=SEARCH_SPACE, shapes=SHAPES, trainable_parameters=9760
)

STUDY = Study(
    name="lecun1989",
    title="Backpropagation Applied to Handwritten Zip Code Recognition",
    authors="LeCun, Boser, Denker, Henderson, Howard, Hubbard and Jackel",
    year=1989,
    url="https://doi.org/10.1162/neco.1989.1.4.541",
    label="ZIP code network",
    contribution=(
        "It trained a network on normalized pixels of real ZIP codes by backpropagation, without features made by "
        "hand.",
        "Its units share their weights over the image, so that 1,256 units and 64,660 connections have 9,760 "
        "parameters.",
        "The lecture's convolutional layers descend from its layers H1 and H2.",
    ),
    networks=(
        zip_code_network("lecun1989", lecun1989, RECIPE, deviations=DEVIATIONS),
        zip_code_network(
            "lecun1989-sgd",
            functools.partial(lecun1989, name="lecun1989-sgd"),
            SGD_RECIPE,
            deviations=SGD_DEVIATIONS,
        ),
    ),
)
