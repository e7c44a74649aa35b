"""A single layer, eight made-up images and a recipe: small enough to compute updates by hand."""

from __future__ import annotations

import keras
import numpy as np

from reproductions.lab.spec import Recipe, keras_object

RECIPE = Recipe(
    dataset="made-up",
    train_transforms=(),
    optimizer=keras_object("SGD", learning_rate=0.1, momentum=0.9),
    loss=keras_object("SparseCategoricalCrossentropy", from_logits=True),
    learning_rate=((1, 0.1),),
    batch_size=8,
    epochs=1,
)
RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.normal(size=(8, 5)).astype("float32"), RNG.integers(0, 3, 8)


def linear(dropout: float = 0.0) -> keras.Model:
    images = keras.Input((5,))
    x = keras.layers.Dropout(dropout, seed=7)(images) if dropout else images
    return keras.Model(images, keras.layers.Dense(3, kernel_initializer=keras.initializers.GlorotUniform(seed=3))(x))
