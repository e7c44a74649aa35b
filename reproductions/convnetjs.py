"""ConvNetJS's CIFAR-10 network: Karpathy, ConvNetJS CIFAR-10 demo (2014)."""

from __future__ import annotations

import keras

from reproductions.lab.spec import Network, Recipe, Study, keras_object

# Weights from N(0, 1 / fan-in); biases 0.1 before a ReLU, 0 in the classifier.
INITIALIZER = keras_object("VarianceScaling", scale=1.0, mode="fan_in", distribution="untruncated_normal")

SHAPES = {"pool1": (16, 16, 16), "pool2": (8, 8, 20), "pool3": (4, 4, 20), "fc": (10,)}


def convnetjs_cifar10(classes: int = 10) -> keras.Model:
    """The demo's layer definitions: images (batch, 32, 32, 3), pixel / 255 - 0.5, to logits (batch, classes)."""
    x = images = keras.Input((32, 32, 3), name="images")
    for number, filters in enumerate([16, 20, 20], 1):
        x = keras.layers.Conv2D(
            filters, 5, padding="same", activation="relu", kernel_initializer=dict(INITIALIZER),
            bias_initializer=keras.initializers.Constant(0.1), name=f"conv{number}",
        )(x)  # fmt: skip
        x = keras.layers.MaxPooling2D(2, name=f"pool{number}")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    logits = keras.layers.Dense(classes, kernel_initializer=dict(INITIALIZER), name="fc")(x)
    return keras.Model(images, logits, name="convnetjs-cifar10")


BATCH_SIZE, L2_DECAY = 4, 0.0001

RECIPE = Recipe(
    dataset="cifar10",
    train_transforms=("to_half_range", ("shift", {"pixels": 2}), "random_flip"),
    # In itself without a learning rate, as in Zeiler 2012.
    optimizer=keras_object("Adadelta", rho=0.95, epsilon=1e-8),
    loss=keras_object("SparseCategoricalCrossentropy", from_logits=True),
    learning_rate=((1, 1.0), (51, 0.1), (56, 0.01)),
    batch_size=BATCH_SIZE,
    epochs=58,
    splits=("train",),
    test_transforms=("to_half_range",),
    protocol="six random views",
    # ConvNetJS's trainer divides the gradient of the decay by the batch size too.
    weight_decay=L2_DECAY / BATCH_SIZE,
)

DEVIATIONS = (
    "The demo trains as long as its page is open. Here training takes 58 epochs.",
    "The demo's stored network was trained on by SGD, with a learning rate of 0.0001, momentum 0.9 and batches of 2, "
    "after Adadelta: its page sets these when it loads the network. Here Adadelta's updates are multiplied by 0.1 and "
    "0.01 in the last eight epochs instead. After ten epochs of Adadelta, eight more had a validation error of 27.5% "
    "in this way and of 28.7% by that SGD.",
    "The demo draws images at random from those that are loaded, which become more while it runs. Here each epoch "
    "takes all images once.",
    "The demo keeps every tenth training image for validation. Here it is the suite's validation split, which is a "
    "tenth too.",
    "ConvNetJS's Adadelta has an epsilon of 1e-8 since 2015, and had 1e-6 before. Here it is 1e-8, with which the "
    "validation error is 35% after five epochs; with 1e-6 it is 54%.",
    "The demo shifts and mirrors validation images too. Here they are shown as they are.",
    "The demo tests images drawn from 1,000 of the test set. Here all 10,000 are tested.",
)

STUDY = Study(
    name="convnetjs",
    title="ConvNetJS CIFAR-10 demo",
    authors="Karpathy",
    year=2014,
    url="https://cs.stanford.edu/people/karpathy/convnetjs/demo/cifar10.html",
    label="ConvNetJS",
    contribution=(
        "It trains a network of three convolutional layers on CIFAR-10 in the reader's browser.",
        "The lecture uses it to show activations and weights while they change.",
        "Its page has a trained network, whose weights this suite imports and tests.",
    ),
    networks=(
        Network(
            "convnetjs-cifar10",
            convnetjs_cifar10,
            RECIPE,
            deviations=DEVIATIONS,
            shapes=SHAPES,
            trainable_parameters=22466,
        ),
    ),
)
