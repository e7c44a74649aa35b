"""LeNet-1 and LeNet-4, the smaller networks of LeCun et al. 1998, and what LeNet-5 shares with them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import keras

import layers
from reproductions.lab.spec import (
    Classifier,
    FitRecipe,
    KerasObject,
    PolynomialDecay,
    Recipe,
    estimator,
    keras_object,
)
from reproductions.lab.spec.recipe_changes import changed_fields
from reproductions.lenet5_figure9 import (
    DISTORTION_DEVIATIONS,
    LECUN_UNIFORM,
    ORDER,
    SQUARED_ERROR_RECIPE,
    distorted,
    penalties,
    squared_distances,
)

# LeNet-1: the H2 feature maps that each H3 feature map sees (LeCun et al. 1990, Table 1).
LENET1_TABLE = ((0,), (0, 1), (0, 1), (1,), (0, 1), (0, 1), (2,), (2, 3), (2, 3), (3,), (2, 3), (2, 3))

# LeNet-4: the S2 feature maps that each C3 feature map sees. The paper does not give them. Here they are three, from
# different C1 feature maps, and each S2 feature map is used equally often.
LENET4_TABLE = tuple(tuple((first + step * stride) % 8 for step in range(3)) for stride in (1, 3) for first in range(8))

LENET4_SHAPES = {"C1": (28, 28, 4), "S2": (14, 14, 8), "C3": (10, 10, 16), "S4": (5, 5, 16), "C5": (1, 1, 120)}
LENET1_SHAPES = {"H1": (24, 24, 4), "H2": (12, 12, 4), "H3": (8, 8, 12), "H4": (4, 4, 12)}


def lenet_layers(kernel_initializer: KerasObject) -> tuple[Callable[..., keras.layers.Layer], ...]:
    """Return the convolution, subsampling and partially connected convolution, with scaled tanh (Eq. 6)."""
    tanh, initializer = layers.scaled_tanh, dict(kernel_initializer)
    return (
        functools.partial(keras.layers.Conv2D, activation=tanh, kernel_initializer=initializer),
        functools.partial(layers.TrainableSubsampling2D, 2, activation=tanh, coefficient_initializer=initializer),
        functools.partial(layers.PartiallyConnectedConv2D, activation=tanh, kernel_initializer=initializer),
    )


def lenet1(kernel_initializer: KerasObject = LECUN_UNIFORM, name: str = "lenet1") -> keras.Model:
    """LeCun et al. 1990: images (batch, 28, 28, 1), see `reduced_digit`, to squared distances (batch, 10)."""
    conv, subsampling, partial_conv = lenet_layers(kernel_initializer)
    images = keras.Input((28, 28, 1), name="images")
    x = conv(4, 5, name="H1")(images)
    x = subsampling(name="H2")(x)
    x = partial_conv(LENET1_TABLE, 5, name="H3")(x)
    x = subsampling(name="H4")(x)
    return keras.Model(images, squared_distances(x, kernel_initializer), name=name)


def lenet4(kernel_initializer: KerasObject = LECUN_UNIFORM) -> keras.Model:
    """Section III-C: images (batch, 32, 32, 1) to squared distances (batch, 10)."""
    conv, subsampling, partial_conv = lenet_layers(kernel_initializer)
    images = keras.Input((32, 32, 1), name="images")
    x = conv(4, 5, name="C1")(images)
    x = keras.layers.Concatenate(name="pairs")([x, x])  # two S2 feature maps for each C1 feature map
    x = subsampling(name="S2")(x)
    x = partial_conv(LENET4_TABLE, 5, name="C3")(x)
    x = subsampling(name="S4")(x)
    x = conv(120, 5, name="C5")(x)
    return keras.Model(images, squared_distances(x, kernel_initializer), name="lenet4")


def by_own_optimizer(recipe: Recipe) -> Recipe:
    """Return a recipe with the optimizer of section III-B and appendix C, and its learning rates."""
    return replace(
        recipe,
        optimizer=keras_object("layers>StochasticDiagonalLevenbergMarquardt", mu=0.02),
        curvature=500,
        learning_rate=((1, 0.0005), (3, 0.0002), (6, 0.0001), (9, 0.00005), (13, 0.00001)),
        batch_size=1,
        kernel_initializer=LECUN_UNIFORM,
    )


LENET4_RECIPE = replace(
    SQUARED_ERROR_RECIPE,
    learning_rate=PolynomialDecay(initial_learning_rate=0.002, decay_epochs=20),
    batch_size=8,
)

LENET1_RECIPE = replace(LENET4_RECIPE, train_transforms=("reduced_digit", "lenet_field"))

SMALL_BATCH_DEVIATIONS = (
    "The paper does not say how this network was trained. Here the loss is the squared distance to targets of 1 and "
    "-1, initial weights have a standard deviation of 1/sqrt(fan-in), and the optimizer is SGD with momentum 0.9, with "
    "8 patterns per update and a learning rate that falls linearly from 0.002 in 20 epochs, chosen on the validation "
    "split among 0.002, 0.004 and, for lenet1, 0.008. With 32 patterns per update the training error of lenet1 stays "
    "at 2.3%, and the validation error of lenet4 at 1.02%, in place of 0.88%.",
    ORDER,
)

REDUCTION = "The paper does not say how digits of 20 pixels are reduced to 16. Here they are reduced bilinearly."
PATTERNS = "The paper does not say on which 500 patterns curvatures are measured. Here: the first 500 of each epoch."
OWN_OPTIMIZER = (
    "The paper does not say how this network was trained. Here it is trained as lenet5-sdlm, but with the loss of "
    "lenet1 and mu = 0.02, chosen on the validation split among 0.02 and 0.1."
)

LENET4_DEVIATIONS = (
    "The paper does not give the connections of C3. Here each of its feature maps sees three of the eight of S2, which "
    "makes about 260,000 connections, as published.",
    "The paper gives about 17,000 free parameters. Here there are 50,698, those of all that it describes; its 120 "
    "units, fully connected to S4, have 48,120 alone.",
    *SMALL_BATCH_DEVIATIONS,
)

NETWORKS = (
    penalties(
        "lenet4",
        lenet4,
        LENET4_RECIPE,
        deviations=LENET4_DEVIATIONS,
        shapes=LENET4_SHAPES,
        trainable_parameters=50698,
    ),
    penalties(
        "lenet1",
        lenet1,
        LENET1_RECIPE,
        deviations=(REDUCTION, *SMALL_BATCH_DEVIATIONS),
        shapes=LENET1_SHAPES,
        trainable_parameters=2578,
    ),
    penalties(
        "lenet1-sdlm",
        functools.partial(lenet1, name="lenet1-sdlm"),
        by_own_optimizer(LENET1_RECIPE),
        deviations=(REDUCTION, OWN_OPTIMIZER, PATTERNS, ORDER),
        shapes=LENET1_SHAPES,
        trainable_parameters=2578,
    ),
)


# --- Three networks together

# Their squared distances are added. The squared distance of outputs x from the targets of a digit is -4 times the
# output of this digit, plus a number that is the same for all digits. So the digit with the smallest sum of distances
# is that with the largest sum of outputs, which the paper adds.
BOOSTED = estimator(
    "BoostedNetworks",
    network="lenet4",
    recipe=changed_fields(distorted(LENET4_RECIPE).as_data(), {}),
    copies=10,
)

BOOSTED_DEVIATIONS = (
    "The paper does not say how many patterns are filtered. Here these are 10 copies of each training image, nine in "
    "ten of them distorted, for the second network, and 10 other ones for the third, without a search. The second is "
    "trained on all that the first gets wrong and equally many that it gets right, the third on all on which the first "
    "and the second disagree.",
    "The paper does not say how the three networks were trained. Here each is trained as lenet4, from initial weights "
    "of its own, in 20 epochs. The images of the first are newly distorted in each epoch; the patterns of the second "
    "and third are the same in all epochs.",
    DISTORTION_DEVIATIONS[0],
    *LENET4_DEVIATIONS,
)

CLASSIFIERS = (Classifier("boosted-lenet4", FitRecipe("mnist", (BOOSTED,)), BOOSTED_DEVIATIONS),)
