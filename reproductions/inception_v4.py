"""Inception-v4: Szegedy, Ioffe, Vanhoucke and Alemi, Inception-v4, Inception-ResNet and the Impact of ... (2016)."""

from __future__ import annotations

import keras

import layers
from reproductions.inception_resnet import (
    SHAPES_V1,
    SHAPES_V2,
    SHAPES_V2_RELEASED,
    classifier,
    figure_3,
    inception_resnet_v1,
    inception_resnet_v2,
    inception_resnet_v2_released,
)
from reproductions.lab.spec import ExponentialDecay, Network, Recipe, Study, keras_object

SHAPES = {
    "conv1_relu": (149, 149, 32), "conv2_relu": (147, 147, 32), "conv3_relu": (147, 147, 64), "stem1": (73, 73, 160),
    "stem2": (71, 71, 192), "stem3": (35, 35, 384), "inception_a4": (35, 35, 384), "reduction_a": (17, 17, 1024),
    "inception_b7": (17, 17, 1024), "reduction_b": (8, 8, 1536), "inception_c3": (8, 8, 1536), "pool": (1536,),
}  # fmt: skip

# Figure 7 with the k, l, m, n of Table 1, and Figure 8.
REDUCTION_A = (((384, 3),), ((192, 1), (224, 3), (256, 3)))
REDUCTION_B = (((192, 1), (192, 3)), ((256, 1), (256, (1, 7)), (320, (7, 1)), (320, 3)))


def inception_v4(classes: int = 1000, input_size: int = 299) -> keras.Model:
    """Figure 9: images (batch, input_size, input_size, 3) in -1..1 to logits (batch, classes)."""
    return connected(classes, input_size, released=False)


def inception_v4_released(classes: int = 1000, input_size: int = 299) -> keras.Model:
    """The released network: images (batch, input_size, input_size, 3) in -1..1 to logits (batch, classes)."""
    return connected(classes, input_size, released=True)


def connected(classes: int, input_size: int, released: bool) -> keras.Model:
    """Figure 9; in the released network batch normalization has no scale, and 1x7 and 7x1 another order."""
    images = keras.Input((input_size, input_size, 3), name="images")
    options = {"released": released, "scale": not released}
    x = figure_3(images, released)
    for number in range(1, 5):
        x = layers.InceptionV4A(name=f"inception_a{number}", **options)(x)
    x = layers.GridReduction(REDUCTION_A, scale=not released, name="reduction_a")(x)
    for number in range(1, 8):
        x = layers.InceptionV4B(name=f"inception_b{number}", **options)(x)
    x = layers.GridReduction(REDUCTION_B, scale=not released, name="reduction_b")(x)
    for number in range(1, 4):
        x = layers.InceptionV4C(name=f"inception_c{number}", **options)(x)
    return classifier(images, x, classes, "inception-v4-released" if released else "inception-v4")


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

DEVIATIONS = (
    "The paper has 20 replicas and does not give their batch size. Here it is 32 images each, as for Inception-v3, and "
    "they update the weights together: an update takes 640 images, and batch normalization 32.",
    "Section 4 does not mention label smoothing, gradient clipping or the number of epochs. Here they are as for "
    "Inception-v3, with 100 epochs.",
    "The paper gives neither the decay of the running average nor weight decay. Here they are 0.9999, and none.",
    "The paper draws no auxiliary head, whereas the release has one. Here there is none.",
    "The release trains by RMSProp with a momentum of 0.9, and its mean squares begin at 1, as in TensorFlow. Here "
    "there is no momentum, and they begin at 0, as in Keras.",
    "The release's running average of the weights begins at their initial values, with a decay of at most (1 + n) / "
    "(10 + n) at update n. Here it begins at the weights after the first update, with the decay of 0.9999.",
    "The paper gives neither the momentum nor the epsilon of batch normalization, and the release has 0.9997 and "
    "0.001. Here they are Keras' 0.99 and 0.001.",
    "The paper averages the parameters and does not mention the moving means and variances of batch normalization. "
    "Here, as in the release, these are averaged with the same decay.",
)
FIGURE_3_DEVIATION = (
    "Figure 3 prints no stride for its last 3x3 convolution. Here, as in the released Inception-v4, it is 2, which its "
    "sizes imply."
)
V4_DEVIATIONS = (
    *DEVIATIONS,
    "Figure 5 prints 1x7 twice in the second longest branch. Here, as in the release, the second one is 7x1.",
    FIGURE_3_DEVIATION,
)
FIGURES_DEVIATION = "The paper does not say how weights are initialized. Here they are Glorot uniform."
RELEASE_DEVIATIONS = (
    "The paper does not say whether batch normalization has a scale. Here, as in the release, it has none.",
    "The release initializes weights by a truncated normal distribution with variance 2 / fan-in, and has a weight "
    "decay of 0.00004. Here weights are Glorot uniform, and there is none.",
)
RESIDUAL_DEVIATIONS = (
    *DEVIATIONS,
    "The paper scales residuals by factors between 0.1 and 0.3 and does not give them. Here they are 0.17, 0.1 and 0.2 "
    "in the blocks for 35x35, 17x17 and 8x8, as in the released Inception-ResNet-v2.",
    "The paper has batch normalization after its traditional layers and not after the sums, and does not say whether "
    "the linear convolutions have it. Here, as in the release, they have biases instead.",
)

