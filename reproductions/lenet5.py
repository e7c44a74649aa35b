"""LeNet-5: LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import keras

import layers
from reproductions.lab.spec import Choice, Domain, KerasObject, LogUniform, Network, Recipe, Study, keras_object

# Table I: the S2 maps that each C3 map sees.
TABLE_I = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5),
)  # fmt: skip

# LeNet-1: the H2 maps that each H3 map sees (LeCun et al. 1990, Table 1).
TABLE_OF_1990 = (
    (0,), (0, 1), (0, 1), (1,), (0, 1), (0, 1), (2,), (2, 3), (2, 3), (3,), (2, 3), (2, 3),
)  # fmt: skip

# LeNet-4: the S2 maps that each C3 map sees; not printed. Three, of different C1 maps, and each S2 map as often.
TABLE_OF_LENET4 = tuple(
    tuple((first + step * far) % 8 for step in range(3)) for far in (1, 3) for first in range(8)
)  # fmt: skip

# The digits as F6 should see them, 7 wide and 12 high as those of Figure 3; drawn anew.
BITMAPS = """
..###.. ...##.. .#####. .#####. ##..##. ####### ..####. ####### .#####. .#####.
.##.##. ..###.. ##...## ##...## ##..##. ##..... .##.... .....## ##...## ##...##
##...## .####.. ##...## .....## ##..##. ##..... ##..... .....## ##...## ##...##
##...## ...##.. .....## .....## ##..##. ##..... ##..... ....##. ##...## ##...##
##...## ...##.. .....## .....## ##..##. ######. ##..... ....##. .##.##. ##...##
##...## ...##.. ....##. ..####. ####### .....## ######. ...##.. ..###.. .######
##...## ...##.. ...##.. .....## ....##. .....## ##...## ...##.. .##.##. .....##
##...## ...##.. ..##... .....## ....##. .....## ##...## ..##... ##...## .....##
##...## ...##.. .##.... .....## ....##. .....## ##...## ..##... ##...## .....##
.##.##. ...##.. ##..... ##...## ....##. ##...## ##...## .##.... ##...## ....##.
..###.. .###### ####### .#####. ....##. .#####. .#####. .##.... .#####. .####..
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
"""

APPENDIX_A = keras_object("layers>FanInUniform", bound=2.4)
GLOROT = keras_object("GlorotUniform")
# Deviation 1 / sqrt(fan-in): LeCun, Bottou, Orr and Müller 1998, Efficient BackProp, Eq. 16.
EFFICIENT = keras_object("LecunUniform")

SHAPES = {
    "C1": (28, 28, 6), "S2": (14, 14, 6), "C3": (10, 10, 16), "S4": (5, 5, 16),
    "C5": (1, 1, 120), "F6": (84,), "RBF": (10,),
}  # fmt: skip


def digit_centres() -> list[list[int]]:
    """Ten rows of 84 values, +1 for ink and -1 for paper: `BITMAPS` read row by row."""
    rows = [line.split() for line in BITMAPS.split("\n") if line]
    return [[1 if dot == "#" else -1 for row in rows for dot in row[digit]] for digit in range(10)]


def lenet5(kernel_initializer: KerasObject = APPENDIX_A, name: str = "lenet5") -> keras.Model:
    """Section II-B: images (batch, 32, 32, 1), see `lenet_field`, to penalties (batch, 10)."""
    squash = {"activation": layers.scaled_tanh}
    start = {"kernel_initializer": dict(kernel_initializer)}
    images = keras.Input((32, 32, 1), name="images")
    x = keras.layers.Conv2D(6, 5, **squash, **start, name="C1")(images)
    x = layers.TrainableSubsampling2D(2, **squash, coefficient_initializer=dict(kernel_initializer), name="S2")(x)
    x = layers.PartiallyConnectedConv2D(TABLE_I, 5, **squash, **start, name="C3")(x)
    x = layers.TrainableSubsampling2D(2, **squash, coefficient_initializer=dict(kernel_initializer), name="S4")(x)
    x = keras.layers.Conv2D(120, 5, **squash, **start, name="C5")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(84, **squash, **start, name="F6")(x)
    return keras.Model(images, layers.RBFOutput(digit_centres(), name="RBF")(x), name=name)


def one_of_ten(x: Any, kernel_initializer: KerasObject, activation: Any) -> Any:
    """Ten units, and how far they are, squared, from each digit's targets: 1 for its own unit, -1 for the others."""
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(10, activation, kernel_initializer=dict(kernel_initializer), name="output")(x)
    targets = [[1 if unit == digit else -1 for unit in range(10)] for digit in range(10)]
    return layers.RBFOutput(targets, name="targets")(x)


