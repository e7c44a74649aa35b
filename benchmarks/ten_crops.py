"""Ten crops, and a dense test, against the centre crop: the cost of a test as a ratio to what its arithmetic says.

    python benchmarks/ten_crops.py

A small network on made-up photographs of 375 x 500 pixels, as JPEGs, taking turns; prints median ratios of the
processor time that another image takes, without what a test takes before its first image.
Ten crops are ten times the arithmetic of one; they share the reading and decoding of the picture. The dense test of
one picture at its crops' scale, with its mirror image, is held against the share of the crops' area that it covers.
"""

import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from reproductions.lab.data.transforms.registry import TransformContext
from reproductions.lab.evaluation.scores import class_scores
from reproductions.lab.spec.protocols import PROTOCOLS

ROUNDS, IMAGES, FEW, SIZE = 5, 300, 40, 112
HEIGHT, WIDTH = 375, 500


class Photographs:
    """Encoded pictures in memory."""

    coarse = np.random.default_rng(1).integers(0, 256, (20, HEIGHT // 25, WIDTH // 25, 3))
    files = tuple(tf.io.encode_jpeg(np.kron(one, np.ones((25, 25, 1))).astype(np.uint8)).numpy() for one in coarse)

    def __init__(self, images: int) -> None:
        self.labels = np.zeros(images, np.int64)

    def read(self, index: int) -> bytes:
        return self.files[index % len(self.files)]

    def concatenate(self, other: "Photographs") -> "Photographs":
        raise NotImplementedError


def network() -> keras.Model:
    """Five convolutions and two fully connected layers."""
    images = x = keras.Input((SIZE, SIZE, 3))
    for maps in 16, 32, 64, 64, 64:
        x = keras.layers.Conv2D(maps, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Dense(64, activation="relu")(keras.layers.Flatten()(x))
    return keras.Model(images, keras.layers.Dense(20)(x))


def seconds(model: keras.Model, name: str, images: int) -> float:
    began = time.process_time()
    class_scores(model, "logits", Photographs(images), PROTOCOLS[name], (), TransformContext(SIZE))
    return time.process_time() - began


def an_image(model: keras.Model, name: str) -> float:
    return (seconds(model, name, IMAGES) - seconds(model, name, FEW)) / (IMAGES - FEW)


def main() -> None:
    model = network()
    side = PROTOCOLS["dense at 256"].sides(SIZE)[0]
    arithmetic = {"ten crops": 10, "dense at 256": 2 * side * round(side * WIDTH / HEIGHT) / SIZE**2}
    ratios: dict[str, list[float]] = {name: [] for name in arithmetic}
    for _ in range(ROUNDS):
        one = an_image(model, "centre crop")
        for name, times in arithmetic.items():
            ratios[name].append(an_image(model, name) / (times * one))
    for name, found in ratios.items():
        print(
            f"{name} / {arithmetic[name]:.1f} times the centre crop: "
            f"{statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f})"
        )


if __name__ == "__main__":
    main()
