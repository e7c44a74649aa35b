"""BN-Inception: Ioffe and Szegedy, Batch Normalization: Accelerating Deep Network Training (2015)."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import keras

import layers
from reproductions.lab.spec import ExponentialDecay, Network, Recipe, Study, keras_object

# Figure 5: #1x1, #3x3 reduce, #3x3, double #3x3 reduce, double #3x3, pool, pool proj.
FIGURE_5 = {
    "3a": (64, 64, 64, 64, 96, "average", 32),
    "3b": (64, 64, 96, 64, 96, "average", 64),
    "3c": (None, 128, 160, 64, 96, "max", None),
    "4a": (224, 64, 96, 96, 128, "average", 128),
    "4b": (192, 96, 128, 96, 128, "average", 128),
    "4c": (160, 128, 160, 128, 160, "average", 96),
    "4d": (96, 128, 192, 160, 192, "average", 96),
    "4e": (None, 128, 192, 192, 256, "max", None),
    "5a": (352, 192, 320, 160, 224, "average", 128),
    "5b": (352, 192, 320, 192, 224, "max", 128),
}

SHAPES = {
    "conv1": (112, 112, 64), "pool1": (56, 56, 64), "conv2_3x3": (56, 56, 192), "pool2": (28, 28, 192),
    "inception_3a": (28, 28, 256), "inception_3b": (28, 28, 320), "inception_3c": (14, 14, 576),
    "inception_4a": (14, 14, 576), "inception_4b": (14, 14, 576), "inception_4c": (14, 14, 576),
    "inception_4d": (14, 14, 576), "inception_4e": (7, 7, 1024), "inception_5a": (7, 7, 1024),
    "inception_5b": (7, 7, 1024), "pool5": (1024,),
}  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """What the networks of section 4.2.2 differ in.

    Attributes:
        batch_normalization: Whether batch normalization precedes each activation.
        modified: Whether there is neither local response normalization nor dropout (section 4.2.1).
        activation: Name of the Keras activation.
    """

    batch_normalization: bool = True
    modified: bool = True
    activation: str = "relu"


VARIANTS = {
    "bn-inception": Variant(),
    "inception": Variant(batch_normalization=False, modified=False),
    "bn-inception-baseline": Variant(modified=False),
    "bn-inception-x5": Variant(),
    "bn-inception-x5-sigmoid": Variant(activation="sigmoid"),
}


def bn_inception(
    classes: int = 1000, input_size: int = 224, variant: str = "bn-inception", caffe: bool = False
) -> keras.Model:
    """Figure 5, or another of VARIANTS: images (batch, input_size, input_size, 3) to logits (batch, classes).

    With `caffe`, convolutions with strides 2 are padded on every side alike, as weights that were trained by Caffe need
    it.
    """
    if variant not in VARIANTS:
        raise ValueError(f"variant must be one of {', '.join(VARIANTS)}; got {variant!r}")
    if input_size < 32:
        raise ValueError(f"input_size must be at least 32, as the network halves it five times; got {input_size}")
    chosen = VARIANTS[variant]
    block = functools.partial(
        layers.InceptionBN, batch_normalization=chosen.batch_normalization, activation=chosen.activation, caffe=caffe
    )
    images = keras.Input((input_size, input_size, 3), name="images")
    x = keras.layers.ZeroPadding2D(3, name="padding")(images) if caffe else images
    x = convolution(x, chosen, (64, 7, 2, "valid" if caffe else "same"), "conv1")
    x = keras.layers.MaxPooling2D(3, 2, "same", name="pool1")(x)
    if not chosen.modified:
        x = layers.LocalResponseNormalization(name="norm1")(x)
    x = convolution(x, chosen, (64, 1, 1, "same"), "conv2_3x3_reduce")
    x = convolution(x, chosen, (192, 3, 1, "same"), "conv2_3x3")
    if not chosen.modified:
        x = layers.LocalResponseNormalization(name="norm2")(x)
    x = keras.layers.MaxPooling2D(3, 2, "same", name="pool2")(x)
    for row, columns in FIGURE_5.items():
        strides = 2 if columns[0] is None else 1
        x = block(*columns, strides=strides, name=f"inception_{row}")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool5")(x)
    if not chosen.modified:
        x = keras.layers.Dropout(0.4, name="drop")(x)
    return keras.Model(images, keras.layers.Dense(classes, name="linear")(x), name=variant)


def convolution(
    x: keras.KerasTensor, variant: Variant, shape: tuple[int, int, int, str], name: str
) -> keras.KerasTensor:
    """Apply a convolution, batch normalization if the variant has it, and its activation.

    Its shape is the number of filters, the size of the kernel, the strides and the padding.
    """
    if variant.batch_normalization:
        return layers.conv_bn_relu(x, *shape, name=name, activation=variant.activation)
    return keras.layers.Conv2D(*shape, activation=variant.activation, name=name)(x)


# BN-x30, section 4.2: learning rate 0.045, decaying six times as fast as GoogLeNet's; no dropout, little weight decay.
RECIPE = Recipe(
    dataset="imagenet-originals",
    train_transforms=("area_and_aspect_crop", "random_flip", "subtract_mean_colour"),
    test_transforms=("subtract_mean_colour",),
    protocol="one crop",
    optimizer=keras_object("SGD", momentum=0.9),
    loss=keras_object("SparseCategoricalCrossentropy", from_logits=True),
    weight_decay=0.0002 / 5,
    learning_rate=ExponentialDecay(initial_learning_rate=0.045, decay_rate=0.96, decay_epochs=8 / 6),
    batch_size=32,
    micro_batch_size=32,
    epochs=150,
)

# Section 4.2.2: five times the learning rate of Inception.
X5_RECIPE = replace(
    RECIPE, learning_rate=ExponentialDecay(initial_learning_rate=0.0075, decay_rate=0.96, decay_epochs=8 / 6)
)

# Section 4.2, for Inception and BN-Baseline: the 31 million steps of Inception.
INCEPTION_RECIPE = replace(
    RECIPE,
    train_transforms=("area_and_aspect_crop", "random_flip", "photometric_distortion", "subtract_mean_colour"),
    weight_decay=0.0002,
    learning_rate=ExponentialDecay(initial_learning_rate=0.0015, decay_rate=0.96, decay_epochs=8),
    epochs=774,
)

DEVIATIONS = (
    'The network of Figure 5 is often called "Inception v2". Here that name is reserved for the network of Szegedy et '
    "al. 2015.",
    "The first convolution of the paper is separable, with a depth multiplier of 8. Here it is an ordinary 7x7 "
    "convolution.",
    "The paper does not say how weights are initialized. Here they are Glorot uniform.",
    "Figure 5 gives 4c and 4d a pool projection of 128 filters and an output of 576 feature maps, whereas 128 filters "
    "would make 608. Here there are 96, which make 576, as in TF-slim's network and in the one that ONNX distributes.",
)
NORMALIZATION_DEVIATION = (
    "The paper gives neither the momentum nor the epsilon of batch normalization; TF-slim's network has 0.9997 and "
    "0.001. Here they are Keras' 0.99 and 0.001."
)
MODIFIED_DEVIATIONS = (
    NORMALIZATION_DEVIATION,
    "The paper divides GoogLeNet's weight decay by five and does not give its value. Here it is a fifth of that of "
    "Caffe's GoogLeNet.",
    "The paper trains asynchronously on ten replicas, with 32 images per update. Here updates follow one another, for "
    "150 epochs, the 6 million steps of BN-x30, and without auxiliary heads.",
    "The paper reduces photometric distortions and does not say how far. Here there are none.",
)
INCEPTION_DEVIATIONS = (
    "The paper trains asynchronously on ten replicas, with 32 images per update. Here updates follow one another, for "
    "774 epochs, the 31 million steps after which Inception reached its accuracy, and without auxiliary heads.",
    "The paper refers to Szegedy et al. 2014 for the training of Inception, and gives its learning rate alone. Here "
    "that falls by 4% every 8 epochs, images are distorted and 40% of the last layer's inputs are dropped, as there; "
    "the weight decay and the place of local response normalization are those of Caffe's GoogLeNet.",
    "The paper shuffles images more thoroughly for BN-x5 and BN-x30 than for Inception and BN-Baseline. Here all are "
    "shuffled thoroughly.",
)


def network(name: str, recipe: Recipe, *deviations: str, trainable_parameters: int = 11194984) -> Network:
    """Return one of VARIANTS."""
    return Network(
        name,
        functools.partial(bn_inception, variant=name),
        recipe,
        deviations=(*DEVIATIONS, *deviations),
        shapes=SHAPES,
        trainable_parameters=trainable_parameters,
    )


STUDY = Study(
    name="bn_inception",
    title="Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
    authors="Ioffe and Szegedy",
    year=2015,
    url="https://arxiv.org/abs/1502.03167",
    label="BN-Inception",
    contribution=(
        "It introduces batch normalization: each unit's inputs are normalized over the mini-batch.",
        "The normalized network reaches the error of the plain one in fourteen times fewer steps, at higher learning "
        "rates and without dropout.",
        "An ensemble of six reaches a top-5 validation error of 4.9%.",
    ),
    networks=(
        network("bn-inception", RECIPE, *MODIFIED_DEVIATIONS),
        network("inception", INCEPTION_RECIPE, *INCEPTION_DEVIATIONS, trainable_parameters=11185032),
        network("bn-inception-baseline", INCEPTION_RECIPE, NORMALIZATION_DEVIATION, *INCEPTION_DEVIATIONS),
        network("bn-inception-x5", X5_RECIPE, *MODIFIED_DEVIATIONS),
        network("bn-inception-x5-sigmoid", X5_RECIPE, *MODIFIED_DEVIATIONS),
    ),
)