def lenet1(kernel_initializer: KerasObject = EFFICIENT) -> keras.Model:
    """LeCun et al. 1990: images (batch, 28, 28, 1), see `reduced_digit`, to squared distances (batch, 10)."""
    squash = {"activation": layers.scaled_tanh}
    start = {"kernel_initializer": dict(kernel_initializer)}
    images = keras.Input((28, 28, 1), name="images")
    x = keras.layers.Conv2D(4, 5, **squash, **start, name="H1")(images)
    x = layers.TrainableSubsampling2D(2, **squash, coefficient_initializer=dict(kernel_initializer), name="H2")(x)
    x = layers.PartiallyConnectedConv2D(TABLE_OF_1990, 5, **squash, **start, name="H3")(x)
    x = layers.TrainableSubsampling2D(2, **squash, coefficient_initializer=dict(kernel_initializer), name="H4")(x)
    return keras.Model(images, one_of_ten(x, kernel_initializer, layers.scaled_tanh), name="lenet1")


def lenet4(kernel_initializer: KerasObject = EFFICIENT) -> keras.Model:
    """Section III-C: images (batch, 32, 32, 1) to squared distances (batch, 10)."""
    squash = {"activation": layers.scaled_tanh}
    start = {"kernel_initializer": dict(kernel_initializer)}
    images = keras.Input((32, 32, 1), name="images")
    x = keras.layers.Conv2D(4, 5, **squash, **start, name="C1")(images)
    x = keras.layers.Concatenate(name="pairs")([x, x])  # two S2 maps for each C1 map
    x = layers.TrainableSubsampling2D(2, **squash, coefficient_initializer=dict(kernel_initializer), name="S2")(x)
    x = layers.PartiallyConnectedConv2D(TABLE_OF_LENET4, 5, **squash, **start, name="C3")(x)
    x = layers.TrainableSubsampling2D(2, **squash, coefficient_initializer=dict(kernel_initializer), name="S4")(x)
    x = keras.layers.Conv2D(120, 5, **squash, **start, name="C5")(x)
    return keras.Model(images, one_of_ten(x, kernel_initializer, layers.scaled_tanh), name="lenet4")


def linear_classifier(kernel_initializer: KerasObject = EFFICIENT) -> keras.Model:
    """Section III-C: images (batch, 28, 28, 1) to squared distances (batch, 10)."""
    images = keras.Input((28, 28, 1), name="images")
    return keras.Model(images, one_of_ten(images, kernel_initializer, activation=None), name="linear-classifier")


def lenet5_lecture(classes: int = 10, kernel_initializer: KerasObject = GLOROT) -> keras.Model:
    """The lecture's [CONV-POOL-CONV-POOL-CONV-FC]: images (batch, 32, 32, 1) to logits (batch, classes)."""
    tanh = {"activation": "tanh"}
    start = {"kernel_initializer": dict(kernel_initializer)}
    images = keras.Input((32, 32, 1), name="images")
    x = keras.layers.Conv2D(6, 5, **tanh, **start, name="conv1")(images)
    x = keras.layers.AveragePooling2D(2, name="pool1")(x)
    x = keras.layers.Conv2D(16, 5, **tanh, **start, name="conv2")(x)
    x = keras.layers.AveragePooling2D(2, name="pool2")(x)
    x = keras.layers.Conv2D(120, 5, **tanh, **start, name="conv3")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(images, keras.layers.Dense(classes, **start, name="fc")(x), name="lenet5-lecture")


