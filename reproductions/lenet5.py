"""LeNet-5: LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition (1998)."""

from __future__ import annotations

import functools
from dataclasses import replace

import keras

import layers
from reproductions import lenet5_figure9, lenet5_smaller
from reproductions.lab.spec import (
    Choice,
    Domain,
    KerasObject,
    LogUniform,
    Network,
    PolynomialDecay,
    Recipe,
    Study,
    keras_object,
)
from reproductions.lenet5_figure9 import (
    DISTORTION_DEVIATIONS,
    LECUN_UNIFORM,
    ORDER,
    STEPS,
    distorted,
    penalties,
)
from reproductions.lenet5_smaller import PATTERNS, by_own_optimizer, lenet_layers

# Table I: the S2 feature maps that each C3 feature map sees.
TABLE_I = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5),
)  # fmt: skip

# Target bitmaps of F6, 7 wide and 12 high as in Figure 3; redrawn.
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

FAN_IN_UNIFORM = keras_object("layers>FanInUniform", bound=2.4)  # appendix A
GLOROT_UNIFORM = keras_object("GlorotUniform")

LENET5_SHAPES = {
    "C1": (28, 28, 6), "S2": (14, 14, 6), "C3": (10, 10, 16), "S4": (5, 5, 16),
    "C5": (1, 1, 120), "F6": (84,), "RBF": (10,),
}  # fmt: skip


def digit_centres() -> list[list[int]]:
    """Return ten rows of 84 values, +1 for ink and -1 for paper: `BITMAPS` read row by row."""
    rows = [line.split() for line in BITMAPS.split("\n") if line]
    return [[1 if pixel == "#" else -1 for row in rows for pixel in row[digit]] for digit in range(10)]


def lenet5(kernel_initializer: KerasObject = FAN_IN_UNIFORM, name: str = "lenet5") -> keras.Model:
    """Section II-B: images (batch, 32, 32, 1), as `lenet_field` returns them, to penalties (batch, 10)."""
    conv, subsampling, partial_conv = lenet_layers(kernel_initializer)
    images = keras.Input((32, 32, 1), name="images")
    x = conv(6, 5, name="C1")(images)
    x = subsampling(name="S2")(x)
    x = partial_conv(TABLE_I, 5, name="C3")(x)
    x = subsampling(name="S4")(x)
    x = conv(120, 5, name="C5")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(84, layers.scaled_tanh, kernel_initializer=dict(kernel_initializer), name="F6")(x)
    return keras.Model(images, layers.RBFOutput(digit_centres(), name="RBF")(x), name=name)


def lenet5_lecture(classes: int = 10, kernel_initializer: KerasObject = GLOROT_UNIFORM) -> keras.Model:
    """The lecture's [CONV-POOL-CONV-POOL-CONV-FC]: images (batch, 32, 32, 1) to logits (batch, classes)."""
    initializer = dict(kernel_initializer)
    conv = functools.partial(keras.layers.Conv2D, activation="tanh", kernel_initializer=initializer)
    images = keras.Input((32, 32, 1), name="images")
    x = conv(6, 5, name="conv1")(images)
    x = keras.layers.AveragePooling2D(2, name="pool1")(x)
    x = conv(16, 5, name="conv2")(x)
    x = keras.layers.AveragePooling2D(2, name="pool2")(x)
    x = conv(120, 5, name="conv3")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    logits = keras.layers.Dense(classes, kernel_initializer=initializer, name="fc")(x)
    return keras.Model(images, logits, name="lenet5-lecture")


RECIPE = Recipe(
    dataset="mnist",
    train_transforms=("lenet_field",),
    optimizer=keras_object("SGD", momentum=0.9),
    loss=keras_object("layers>MaximumAPosteriori", rubbish=1.0),
    learning_rate=PolynomialDecay(initial_learning_rate=0.002, decay_epochs=20),
    batch_size=32,
    epochs=20,
    kernel_initializer=FAN_IN_UNIFORM,
)

DISTORTED_RECIPE = distorted(replace(RECIPE, learning_rate=STEPS))

# Section III-B and appendix C.
SDLM_RECIPE = by_own_optimizer(RECIPE)

LECTURE_RECIPE = replace(
    RECIPE,
    loss=keras_object("SparseCategoricalCrossentropy", from_logits=True),
    learning_rate=((1, 0.02), (3, 0.008), (6, 0.004), (9, 0.002), (13, 0.0004)),
    kernel_initializer=GLOROT_UNIFORM,
)

# About an order of magnitude around the learning rates above, and weight decay from negligible to excessive.
SEARCH_SPACE: dict[str, Domain] = {
    "learning_rate": LogUniform(0.0005, 0.02),
    "batch_size": Choice((16, 32, 64, 128)),
    "weight_decay": LogUniform(1e-6, 1e-2),
}
LECTURE_SEARCH_SPACE: dict[str, Domain] = {**SEARCH_SPACE, "learning_rate": LogUniform(0.002, 0.2)}