STUDY = Study(
    name="inception_v4",
    title="Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    authors="Szegedy, Ioffe, Vanhoucke and Alemi",
    year=2016,
    url="https://arxiv.org/abs/1602.07261",
    label="Inception-v4",
    contribution=(
        "It gives the Inception architecture a uniform, deeper form, Inception-v4.",
        "It adds residual connections, Inception-ResNet-v1 and v2, which train faster to about the same error.",
        "Scaling down the residuals keeps the training of wide networks stable.",
    ),
    pictured=("inception-v4", "inception-resnet-v2"),
    networks=(
        Network(
            "inception-v4",
            inception_v4,
            RECIPE,
            deviations=(
                *V4_DEVIATIONS,
                FIGURES_DEVIATION,
                "The released network has 7x1 and 1x7, and 3x1 and 1x3, the other way round in the stem and in the "
                "longest branches of Figures 5 and 6. Here they are as in the figures; inception-v4-released has them "
                "as released.",
            ),
            shapes=SHAPES,
            trainable_parameters=42679816,
        ),
        Network(
            "inception-v4-released",
            inception_v4_released,
            RECIPE,
            deviations=(
                *V4_DEVIATIONS,
                "Figures 3, 5 and 6 have 7x1 and 1x7, and 1x3 and 3x1, in another order in the stem and in the longest "
                "branches. Here they are as released.",
                *RELEASE_DEVIATIONS,
            ),
            shapes=SHAPES,
            trainable_parameters=42648232,
        ),
        Network(
            "inception-resnet-v1",
            inception_resnet_v1,
            RECIPE,
            deviations=(*RESIDUAL_DEVIATIONS, FIGURES_DEVIATION),
            shapes=SHAPES_V1,
            trainable_parameters=22756328,
        ),
        Network(
            "inception-resnet-v2",
            inception_resnet_v2,
            RECIPE,
            deviations=(
                *RESIDUAL_DEVIATIONS,
                FIGURES_DEVIATION,
                FIGURE_3_DEVIATION,
                "Figures 17 and 19 print 1154 and 2048 filters for the linear convolutions, which cannot be added to "
                "the 1152 and 2144 feature maps that Table 1 and Figure 18 make. Here there are 1152 and 2144.",
                "The released network has another stem and twice as many blocks. Here they are as in the figures; "
                "inception-resnet-v2-released has them as released.",
            ),
            shapes=SHAPES_V2,
            trainable_parameters=32433928,
        ),
        Network(
            "inception-resnet-v2-released",
            inception_resnet_v2_released,
            RECIPE,
            deviations=(
                *RESIDUAL_DEVIATIONS,
                *RELEASE_DEVIATIONS,
                "Figure 15 has the stem of Figure 3, and 5, 10 and 5 blocks. Here, as released, the stem is that of "
                "Figure 14 with a pooling and an Inception block in place of its last convolution, and there are 10, "
                "20 and 10 blocks, the last of which has neither a scaled residual nor ReLU, and a 1x1 convolution "
                "with 1536 filters after them.",
            ),
            shapes=SHAPES_V2_RELEASED,
            trainable_parameters=55813192,
        ),
    ),
)