RECIPE = Recipe(
    dataset="mnist",
    train_transforms=("lenet_field",),
    optimizer=keras_object("SGD", momentum=0.9),
    loss=keras_object("layers>MaximumAPosteriori", rubbish=1.0),
    # Five steps, in the paper's proportions and at its passes.
    learning_rate=((1, 0.002), (3, 0.0008), (6, 0.0004), (9, 0.0002), (13, 0.00004)),
    batch_size=32,
    epochs=20,
    kernel_initializer=APPENDIX_A,
)

DISTORTED_RECIPE = replace(
    RECIPE,
    train_transforms=(
        ("affine_distortion", {"shift": 2.0, "scale": 0.15, "squeeze": 0.15, "shear": 0.2}),
        "lenet_field",
    ),
    test_transforms=("lenet_field",),
)

# Section III-B and appendix C.
OWN_RECIPE = replace(
    RECIPE,
    optimizer=keras_object("layers>StochasticDiagonalLevenbergMarquardt", mu=0.02),
    curvature=500,
    learning_rate=((1, 0.0005), (3, 0.0002), (6, 0.0001), (9, 0.00005), (13, 0.00001)),
    batch_size=1,
    kernel_initializer=EFFICIENT,
)

SQUARED_RECIPE = replace(
    RECIPE,
    loss=keras_object("layers>MeanPenalty"),
    learning_rate=((1, 0.006), (3, 0.0024), (6, 0.0012), (9, 0.0006), (13, 0.00012)),
    kernel_initializer=EFFICIENT,
)

LECTURE_RECIPE = Recipe(
    dataset="mnist",
    train_transforms=("lenet_field",),
    optimizer=keras_object("SGD", momentum=0.9),
    loss=keras_object("SparseCategoricalCrossentropy", from_logits=True),
    learning_rate=((1, 0.02), (3, 0.008), (6, 0.004), (9, 0.002), (13, 0.0004)),
    batch_size=32,
    epochs=20,
    kernel_initializer=GLOROT,
)

# For `reproduce tune`: an order of magnitude about the rates above, and decay from none worth the name to too much.
SEARCH_SPACE: dict[str, Domain] = {
    "learning_rate": LogUniform(0.0005, 0.02),
    "batch_size": Choice((16, 32, 64, 128)),
    "weight_decay": LogUniform(1e-6, 1e-2),
}
LECTURE_SEARCH_SPACE: dict[str, Domain] = {**SEARCH_SPACE, "learning_rate": LogUniform(0.002, 0.2)}

NEW_ORDER = "The patterns of the paper come in a constant random order; here in a new one each pass."

DEVIATIONS = (
    "Section III trains by stochastic diagonal Levenberg-Marquardt, one pattern an update; here plain SGD with "
    "momentum 0.9, 32 patterns an update.",
    "The paper's global rates, 0.0005 to 0.00001, are for that method; here four times each, at the same passes, "
    "chosen on the validation part.",
    "The paper does not give the j of Eq. 9; here 1, chosen on the validation part among 0.1, 1, 10 and 100.",
    "The bitmaps of Figure 3 are drawn anew.",
    "The paper does not say how biases start; here at zero. Nor how the coefficients of subsampling do; here as other "
    "weights, four inputs to each.",
    NEW_ORDER,
)

DISTORTED_DEVIATIONS = (
    "The paper prints no ranges of the distortions; here shifts by up to 2 pixels, scaling and squeezing by up to "
    "15%, shearing by up to 0.2 pixels a pixel, each uniform.",
    "The paper distorts 60,000 patterns into 540,000 once, and in 20 passes of 60,000 sees each of the 600,000 twice; "
    "here each pass distorts nine in ten of the 60,000 anew, and none comes twice.",
    *DEVIATIONS,
)

