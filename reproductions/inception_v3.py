"""Inception-v2 and v3: Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, Rethinking the Inception Architecture (2015)."""

from __future__ import annotations

import functools
from dataclasses import replace

import keras

import layers
from reproductions.lab.spec import ExponentialDecay, Network, Recipe, Study, keras_object

# Table 1, which gives the input of each row.
SHAPES_V2 = {
    "conv1_relu": (149, 149, 32), "conv2_relu": (147, 147, 32), "conv3_relu": (147, 147, 64), "pool1": (73, 73, 64),
    "conv4_relu": (71, 71, 80), "conv5_relu": (35, 35, 192), "conv6_relu": (35, 35, 288),
    "mixed_35x35_3": (35, 35, 288), "mixed_17x17_1": (17, 17, 768), "mixed_8x8_2": (8, 8, 2048), "pool3": (2048,),
}  # fmt: skip
SHAPES_V3 = {
    "conv1_relu": (149, 149, 32), "conv2_relu": (147, 147, 32), "conv3_relu": (147, 147, 64), "pool1": (73, 73, 64),
    "conv4_relu": (73, 73, 80), "conv5_relu": (71, 71, 192), "pool2": (35, 35, 192), "mixed_35x35_1": (35, 35, 256),
    "mixed_35x35_3": (35, 35, 288), "mixed_17x17_1": (17, 17, 768), "mixed_8x8_2": (8, 8, 2048), "pool3": (2048,),
}  # fmt: skip

# By input size, with the sizes of Table 1 from the fourth convolution on.
SHAPES_7X7 = {
    input_size: {
        **stem, "conv4_relu": (71, 71, 80), "conv5_relu": (35, 35, 192), "mixed_35x35_3": (35, 35, 288),
        "mixed_17x17_1": (17, 17, 768), "mixed_8x8_2": (8, 8, 2048), "pool3": (2048,),
    }
    for input_size, stem in {
        299: {"conv1_relu": (147, 147, 64), "pool1": (73, 73, 64)},
        151: {"conv1_relu": (145, 145, 64), "pool1": (73, 73, 64)},
        79: {"conv1_relu": (73, 73, 64)},
    }.items()
}  # fmt: skip

REDUCTION_17 = (((384, 3),), ((64, 1), (96, 3), (96, 3)))
REDUCTION_8 = (((192, 1), (320, 3)), ((192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3)))


def auxiliary_head(x: keras.KerasTensor, classes: int, released: bool) -> keras.KerasTensor:
    """Figure 8, on the last 17x17 block, to logits.

    The first convolution has batch normalization; in Inception-v3 the second one, which is a fully connected layer of
    768 units, has it too, which Table 3 calls "BN-auxiliary".
    """
    x = keras.layers.AveragePooling2D(5, 3, name="auxiliary_pool")(x)
    conv = functools.partial(layers.conv_bn_relu, padding="valid", scale=not released)
    x = conv(x, 128, 1, name="auxiliary_conv1")
    if released:
        x = conv(x, 768, x.shape[1:3], name="auxiliary_conv2")
    else:
        x = keras.layers.Conv2D(768, x.shape[1:3], activation="relu", name="auxiliary_conv2")(x)
    x = keras.layers.Flatten(name="auxiliary_flatten")(x)
    return keras.layers.Dense(classes, name="auxiliary")(x)


def inception_v2(classes: int = 1000, input_size: int = 299, auxiliary: bool = False) -> keras.Model:
    """Table 1: images (batch, input_size, input_size, 3) in -1..1 to logits (batch, classes)."""
    images = keras.Input((input_size, input_size, 3), name="images")
    conv = functools.partial(layers.conv_bn_relu, padding="valid")
    x = conv(images, 32, 3, 2, name="conv1")
    x = conv(x, 32, 3, name="conv2")
    x = layers.conv_bn_relu(x, 64, 3, name="conv3")
    x = keras.layers.MaxPooling2D(3, 2, name="pool1")(x)
    return keras.Model(images, after_pool1(x, classes, auxiliary), name="inception-v2")


