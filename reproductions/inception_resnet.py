"""Inception-ResNet-v1 and v2 of the paper of inception_v4.py, and the stem that v2 and Inception-v4 share."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import keras

import layers

Branches = tuple[tuple[tuple[int, int | tuple[int, int]], ...], ...]

SHAPES_V1 = {
    "conv1_relu": (149, 149, 32), "conv2_relu": (147, 147, 32), "conv3_relu": (147, 147, 64), "pool1": (73, 73, 64),
    "conv4_relu": (73, 73, 80), "conv5_relu": (71, 71, 192), "conv6_relu": (35, 35, 256),
    "inception_resnet_a5": (35, 35, 256), "reduction_a": (17, 17, 896), "inception_resnet_b10": (17, 17, 896),
    "reduction_b": (8, 8, 1792), "inception_resnet_c5": (8, 8, 1792), "pool": (1792,),
}  # fmt: skip
SHAPES_V2 = {
    "stem3": (35, 35, 384), "inception_resnet_a5": (35, 35, 384), "reduction_a": (17, 17, 1152),
    "inception_resnet_b10": (17, 17, 1152), "reduction_b": (8, 8, 2144), "inception_resnet_c5": (8, 8, 2144),
    "pool": (2144,),
}  # fmt: skip
SHAPES_V2_RELEASED = {
    "conv5_relu": (71, 71, 192), "pool2": (35, 35, 192), "inception": (35, 35, 320),
    "inception_resnet_a10": (35, 35, 320), "reduction_a": (17, 17, 1088), "inception_resnet_b20": (17, 17, 1088),
    "reduction_b": (8, 8, 2080), "inception_resnet_c10": (8, 8, 2080), "conv7_relu": (8, 8, 1536), "pool": (1536,),
}  # fmt: skip

# Figures 10, 11 and 13; Figure 7 with the k, l, m, n of Table 1; Figure 12.
BLOCKS_V1: Mapping[str, Branches] = {
    "a": (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (32, 3), (32, 3))),
    "b": (((128, 1),), ((128, 1), (128, (1, 7)), (128, (7, 1)))),
    "c": (((192, 1),), ((192, 1), (192, (1, 3)), (192, (3, 1)))),
    "reduction_a": (((384, 3),), ((192, 1), (192, 3), (256, 3))),
    "reduction_b": (((256, 1), (384, 3)), ((256, 1), (256, 3)), ((256, 1), (256, 3), (256, 3))),
}

# Figures 16, 17 and 19; Figure 7 with the k, l, m, n of Table 1; Figure 18.
BLOCKS_V2: Mapping[str, Branches] = {
    "a": (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3))),
    "b": (((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1)))),
    "c": (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1)))),
    "reduction_a": (((384, 3),), ((256, 1), (256, 3), (384, 3))),
    "reduction_b": (((256, 1), (384, 3)), ((256, 1), (288, 3)), ((256, 1), (288, 3), (320, 3))),
}

# Those of the released Inception-ResNet-v2, within the 0.1 to 0.3 of section 3.3.
RESIDUAL_SCALES = {"a": 0.17, "b": 0.1, "c": 0.2}


def figure_3(x: keras.KerasTensor, released: bool) -> keras.KerasTensor:
    """Figure 3: (batch, 299, 299, 3) to (batch, 35, 35, 384). The last 3x3 has stride 2, which its sizes imply."""
    conv = functools.partial(layers.conv_bn_relu, scale=not released)
    join = keras.layers.Concatenate
    x = conv(x, 32, 3, 2, "valid", name="conv1")
    x = conv(x, 32, 3, padding="valid", name="conv2")
    x = conv(x, 64, 3, name="conv3")
    pooled = keras.layers.MaxPooling2D(3, 2, name="stem1_pool")(x)
    x = join(name="stem1")([pooled, conv(x, 96, 3, 2, "valid", name="stem1_3x3")])
    left = conv(x, 64, 1, name="stem2_3x3_reduce")
    left = conv(left, 96, 3, padding="valid", name="stem2_3x3")
    right = conv(x, 64, 1, name="stem2_7x7_reduce")
    for height, width in ((1, 7), (7, 1)) if released else ((7, 1), (1, 7)):
        right = conv(right, 64, (height, width), name=f"stem2_{height}x{width}")
    right = conv(right, 96, 3, padding="valid", name="stem2_7x7_3x3")
    x = join(name="stem2")([left, right])
    pooled = keras.layers.MaxPooling2D(3, 2, name="stem3_pool")(x)
    return join(name="stem3")([conv(x, 192, 3, 2, "valid", name="stem3_3x3"), pooled])


def figure_14(x: keras.KerasTensor, scale: bool = True) -> keras.KerasTensor:
    """Figure 14 without its last convolution: (batch, 299, 299, 3) to (batch, 71, 71, 192)."""
    conv = functools.partial(layers.conv_bn_relu, padding="valid", scale=scale)
    x = conv(x, 32, 3, 2, name="conv1")
    x = conv(x, 32, 3, name="conv2")
    x = conv(x, 64, 3, padding="same", name="conv3")
    x = keras.layers.MaxPooling2D(3, 2, name="pool1")(x)
    x = conv(x, 80, 1, name="conv4")
    return conv(x, 192, 3, name="conv5")


def figure_15(
    x: keras.KerasTensor, blocks: Mapping[str, Branches], counts: Mapping[str, int], scale: bool = True
) -> keras.KerasTensor:
    """Figure 15 from the stem to the last block, with numbers of blocks by kind."""
    for kind, count in counts.items():
        for number in range(1, count + 1):
            name = f"inception_resnet_{kind}{number}"
            x = layers.InceptionResidual(blocks[kind], RESIDUAL_SCALES[kind], scale=scale, name=name)(x)
        if reduction := blocks.get(f"reduction_{kind}"):
            x = layers.GridReduction(reduction, scale=scale, name=f"reduction_{kind}")(x)
    return x


def classifier(images: keras.KerasTensor, x: keras.KerasTensor, classes: int, name: str) -> keras.Model:
    """Return the model that ends with pooling, dropout and logits."""
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dropout(0.2, name="drop")(x)
    return keras.Model(images, keras.layers.Dense(classes, name="logits")(x), name=name)


def inception_resnet_v1(classes: int = 1000, input_size: int = 299) -> keras.Model:
    """Figure 15 with Figures 10 to 14: images (batch, input_size, input_size, 3) in -1..1 to logits."""
    images = keras.Input((input_size, input_size, 3), name="images")
    x = layers.conv_bn_relu(figure_14(images), 256, 3, 2, "valid", name="conv6")
    x = figure_15(x, BLOCKS_V1, {"a": 5, "b": 10, "c": 5})
    return classifier(images, x, classes, "inception-resnet-v1")


def inception_resnet_v2(classes: int = 1000, input_size: int = 299) -> keras.Model:
    """Figure 15 with Figures 3 and 16 to 19: images (batch, input_size, input_size, 3) in -1..1 to logits."""
    images = keras.Input((input_size, input_size, 3), name="images")
    x = figure_15(figure_3(images, released=False), BLOCKS_V2, {"a": 5, "b": 10, "c": 5})
    return classifier(images, x, classes, "inception-resnet-v2")


def inception_resnet_v2_released(classes: int = 1000, input_size: int = 299) -> keras.Model:
    """The released network: images (batch, input_size, input_size, 3) in -1..1 to logits (batch, classes)."""
    images = keras.Input((input_size, input_size, 3), name="images")
    x = keras.layers.MaxPooling2D(3, 2, name="pool2")(figure_14(images, scale=False))
    x = layers.InceptionFigure5(64, keep_5x5=True, n1x1=96, scale=False, name="inception")(x)
    x = figure_15(x, BLOCKS_V2, {"a": 10, "b": 20, "c": 9}, scale=False)
    x = layers.InceptionResidual(BLOCKS_V2["c"], final_relu=False, scale=False, name="inception_resnet_c10")(x)
    x = layers.conv_bn_relu(x, 1536, 1, scale=False, name="conv7")
    return classifier(images, x, classes, "inception-resnet-v2-released")