OWN_DEVIATIONS = (
    "Appendix A starts weights between -2.4/F and 2.4/F, F the fan-in; here with deviation 1/sqrt(F), as the first "
    "author's Efficient BackProp of the same year has it. From the printed start F6 sees next to nothing, its "
    "curvatures are next to zero, and training diverges in the first pass.",
    "Of the Gauss-Newton matrix appendix C drops what is between two connections, those that share a weight among "
    "them, and between two units of a layer; here its diagonal is exact. Rates of the first pass go from about 1e-6 to "
    "0.025, the paper's from 7e-5 to 0.016.",
    "The paper does not say which 500 patterns the curvatures are measured on; here those that a pass begins with.",
    *DEVIATIONS[2:],
)

SQUARED_DEVIATIONS = (
    "The paper does not say how this network was trained; here on squared distances to targets of 1 and -1, from "
    "weights of deviation 1/sqrt(fan-in), with three times the rates of lenet5, chosen on the validation part among 1, "
    "3 and 8 times them, and else as lenet5 is.",
    NEW_ORDER,
)

LECTURE_DEVIATIONS = (
    "This is the lecture's sketch, not the paper's network: average pooling without weights, a C3 that sees all "
    "maps, tanh, softmax, and neither F6 nor RBF units.",
    "The lecture gives no recipe; here SGD with momentum 0.9, batches of 32, the paper's 20 passes, and a rate of 0.02 "
    "that falls by the paper's factors after the paper's passes.",
)

STUDY = Study(
    name="lenet5",
    title="Gradient-Based Learning Applied to Document Recognition",
    authors="LeCun, Bottou, Bengio and Haffner",
    year=1998,
    url="https://doi.org/10.1109/5.726791",
    networks=(
        Network("lenet5", lenet5, RECIPE, outputs="penalties", deviations=DEVIATIONS, search_space=SEARCH_SPACE),
        Network(
            "lenet5-lecture",
            lenet5_lecture,
            LECTURE_RECIPE,
            deviations=LECTURE_DEVIATIONS,
            search_space=LECTURE_SEARCH_SPACE,
        ),
        Network(
            "lenet5-distorted",
            functools.partial(lenet5, name="lenet5-distorted"),
            DISTORTED_RECIPE,
            outputs="penalties",
            deviations=DISTORTED_DEVIATIONS,
        ),
        Network(
            "lenet5-sdlm",
            functools.partial(lenet5, kernel_initializer=EFFICIENT, name="lenet5-sdlm"),
            OWN_RECIPE,
            outputs="penalties",
            deviations=OWN_DEVIATIONS,
        ),
        Network(
            "lenet4",
            lenet4,
            SQUARED_RECIPE,
            outputs="penalties",
            deviations=(
                "The paper prints no table of C3's connections; here each map sees three of S2's eight, so that there "
                "are about 260,000 connections, as printed.",
                "The paper prints about 17,000 free parameters; its 120 units, fully connected to S4, alone have "
                "48,120, and all that it describes 50,698.",
                *SQUARED_DEVIATIONS,
            ),
        ),
        Network(
            "lenet1",
            lenet1,
            replace(SQUARED_RECIPE, train_transforms=("reduced_digit", "lenet_field")),
            outputs="penalties",
            deviations=(
                "The digits of 20 pixels are reduced to 16 bilinearly; the paper does not say how.",
                *SQUARED_DEVIATIONS,
            ),
        ),
        Network(
            "linear-classifier",
            linear_classifier,
            SQUARED_RECIPE,
            outputs="penalties",
            deviations=(
                *SQUARED_DEVIATIONS,
                "Squared distances of a linear classifier have one minimum, near which training ends whatever its "
                "rates: what the paper's came to a lower error by, it does not say.",
            ),
        ),
    ),
)
