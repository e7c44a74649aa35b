"""Small networks, and images in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import keras
import numpy as np
import tensorflow as tf

from reproductions.lab.data.base import Dataset, Images
from reproductions.lab.data.transforms.registry import TransformContext
from reproductions.lab.evaluation import scores as scoring
from reproductions.lab.evaluation.crops import Preprocessing, crop_function
from reproductions.lab.spec import Network, Recipe, Transform, keras_object
from reproductions.lab.spec.protocols import find

# Heights and widths of images, several of each.
SIZES = [(40, 60), (60, 40), (33, 33), (40, 60), (50, 60), (40, 60), (60, 40), (35, 80)]


@dataclass
class Photographs:
    """Encoded images in memory, as a split of a data set.

    Attributes:
        pixels: Images (height, width, 3), uint8.
        reads: Indices of the images that were read.
        break_after: Number of reads after which reading fails.
    """

    pixels: Sequence[np.ndarray]
    labels: np.ndarray
    blacklisted: np.ndarray
    filenames: np.ndarray
    reads: list[int] = field(default_factory=list)
    break_after: int | None = None

    def read(self, index: int) -> bytes:
        if self.break_after is not None and len(self.reads) >= self.break_after:
            raise OSError("the disk is gone")
        self.reads.append(int(index))
        return tf.io.encode_png(self.pixels[int(index)]).numpy()

    def concatenate(self, other: Photographs) -> Photographs:
        raise NotImplementedError


def ramp(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Return an image whose pixels all differ: rows, columns and noise, (height, width, 3) uint8."""
    rows, columns = np.mgrid[:height, :width]
    noise = np.random.default_rng(seed).integers(0, 256, (height, width))
    return np.stack([rows * 255 // height, columns * 255 // width, noise], axis=-1).astype(np.uint8)


def tinted(image: np.ndarray, seed: int) -> np.ndarray:
    """Return the image in colours of its own, so that a network distinguishes it from others."""
    return (image * np.random.default_rng(seed).random(3) ** 2).astype(np.uint8)


def photographs(sizes: Sequence[tuple[int, int]] = SIZES, classes: int = 12) -> Photographs:
    """Return photographs of these sizes, every fourth of them blacklisted."""
    count = len(sizes)
    return Photographs(
        [tinted(ramp(*size, seed), seed) for seed, size in enumerate(sizes)],
        np.arange(count) % classes,
        np.arange(count) % 4 == 1,
        np.array([f"val_{i:03d}.JPEG" for i in range(count)]),
    )


def classifier(size: int = 28, classes: int = 12, padding: str = "same", seed: int = 1) -> keras.Model:
    """Return two stages and two fully connected layers, like VGG's, with weights that make the classes differ."""
    images = x = keras.Input((size, size, 3), name="images")
    for stage in 1, 2:
        x = keras.layers.Conv2D(6, 3, padding=padding, activation="relu", name=f"conv{stage}")(x)
        x = keras.layers.MaxPooling2D(2, name=f"pool{stage}")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(10, activation="relu", name="fc6")(x)
    x = keras.layers.Dropout(0.5, name="drop6")(x)
    model = keras.Model(images, keras.layers.Dense(classes, name="fc7")(x), name="classifier")
    random = np.random.default_rng(seed)
    scale = [0.005] + [0.3] * (len(model.weights) - 1)
    model.set_weights([random.normal(0, s, w.shape).astype("float32") for s, w in zip(scale, model.get_weights())])
    return model


def recipe(**changes: object) -> Recipe:
    """Return a recipe with ten crops, except for some fields."""
    fields = dict(
        dataset="photographs",
        train_transforms=(),
        optimizer=keras_object("SGD"),
        loss=keras_object("SparseCategoricalCrossentropy"),
        learning_rate=((1, 0.1),),
        batch_size=4,
        epochs=1,
        protocol="ten crops",
    )
    return Recipe(**{**fields, **changes})  # type: ignore[arg-type]


def network(**changes: object) -> Network:
    """Return the specification of the classifier."""
    return Network("classifier", classifier, recipe(**changes))


def dataset(test: Images, name: str = "photographs", sha256: str = "0" * 64) -> Dataset:
    """Return a data set whose splits are all the same."""
    return Dataset(name, "a test", "memory", sha256, test, test, test)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the softmax over the last axis, by numpy."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def preprocessing(protocol: str, size: int, *transforms: Transform) -> Preprocessing:
    """Return the preprocessing of a test by a protocol, for a network with this input size."""
    return Preprocessing(find(protocol), transforms, TransformContext(size))


def crops_of(stored: bytes | np.ndarray, protocol: str, *transforms: Transform, size: int = 28) -> np.ndarray:
    """Return the crops of a stored image by a protocol, (crops, height, width, channels)."""
    function = crop_function(preprocessing(protocol, size, *transforms))
    return function(tf.constant(stored), tf.constant(0, tf.int64)).numpy()


def scores(model: keras.Model, images: Images, protocol: str) -> np.ndarray:
    """Return the scores of a network of logits by a protocol."""
    return scoring.class_scores(model, "logits", images, preprocessing(protocol, model.input_shape[1]))
