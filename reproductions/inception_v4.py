"""Inception-v4: Szegedy, Ioffe, Vanhoucke and Alemi, Inception-v4, Inception-ResNet and the Impact of ... (2016)."""

from __future__ import annotations

import keras

import layers
from reproductions.lab.spec import ExponentialDecay, Network, Recipe, Study, keras_object

SHAPES = {
    "conv1_relu": (149, 149, 32), "conv2_relu": (147, 147, 32), "conv3_relu": (147, 147, 64), "stem1": (73, 73, 160),
    "stem2": (71, 71, 192), "stem3": (35, 35, 384), "inception_a4": (35, 35, 384), "reduction_a": (17, 17, 1024),
    "inception_b7": (17, 17, 1024), "reduction_b": (8, 8, 1536), "inception_c3": (8, 8, 1536), "pool": (1536,),
}  # fmt: skip

# Figure 7 with the k, l, m, n of Table 1, and Figure 8.
REDUCTION_A = (((384, 3),), ((192, 1), (224, 3), (256, 3)))
REDUCTION_B = (((192, 1), (192, 3)), ((256, 1), (256, (1, 7)), (320, (7, 1)), (320, 3)))


def stem(x: keras.KerasTensor) -> keras.KerasTensor:
    """Figure 3: (batch, 299, 299, 3) to (batch, 35, 35, 384)."""
    conv = layers.conv_bn_relu
    join = keras.layers.Concatenate
    x = conv(x, 32, 3, 2, "valid", name="conv1")
    x = conv(x, 32, 3, padding="valid", name="conv2")
    x = conv(x, 64, 3, name="conv3")
    pooled = keras.layers.MaxPooling2D(3, 2, name="stem1_pool")(x)
    x = join(name="stem1")([pooled, conv(x, 96, 3, 2, "valid", name="stem1_3x3")])
    left = conv(x, 64, 1, name="stem2_3x3_reduce")
    left = conv(left, 96, 3, padding="valid", name="stem2_3x3")
    right = conv(x, 64, 1, name="stem2_7x7_reduce")
    right = conv(right, 64, (7, 1), name="stem2_7x1")
    right = conv(right, 64, (1, 7), name="stem2_1x7")
    right = conv(right, 96, 3, padding="valid", name="stem2_7x7_3x3")
    x = join(name="stem2")([left, right])
    pooled = keras.layers.MaxPooling2D(3, 2, name="stem3_pool")(x)
    return join(name="stem3")([conv(x, 192, 3, 2, "valid", name="stem3_3x3"), pooled])


def inception_v4(classes: int = 1000, input_size: int = 299) -> keras.Model:
    """Figure 9: images (batch, input_size, input_size, 3) in -1..1 to logits (batch, classes)."""
    images = keras.Input((input_size, input_size, 3), name="images")
    x = stem(images)
    for number in range(1, 5):
        x = layers.InceptionV4A(name=f"inception_a{number}")(x)
    x = layers.GridReduction(REDUCTION_A, name="reduction_a")(x)
    for number in range(1, 8):
        x = layers.InceptionV4B(name=f"inception_b{number}")(x)
    x = layers.GridReduction(REDUCTION_B, name="reduction_b")(x)
    for number in range(1, 4):
        x = layers.InceptionV4C(name=f"inception_c{number}")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dropout(0.2, name="drop")(x)
    return keras.Model(images, keras.layers.Dense(classes, name="logits")(x), name="inception-v4")


# Section 4: as Inception-v3, on 20 replicas.
RECIPE = Recipe(
    dataset="imagenet-originals",
    train_transforms=("area_and_aspect_crop", "random_flip", "photometric_distortion", "to_unit_range"),
    test_transforms=("to_unit_range",),
    protocol="one crop",
    optimizer=keras_object("RMSprop", rho=0.9, epsilon=1.0, use_ema=True, ema_momentum=0.9999),
    loss=keras_object("CategoricalCrossentropy", from_logits=True, label_smoothing=0.1),
    learning_rate=ExponentialDecay(initial_learning_rate=0.045, decay_rate=0.94, decay_epochs=2),
    global_clipnorm=2.0,
    batch_size=20 * 32,
    micro_batch_size=32,
    epochs=100,
)

STUDY = Study(
    name="inception_v4",
    title="Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    authors="Szegedy, Ioffe, Vanhoucke and Alemi",
    year=2016,
    url="https://arxiv.org/abs/1602.07261",
    networks=(
        Network(
            "inception-v4",
            inception_v4,
            RECIPE,
            deviations=(
                "The paper does not say how weights are initialized. Here they are Glorot uniform.",
                "The paper has 20 replicas and does not give their batch size. Here it is 32 images each, as for "
                "Inception-v3, and they update the weights together: an update takes 640 images, and batch "
                "normalization 32.",
                "Section 4 does not mention label smoothing, gradient clipping or the number of epochs. Here they are "
                "as for Inception-v3, with 100 epochs.",
                "The paper gives neither the decay of the running average nor weight decay. Here they are 0.9999, and "
                "none.",
                "The paper draws no auxiliary head, whereas the release has one. Here there is none.",
                "The release trains by RMSProp with momentum. Here RMSProp has none.",
            ),
            shapes=SHAPES,
            trainable_parameters=42679816,
        ),
    ),
)
