"""GoogLeNet: Szegedy, Liu, Jia et al., Going Deeper with Convolutions (2014)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras

import layers
from reproductions.lab.spec import ExponentialDecay, Network, PolynomialDecay, Recipe, Study, keras_object

# Table 1: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj; None is a max pooling.
TABLE_1: dict[str, tuple[int, ...] | None] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "pool3": None,
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "pool4": None,
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}

SHAPES = {
    "conv1": (112, 112, 64), "pool1": (56, 56, 64), "conv2_3x3": (56, 56, 192), "pool2": (28, 28, 192),
    "inception_3a": (28, 28, 256), "inception_3b": (28, 28, 480), "pool3": (14, 14, 480),
    "inception_4a": (14, 14, 512), "inception_4b": (14, 14, 512), "inception_4c": (14, 14, 512),
    "inception_4d": (14, 14, 528), "inception_4e": (14, 14, 832), "pool4": (7, 7, 832),
    "inception_5a": (7, 7, 832), "inception_5b": (7, 7, 1024), "pool5": (1024,),
}  # fmt: skip

LOSS_WEIGHTS = {"linear": 1.0, "auxiliary_4a": 0.3, "auxiliary_4d": 0.3}


def auxiliary_head(x: keras.KerasTensor, classes: int, batch_normalization: bool, name: str) -> keras.KerasTensor:
    """Section 5: average pooling 5x5/3, 1x1 convolution with 128 filters, 1024 units, dropout 70%, logits.

    With batch normalization of the convolution there is no dropout.
    """
    x = keras.layers.AveragePooling2D(5, 3, name=f"{name}_pool")(x)
    if batch_normalization:
        x = layers.conv_bn_relu(x, 128, 1, name=f"{name}_conv")
    else:
        x = keras.layers.Conv2D(128, 1, activation="relu", name=f"{name}_conv")(x)
    x = keras.layers.Flatten(name=f"{name}_flatten")(x)
    x = keras.layers.Dense(1024, activation="relu", name=f"{name}_fc")(x)
    if not batch_normalization:
        x = keras.layers.Dropout(0.7, name=f"{name}_drop")(x)
    return keras.layers.Dense(classes, name=name)(x)


def googlenet(
    classes: int = 1000,
    input_size: int = 224,
    auxiliary: bool = False,
    caffe: bool = False,
    pool_padding: str = "same",
    name: str = "googlenet",
) -> keras.Model:
    """Table 1: images (batch, input_size, input_size, 3), mean subtracted, to logits (batch, classes).

    With `auxiliary`, the network as it is trained, to a dictionary of logits: "linear" and those of the auxiliary heads
    on 4a and 4d, whose losses are weighted by LOSS_WEIGHTS. With `caffe`, the first convolution is padded by 3 pixels
    on every side, and the normalization has k = 1 and averages, as weights that were trained by Caffe need it. With
    `pool_padding` "valid", windows of pooling with strides do not extend beyond the edges, as in ONNX's Inception-v1.
    """
    images = image_input(input_size)
    conv = functools.partial(keras.layers.Conv2D, padding="same", activation="relu")
    constants: Mapping[str, Any] = layers.CAFFE_CONSTANTS if caffe else {}
    normalization = functools.partial(layers.LocalResponseNormalization, **constants)
    x = keras.layers.ZeroPadding2D(3, name="padding")(images) if caffe else images
    x = conv(64, 7, 2, padding="valid" if caffe else "same", name="conv1")(x)
    x = pool("pool1", pool_padding)(x)
    x = normalization(name="norm1")(x)
    x = conv(64, 1, name="conv2_3x3_reduce")(x)
    x = conv(192, 3, name="conv2_3x3")(x)
    x = normalization(name="norm2")(x)
    return keras.Model(images, from_pool2(x, classes, auxiliary, pool_padding=pool_padding), name=name)


def bn_googlenet(classes: int = 1000, input_size: int = 224, auxiliary: bool = False) -> keras.Model:
    """Table 1, with batch normalization of all convolutions for local response normalization and dropout."""
    images = image_input(input_size)
    x = layers.conv_bn_relu(images, 64, 7, 2, name="conv1")
    x = pool("pool1")(x)
    x = layers.conv_bn_relu(x, 64, 1, name="conv2_3x3_reduce")
    x = layers.conv_bn_relu(x, 192, 3, name="conv2_3x3")
    return keras.Model(images, from_pool2(x, classes, auxiliary, batch_normalization=True), name="bn-googlenet")


def image_input(input_size: int) -> keras.KerasTensor:
    """Return the input of either network."""
    if input_size < 32:
        raise ValueError(f"input_size must be at least 32, as the network halves it five times; got {input_size}")
    return keras.Input((input_size, input_size, 3), name="images")


def pool(name: str, padding: str = "same") -> keras.layers.Layer:
    """Return a max pooling."""
    return keras.layers.MaxPooling2D(3, 2, padding, name=name)


def from_pool2(
    x: keras.KerasTensor,
    classes: int,
    auxiliary: bool,
    batch_normalization: bool = False,
    pool_padding: str = "same",
) -> keras.KerasTensor | dict[str, keras.KerasTensor]:
    """Table 1 from the second pooling on, to logits, or to a dictionary of them."""
    x = pool("pool2", pool_padding)(x)
    heads = {}
    for row, columns in TABLE_1.items():
        if columns is None:
            x = pool(row, pool_padding)(x)
            continue
        x = layers.InceptionV1(*columns, batch_normalization=batch_normalization, name=f"inception_{row}")(x)
        if auxiliary and row in ("4a", "4d"):
            heads[f"auxiliary_{row}"] = auxiliary_head(x, classes, batch_normalization, f"auxiliary_{row}")
    x = keras.layers.GlobalAveragePooling2D(name="pool5")(x)
    if not batch_normalization:
        x = keras.layers.Dropout(0.4, name="drop")(x)
    logits = keras.layers.Dense(classes, name="linear")(x)
    return {"linear": logits, **heads} if auxiliary else logits


# Sections 5 and 6; what they do not give, from the solver.prototxt of Caffe's GoogLeNet (10,000,000 iterations).
RECIPE = Recipe(
    dataset="imagenet-originals",
    train_transforms=("area_and_aspect_crop", "random_flip", "photometric_distortion", "subtract_mean_colour"),
    test_transforms=("subtract_mean_colour",),
    protocol="144 crops",
    optimizer=keras_object("SGD", momentum=0.9, use_ema=True, ema_momentum=0.9999),
    loss=keras_object("SparseCategoricalCrossentropy", from_logits=True),
    loss_weights=LOSS_WEIGHTS,
    weight_decay=0.0002,
    learning_rate=ExponentialDecay(initial_learning_rate=0.01, decay_rate=0.96, decay_epochs=8),
    batch_size=32,
    epochs=250,
)

# The quick_solver.prototxt of Caffe's GoogLeNet (2,400,000 iterations).
QUICK_RECIPE = replace(
    RECIPE, learning_rate=PolynomialDecay(initial_learning_rate=0.01, decay_epochs=60, power=0.5), epochs=60
)

# Ioffe and Szegedy 2015, section 4.2: BN-x30, whose learning rate decays six times as fast.
BN_RECIPE = replace(
    RECIPE,
    train_transforms=("area_and_aspect_crop", "random_flip", "subtract_mean_colour"),
    protocol="one crop",
    optimizer=keras_object("SGD", momentum=0.9),
    weight_decay=0.0002 / 5,
    learning_rate=ExponentialDecay(initial_learning_rate=0.045, decay_rate=0.96, decay_epochs=8 / 6),
    micro_batch_size=32,
    epochs=150,
)

NOT_GIVEN = (
    "The paper's text does not give the initial learning rate, the batch size, the weight decay and the number of "
    "epochs. Here they are 0.01, 32, 0.0002 and {}, as in {}."
)

DEVIATIONS = (
    "The paper trains asynchronously on many machines. Here updates follow one another.",
    "The paper averages weights (Polyak) and does not say how. Here the average is exponential, with 0.9999.",
    "The paper samples training images in several ways, which changed over the months before the competition. Here it "
    "is the way that it found to work well afterwards.",
    "The paper shows where it normalizes in a figure only, without constants. Here it is as in Caffe's GoogLeNet, with "
    "the constants of Krizhevsky et al. 2012.",
    "The paper does not say how weights are initialized. Here they are Glorot uniform and biases 0, whereas in Caffe's "
    "GoogLeNet they are uniform by the fan-in alone and biases 0.2.",
)

BN_DEVIATIONS = (
    "BN-GoogLeNet is a row of Table 3 of Szegedy et al. 2015, which neither describe it nor its training. Here it is "
    "GoogLeNet with batch normalization of all convolutions, and the recipe is that of BN-x30 of Ioffe and Szegedy "
    "2015, their best: no local response normalization, no dropout, a learning rate of 0.045 that decays six times as "
    "fast, a fifth of the weight decay, and no photometric distortions, whereas they have some.",
    "In Szegedy et al. 2015 the auxiliary heads' fully connected layer has batch normalization in the last row of the "
    "table only. Here it has none.",
    "Ioffe and Szegedy train asynchronously on ten replicas, with 32 images per update, and do not give the weight "
    "decay. Here updates follow one another, for 150 epochs, the 6 million steps of their longest curve of BN-x30, and "
    "the weight decay is a fifth of that of Caffe's GoogLeNet.",
    "Ioffe and Szegedy give neither the momentum nor the epsilon of batch normalization, nor how weights are "
    "initialized. Here they are Keras' 0.99 and 0.001, and weights are Glorot uniform.",
)

googlenet_network = functools.partial(Network, shapes=SHAPES, trainable_parameters=6998552)

STUDY = Study(
    name="googlenet",
    title="Going Deeper with Convolutions",
    authors="Szegedy et al.",
    year=2014,
    url="https://arxiv.org/abs/1409.4842",
    label="GoogLeNet",
    contribution=(
        "An ensemble of seven won ILSVRC-2014 with a top-5 error of 6.67%; one network has about a ninth of AlexNet's "
        "parameters.",
        "Its Inception blocks run convolutions of several sizes side by side, after 1x1 convolutions that reduce the "
        "channels.",
        "Two auxiliary classifiers feed gradients to the middle of the network, and global average pooling takes the "
        "place of fully connected layers.",
    ),
    networks=(
        googlenet_network(
            "googlenet",
            googlenet,
            RECIPE,
            other_names=("inception-v1", "inceptionv1"),
            deviations=(
                NOT_GIVEN.format(250, "Caffe's GoogLeNet (solver.prototxt, 10,000,000 updates)"),
                *DEVIATIONS,
                "The paper's ensemble is of seven networks with the same initial weights, one of them wider by an "
                "amount that it does not give. Here an ensemble is of seven networks of one width, and each has "
                "initial weights of its own.",
            ),
        ),
        googlenet_network(
            "googlenet-quick",
            functools.partial(googlenet, name="googlenet-quick"),
            QUICK_RECIPE,
            deviations=(
                NOT_GIVEN.format(
                    60, "the recipe of Caffe's published weights (quick_solver.prototxt, 2,400,000 updates)"
                ),
                "The paper lowers the learning rate by 4% every 8 epochs. Here it falls to 0 over the 60 epochs, by a "
                "polynomial decay of power 0.5, as in that recipe. Caffe lowers it after every update, here it is "
                "lowered after every epoch.",
                "Caffe's weights come from training without averages and without crops of varying area and aspect "
                "ratio or photometric distortions. Here these are the paper's.",
                *DEVIATIONS,
            ),
        ),
        Network(
            "bn-googlenet",
            bn_googlenet,
            BN_RECIPE,
            deviations=BN_DEVIATIONS,
            shapes=SHAPES,
            trainable_parameters=7005832,
        ),
    ),
)