def inception_v2_7x7(
    classes: int = 1000,
    input_size: int = 299,
    auxiliary: bool = False,
    halvings: int = 2,
    name: str = "inception-v2-sgd",
) -> keras.Model:
    """Table 1 with a 7x7 convolution for the first three 3x3, as before the row "factorized 7x7" of Table 3.

    Args:
        classes: Number of classes.
        input_size: Height and width of the input, in pixels.
        auxiliary: Whether the network has its auxiliary head, to be trained.
        halvings: How often the first layer and the pooling after it halve their input: 2; 1, as the convolution has
            stride 1; or 0, as it has, and there is no pooling (section 9).
        name: Name of the model.

    Returns:
        Model from images (batch, input_size, input_size, 3) in -1..1 to logits (batch, classes).
    """
    images = keras.Input((input_size, input_size, 3), name="images")
    x = layers.conv_bn_relu(images, 64, 7, 2 if halvings == 2 else 1, "valid", name="conv1")
    if halvings:
        x = keras.layers.MaxPooling2D(3, 2, "valid" if halvings == 2 else "same", name="pool1")(x)
    return keras.Model(images, after_pool1(x, classes, auxiliary), name=name)


def after_pool1(
    x: keras.KerasTensor, classes: int, auxiliary: bool
) -> keras.KerasTensor | dict[str, keras.KerasTensor]:
    """Table 1 from the fourth convolution on."""
    conv = functools.partial(layers.conv_bn_relu, padding="valid")
    x = conv(x, 80, 3, name="conv4")
    x = conv(x, 192, 3, 2, name="conv5")
    x = layers.conv_bn_relu(x, 288, 3, name="conv6")
    for number in 1, 2, 3:
        x = layers.InceptionFigure5(64, name=f"mixed_35x35_{number}")(x)
    return after_35x35(x, classes, auxiliary, released=False)


def inception_v3(classes: int = 1000, input_size: int = 299, auxiliary: bool = False) -> keras.Model:
    """The released network: images (batch, input_size, input_size, 3) in -1..1 to logits (batch, classes).

    With `auxiliary`, the network as it is trained, to a dictionary of logits: "logits" and those of the
    batch-normalized auxiliary head, "auxiliary".
    """
    images = keras.Input((input_size, input_size, 3), name="images")
    conv = functools.partial(layers.conv_bn_relu, padding="valid", scale=False)
    x = conv(images, 32, 3, 2, name="conv1")
    x = conv(x, 32, 3, name="conv2")
    x = conv(x, 64, 3, padding="same", name="conv3")
    x = keras.layers.MaxPooling2D(3, 2, name="pool1")(x)
    x = conv(x, 80, 1, name="conv4")
    x = conv(x, 192, 3, name="conv5")
    x = keras.layers.MaxPooling2D(3, 2, name="pool2")(x)
    for number, pool_proj in enumerate([32, 64, 64], 1):
        x = layers.InceptionFigure5(pool_proj, keep_5x5=True, scale=False, name=f"mixed_35x35_{number}")(x)
    return keras.Model(images, after_35x35(x, classes, auxiliary, released=True), name="inception-v3")


def after_35x35(
    x: keras.KerasTensor, classes: int, auxiliary: bool, released: bool
) -> keras.KerasTensor | dict[str, keras.KerasTensor]:
    """Blocks from the last of 35x35 on: Figures 10, 6, 10 and 7, and the auxiliary head of Figure 8.

    In the released network batch normalization has no scale.
    """
    scale = not released
    x = layers.GridReduction(REDUCTION_17, scale=scale, name="mixed_17x17_1")(x)
    for number, n7x7 in enumerate([128, 160, 160, 192], 2):
        x = layers.InceptionFigure6(n7x7, scale=scale, name=f"mixed_17x17_{number}")(x)
    head = {"auxiliary": auxiliary_head(x, classes, released)} if auxiliary else {}
    x = layers.GridReduction(REDUCTION_8, scale=scale, name="mixed_8x8_0")(x)
    for number in 1, 2:
        x = layers.InceptionFigure7(scale=scale, name=f"mixed_8x8_{number}")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool3")(x)
    if released:
        x = keras.layers.Dropout(0.2, name="drop")(x)
    logits = keras.layers.Dense(classes, name="logits")(x)
    return {"logits": logits, **head} if auxiliary else logits