COMMON_DEVIATIONS = (
    "Section III trains by stochastic diagonal Levenberg-Marquardt with one pattern per update. Here the optimizer is "
    "SGD with momentum 0.9, with 32 patterns per update.",
    "The paper does not give the constant j of Eq. 9. Here j = 1, chosen on the validation split among 0.1, 1, 10 and "
    "100.",
    "The paper gives the target bitmaps as a drawing, Figure 3. Here they are redrawn.",
    "The paper does not say how biases and the coefficients of subsampling are initialized. Here biases start at zero, "
    "and coefficients like other weights, with a fan-in of four.",
    ORDER,
)

DEVIATIONS = (
    "The paper's global learning rates, 0.0005 to 0.00001 in five steps, are for its own optimizer. Here the learning "
    "rate falls linearly from 0.002 in 20 epochs. On 55,000 images this brings the training error to 0.25%, and the "
    "paper's steps times four to 0.46%; the paper has 0.35%. Both have a validation error of 0.98%.",
    *COMMON_DEVIATIONS,
)

DISTORTED_DEVIATIONS = (
    *DISTORTION_DEVIATIONS,
    "The paper's global learning rates, 0.0005 to 0.00001, are for its own optimizer. Here they are four times as "
    "high, from the same epochs on, chosen on the validation split.",
    *COMMON_DEVIATIONS,
)

SDLM_DEVIATIONS = (
    "Appendix A initializes weights between -2.4/F and 2.4/F, where F is the fan-in. Here their standard deviation is "
    "1/sqrt(F), as in the first author's Efficient BackProp of the same year. With the published initialization F6 "
    "receives almost no signal, its curvatures are almost zero, and training diverges in the first epoch.",
    "Of the Gauss-Newton matrix, appendix C drops the terms between two connections, including connections that share "
    "a weight, and the terms between two units of a layer. Here its diagonal is exact. The learning rates of the first "
    "epoch range from about 1e-6 to 0.025, those of the paper from 7e-5 to 0.016. With seeds 3 and 4, 28 and 56 of the "
    "120 units of C5 are constant after two epochs, saturated for good.",
    PATTERNS,
    *COMMON_DEVIATIONS[1:],
)

LECTURE_DEVIATIONS = (
    "The lecture's sketch is not the paper's network. Here, as in the lecture, average pooling has no weights, C3 sees "
    "all feature maps, the activation is tanh, and there are a softmax and neither F6 nor RBF units.",
    "The lecture gives no recipe. Here it is SGD with momentum 0.9, batches of 32, the paper's 20 epochs, and a "
    "learning rate of 0.02 that falls by the paper's factors after the paper's epochs.",
)

lenet5_variant = functools.partial(penalties, shapes=LENET5_SHAPES, trainable_parameters=60000)

STUDY = Study(
    name="lenet5",
    title="Gradient-Based Learning Applied to Document Recognition",
    authors="LeCun, Bottou, Bengio and Haffner",
    year=1998,
    url="https://doi.org/10.1109/5.726791",
    label="LeNet-5",
    contribution=(
        "It describes LeNet-5, whose layers alternate between convolution and subsampling, and introduces the MNIST "
        "data.",
        "It compares the network with the classifiers of its time on the same images: linear and quadratic ones, "
        "nearest neighbours, support vectors.",
        "It shows that the test error falls with more training images, and that distorted copies of them take the "
        "place of more.",
    ),
    networks=(
        lenet5_variant("lenet5", lenet5, RECIPE, deviations=DEVIATIONS, search_space=SEARCH_SPACE),
        Network(
            "lenet5-lecture",
            lenet5_lecture,
            LECTURE_RECIPE,
            deviations=LECTURE_DEVIATIONS,
            search_space=LECTURE_SEARCH_SPACE,
            shapes={"conv1": (28, 28, 6), "pool1": (14, 14, 6), "conv2": (10, 10, 16), "pool2": (5, 5, 16)},
            trainable_parameters=51902,
        ),
        lenet5_variant(
            "lenet5-distorted",
            functools.partial(lenet5, name="lenet5-distorted"),
            DISTORTED_RECIPE,
            deviations=DISTORTED_DEVIATIONS,
        ),
        lenet5_variant(
            "lenet5-sdlm",
            functools.partial(lenet5, kernel_initializer=LECUN_UNIFORM, name="lenet5-sdlm"),
            SDLM_RECIPE,
            deviations=SDLM_DEVIATIONS,
        ),
        *lenet5_smaller.NETWORKS,
        *lenet5_figure9.NETWORKS,
    ),
    classifiers=(*lenet5_figure9.CLASSIFIERS, *lenet5_smaller.CLASSIFIERS),
)
