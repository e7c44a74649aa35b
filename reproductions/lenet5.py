"""LeNet-5: LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition."""

from __future__ import annotations

import keras

import layers
from reproductions.lab.study import Choice, Domain, KerasObject, LogUniform, Network, Recipe, Study, keras_object

# Table I: the S2 maps that each C3 map sees.
TABLE_I = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5),
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

SHAPES = {
    "C1": (28, 28, 6), "S2": (14, 14, 6), "C3": (10, 10, 16), "S4": (5, 5, 16),
    "C5": (1, 1, 120), "F6": (84,), "RBF": (10,),
}  # fmt: skip


def digit_centres() -> list[list[int]]:
    """Ten rows of 84 values, +1 for ink and -1 for paper: `BITMAPS` read row by row."""
    rows = [line.split() for line in BITMAPS.split("\n") if line]
    return [[1 if dot == "#" else -1 for row in rows for dot in row[digit]] for digit in range(10)]


def lenet5(initial_weights: KerasObject = APPENDIX_A) -> keras.Model:
    """Section II-B: images (batch, 32, 32, 1), see `lenet_field`, to penalties (batch, 10)."""
    squash = {"activation": layers.scaled_tanh}
    start = {"kernel_initializer": dict(initial_weights)}
    images = keras.Input((32, 32, 1), name="images")
    x = keras.layers.Conv2D(6, 5, **squash, **start, name="C1")(images)
    x = layers.TrainableSubsampling2D(2, **squash, coefficient_initializer=dict(initial_weights), name="S2")(x)
    x = layers.PartiallyConnectedConv2D(TABLE_I, 5, **squash, **start, name="C3")(x)
    x = layers.TrainableSubsampling2D(2, **squash, coefficient_initializer=dict(initial_weights), name="S4")(x)
    x = keras.layers.Conv2D(120, 5, **squash, **start, name="C5")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(84, **squash, **start, name="F6")(x)
    return keras.Model(images, layers.RBFOutput(digit_centres(), name="RBF")(x), name="lenet5")


def lenet5_lecture(classes: int = 10, initial_weights: KerasObject = GLOROT) -> keras.Model:
    """The lecture's [CONV-POOL-CONV-POOL-CONV-FC]: images (batch, 32, 32, 1) to logits (batch, classes)."""
    tanh = {"activation": "tanh"}
    start = {"kernel_initializer": dict(initial_weights)}
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
    images=("lenet_field",),
    optimizer=keras_object("SGD", momentum=0.9),
    loss=keras_object("layers>MaximumAPosteriori", rubbish=1.0),
    # Five steps, in the paper's proportions and at its passes.
    rates=((1, 0.002), (3, 0.0008), (6, 0.0004), (9, 0.0002), (13, 0.00004)),
    batch=32,
    epochs=20,
    initial_weights=APPENDIX_A,
)

LECTURE_RECIPE = Recipe(
    dataset="mnist",
    images=("lenet_field",),
    optimizer=keras_object("SGD", momentum=0.9),
    loss=keras_object("SparseCategoricalCrossentropy", from_logits=True),
    rates=((1, 0.02), (3, 0.008), (6, 0.004), (9, 0.002), (13, 0.0004)),
    batch=32,
    epochs=20,
    initial_weights=GLOROT,
)

# For `reproduce tune`: an order of magnitude about the rates above, and decay from none worth the name to too much.
DOMAINS: dict[str, Domain] = {
    "rate": LogUniform(0.0005, 0.02),
    "batch": Choice((16, 32, 64, 128)),
    "weight_decay": LogUniform(1e-6, 1e-2),
}
LECTURE_DOMAINS: dict[str, Domain] = {**DOMAINS, "rate": LogUniform(0.002, 0.2)}

DEPARTURES = (
    "Section III trains by stochastic diagonal Levenberg-Marquardt, one pattern an update; here plain SGD with "
    "momentum 0.9, 32 patterns an update.",
    "The paper's global rates, 0.0005 to 0.00001, are for that method; here four times each, at the same passes, "
    "chosen on the validation part.",
    "The paper does not give the j of Eq. 9; here 1, chosen on the validation part among 0.1, 1, 10 and 100.",
    "The bitmaps of Figure 3 are drawn anew.",
    "The paper does not say how biases start; here at zero.",
)

LECTURE_DEPARTURES = (
    "This is the lecture's sketch, not the paper's network: average pooling without weights, a C3 that sees all "
    "maps, tanh, softmax, and neither F6 nor RBF units.",
    "The lecture gives no recipe; here SGD with momentum 0.9, batches of 32 and the paper's 20 passes.",
)

STUDY = Study(
    name="lenet5",
    title="Gradient-Based Learning Applied to Document Recognition",
    authors="LeCun, Bottou, Bengio and Haffner",
    year=1998,
    url="https://doi.org/10.1109/5.726791",
    networks=(
        Network("lenet5", lenet5, RECIPE, outputs="penalties", departures=DEPARTURES, domains=DOMAINS),
        Network(
            "lenet5-lecture", lenet5_lecture, LECTURE_RECIPE, departures=LECTURE_DEPARTURES, domains=LECTURE_DOMAINS
        ),
    ),
)