# Sections 7 and 8: 50 replicas of 32 images, "running average of the parameters computed over time".
RECIPE = Recipe(
    dataset="imagenet-originals",
    train_transforms=("area_and_aspect_crop", "random_flip", "photometric_distortion", "to_unit_range"),
    test_transforms=("to_unit_range",),
    protocol="one crop",
    optimizer=keras_object("RMSprop", rho=0.9, epsilon=1.0, use_ema=True, ema_momentum=0.9999),
    loss=keras_object("CategoricalCrossentropy", from_logits=True, label_smoothing=0.1),
    loss_weights={"logits": 1.0, "auxiliary": 0.4},
    learning_rate=ExponentialDecay(initial_learning_rate=0.045, decay_rate=0.94, decay_epochs=2),
    global_clipnorm=2.0,
    batch_size=50 * 32,
    micro_batch_size=32,
    epochs=100,
)

# The rows of Table 3 before it, from the last to the first.
RMSPROP_RECIPE = replace(RECIPE, loss=keras_object("SparseCategoricalCrossentropy", from_logits=True))
SGD_RECIPE = replace(RMSPROP_RECIPE, optimizer=keras_object("SGD", momentum=0.9, use_ema=True, ema_momentum=0.9999))

DEVIATIONS = (
    "The paper does not say whether its 50 replicas, with 32 images each, update the weights one by one or together. "
    "Here they do so together: an update takes 1,600 images, and batch normalization still 32.",
    "The paper gives neither the weight of the auxiliary loss nor the decay of the running average. Here they are 0.4 "
    "and 0.9999, as in the release.",
    "The paper does not mention weight decay. Here there is none.",
    "The paper does not say how images are sampled. Here it is the way that Szegedy et al. 2014 found best.",
    "The paper does not say which norm its gradient clipping limits to 2.0. Here it is the norm of the whole gradient.",
    "The release's running average of the weights begins at their initial values, with a decay of at most (1 + n) / "
    "(10 + n) at update n. Here it begins at the weights after the first update, with the decay of 0.9999.",
    "The paper averages the parameters and does not mention the moving means and variances of batch normalization. "
    "Here, as in the release, these are averaged with the same decay.",
)

RMSPROP_DEVIATION = (
    "The release trains by RMSProp with a momentum of 0.9, and its mean squares begin at 1, as in TensorFlow. Here "
    "there is no momentum, and they begin at 0, as in Keras."
)
SGD_DEVIATION = (
    'The paper says that its "earlier experiments used momentum with a decay of 0.9", and of no row of Table 3 which '
    'optimizer it is by. Here the rows before "RMSProp" are trained by SGD with momentum, and with all other settings '
    "of section 8."
)
NETWORK_7X7_DEVIATION = (
    "Table 1, the network of section 6, has three 3x3 convolutions at its start, which Table 3 adds in a later row. "
    "The paper does not describe the convolution before that. Here it is unpadded, with 7x7 weights, 64 filters and "
    "stride 2, which gives maps of the same size."
)
RECEPTIVE_FIELD_DEVIATION = (
    "Section 9 does not say which network it changes. Here it is inception-v2-sgd, as the accuracy that Table 2 gives "
    "at 299 pixels is that of its row in Table 3. At 151 pixels the pooling is padded, so that its maps are as large "
    "as in Table 1. The paper trains until convergence, which takes longer with small inputs, and does not say for how "
    "long. Here it is 100 epochs."
)
V2_DEVIATIONS = (
    *DEVIATIONS,
    'Two networks are called "Inception-v2". Here it is that of Szegedy et al. 2015; that of Ioffe and Szegedy is '
    "bn-inception.",
    'Each row "Inception-v2" of Table 3 has the changes of those before it. Here inception-v2 is Table 1 with all '
    "changes but the last one, which makes Inception-v3; inception-v2-label-smoothing, inception-v2-rmsprop and "
    "inception-v2-sgd are the rows before it.",
    "Table 1 gives only the inputs of the blocks. Here their inside, and the reductions of Figure 10 between them, are "
    "those of the released Inception-v3.",
    "Table 1 gives five blocks on 17x17. Here there are four, as in the released network: a fifth would make 26M "
    "parameters, where the text says less than 25M.",
    "The paper does not say how weights are initialized. Here they are Glorot uniform.",
    "The paper gives neither the momentum nor the epsilon of batch normalization. Here they are Keras' 0.99 and 0.001.",
    "Figure 5 draws the middle branch as one 3x3 convolution and gives no sizes. Here it has the 48 and 64 filters of "
    "the released 5x5.",
)


