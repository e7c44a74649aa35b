"""ConvNetJS's CIFAR-10 network: Karpathy, ConvNetJS CIFAR-10 demo."""

from __future__ import annotations

import functools

import keras

from reproductions.lab.spec import Network, Recipe, Study, keras_object


def convnetjs_cifar10(classes: int = 10) -> keras.Model:
    """The demo's layer definitions: images (batch, 32, 32, 3), pixel / 255 - 0.5, to logits (batch, classes)."""
    # Weights from N(0, 1 / fan-in); biases 0.1 before a ReLU, 0 in the classifier.
    start = {
        "class_name": "VarianceScaling",
        "config": {"scale": 1.0, "mode": "fan_in", "distribution": "untruncated_normal"},
    }
    conv = functools.partial(keras.layers.Conv2D, kernel_size=5, padding="same", activation="relu")
    images = keras.Input((32, 32, 3), name="images")
    x = images
    for number, maps in enumerate([16, 20, 20], 1):
        bias = keras.initializers.Constant(0.1)
        x = conv(maps, kernel_initializer=dict(start), bias_initializer=bias, name=f"conv{number}")(x)
        x = keras.layers.MaxPooling2D(2, name=f"pool{number}")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(
        images, keras.layers.Dense(classes, kernel_initializer=dict(start), name="fc")(x), name="convnetjs-cifar10"
    )


BATCH, L2_DECAY = 4, 0.0001

RECIPE = Recipe(
    dataset="cifar10",
    train_transforms=("to_half_range", ("shift", {"pixels": 2}), "random_flip"),
    # As Zeiler 2012 has it: without a learning rate.
    optimizer=keras_object("Adadelta", rho=0.95, epsilon=1e-8),
    loss=keras_object("SparseCategoricalCrossentropy", from_logits=True),
    learning_rate=((1, 1.0),),
    batch_size=BATCH,
    epochs=50,
    splits=("train",),
    test_transforms=("to_half_range",),
    protocol="six random views",
    # The trainer divides the gradient of the decay by the batch too.
    weight_decay=L2_DECAY / BATCH,
)

DEVIATIONS = (
    "The demo trains as long as one watches; here 50 passes.",
    "The demo draws images at random from those that are loaded, more and more while it runs; here each pass takes all "
    "of them, each once.",
    "The demo keeps every tenth training image for validation; here the suite's validation part, a tenth too.",
    "ConvNetJS's Adadelta has an epsilon of 1e-8 since 2015, and had 1e-6 before; here 1e-8, with which "
    "the validation error is 35% after five passes; with 1e-6 it is 54%.",
    "The demo shifts and mirrors validation images too; here they are shown as they are.",
    "The demo tests images drawn from 1,000 of the test set; here all 10,000.",
)

STUDY = Study(
    name="convnetjs",
    title="ConvNetJS CIFAR-10 demo",
    authors="Karpathy",
    year=2014,
    url="https://cs.stanford.edu/people/karpathy/convnetjs/demo/cifar10.html",
    networks=(Network("convnetjs-cifar10", convnetjs_cifar10, RECIPE, deviations=DEVIATIONS),),
)