def network_7x7(name: str, recipe: Recipe, *deviations: str, input_size: int = 299, halvings: int = 2) -> Network:
    """Return a network with a 7x7 convolution: a row of Table 3, or of Table 2 with another input and stem."""
    return Network(
        name,
        functools.partial(inception_v2_7x7, input_size=input_size, halvings=halvings, name=name),
        recipe,
        deviations=(*V2_DEVIATIONS, NETWORK_7X7_DEVIATION, *deviations),
        shapes=SHAPES_7X7[input_size],
        trainable_parameters=24244008,
    )


STUDY = Study(
    name="inception_v3",
    title="Rethinking the Inception Architecture for Computer Vision",
    authors="Szegedy, Vanhoucke, Ioffe, Shlens and Wojna",
    year=2015,
    url="https://arxiv.org/abs/1512.00567",
    label="Inception-v3",
    contribution=(
        "It factorizes large convolutions into smaller and asymmetric ones, 7x7 into 1x7 and 7x1.",
        "It introduces label smoothing, and normalizes the auxiliary classifier.",
        "One network reaches a top-1 error of 21.2% on one crop at five billion multiply-adds by its count.",
    ),
    networks=(
        Network(
            "inception-v3",
            inception_v3,
            RECIPE,
            deviations=(
                *DEVIATIONS,
                RMSPROP_DEVIATION,
                "The released network differs from Table 1. Here it is as released: it has a 1x1 convolution with 80 "
                "filters, an unpadded 3x3 with 192, a pooling before the blocks, a first block of 256 feature maps, "
                "and 5x5 convolutions on 35x35.",
                "The release initializes weights by a truncated normal distribution with standard deviation 0.1. Here "
                "they are Glorot uniform.",
                "The paper gives neither the momentum nor the epsilon of batch normalization, and the release has "
                "0.9997 and 0.001. Here they are Keras' 0.99 and 0.001.",
            ),
            shapes=SHAPES_V3,
            trainable_parameters=23817352,
        ),
        Network(
            "inception-v2",
            inception_v2,
            RECIPE,
            deviations=(*V2_DEVIATIONS, RMSPROP_DEVIATION),
            shapes=SHAPES_V2,
            trainable_parameters=24263240,
        ),
        network_7x7("inception-v2-label-smoothing", RECIPE, RMSPROP_DEVIATION),
        network_7x7("inception-v2-rmsprop", RMSPROP_RECIPE, RMSPROP_DEVIATION),
        network_7x7("inception-v2-sgd", SGD_RECIPE, SGD_DEVIATION),
        network_7x7(
            "inception-v2-151", SGD_RECIPE, SGD_DEVIATION, RECEPTIVE_FIELD_DEVIATION, input_size=151, halvings=1
        ),
        network_7x7("inception-v2-79", SGD_RECIPE, SGD_DEVIATION, RECEPTIVE_FIELD_DEVIATION, input_size=79, halvings=0),
    ),
)
