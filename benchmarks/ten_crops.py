"""Time of ten-crop, 144-crop and dense tests relative to the time that their arithmetic predicts from a centre crop.

    python benchmarks/ten_crops.py

Evaluates a small network on synthetic JPEG photographs of 375 x 500 pixels, alternating between the protocols, and
compares the processor time of one more image; the fixed cost of a test is left out.
Ten crops take ten times the arithmetic of one, and 144 crops 144 times, but the photograph is read and decoded once.
The arithmetic of the dense test, with mirror images, is in proportion to the area of the resized photograph.
"""

from __future__ import annotations

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from timing import Claim

from reproductions.lab.data.transforms.registry import TransformContext
from reproductions.lab.evaluation.crops import Preprocessing
from reproductions.lab.evaluation.scores import class_scores
from reproductions.lab.spec.protocols import PROTOCOLS

ROUNDS, IMAGES, FEW, SIZE = 5, 300, 40, 112
FEWER_IMAGES = {"144 crops": (60, 20)}
HEIGHT, WIDTH = 375, 500


class Photographs:
    """Encoded images in memory."""

    coarse = np.random.default_rng(1).integers(0, 256, (20, HEIGHT // 25, WIDTH // 25, 3))
    files = tuple(tf.io.encode_jpeg(np.kron(one, np.ones((25, 25, 1))).astype(np.uint8)).numpy() for one in coarse)

    def __init__(self, images: int) -> None:
        self.labels = np.zeros(images, np.int64)

    def read(self, index: int) -> bytes:
        """Return an encoded image."""
        return self.files[index % len(self.files)]

    def joined(self, other: Photographs) -> Photographs:
        """Raise NotImplementedError: a test does not join data."""
        raise NotImplementedError


def build() -> keras.Model:
    """Return a network of five convolutions and two fully connected layers."""
    images = x = keras.Input((SIZE, SIZE, 3))
    for filters in 16, 32, 64, 64, 64:
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Dense(64, activation="relu")(keras.layers.Flatten()(x))
    return keras.Model(images, keras.layers.Dense(20)(x))


def processor_seconds(model: keras.Model, protocol: str, images: int) -> float:
    """Return the processor time of a test in seconds."""
    start = time.process_time()
    preprocessing = Preprocessing(PROTOCOLS[protocol], (), TransformContext(SIZE))
    class_scores(model, "logits", Photographs(images), preprocessing)
    return time.process_time() - start


def seconds_per_image(model: keras.Model, protocol: str) -> float:
    """Return the processor time of one more image in seconds."""
    images, few = FEWER_IMAGES.get(protocol, (IMAGES, FEW))
    return (processor_seconds(model, protocol, images) - processor_seconds(model, protocol, few)) / (images - few)


def main() -> None:
    """Record the ratios."""
    model = build()
    side = PROTOCOLS["dense at 256"].short_sides_for(SIZE)[0]
    predicted = {"ten crops": 10, "144 crops": 144, "dense at 256": 2 * side * round(side * WIDTH / HEIGHT) / SIZE**2}
    ratios: dict[str, list[float]] = {protocol: [] for protocol in predicted}
    for _ in range(ROUNDS):
        one = seconds_per_image(model, "centre crop")
        for protocol, factor in predicted.items():
            ratios[protocol].append(seconds_per_image(model, protocol) / (factor * one))
    for protocol, found in ratios.items():
        what = f"Processor time of an image tested by the protocol {protocol}"
        Claim(f"Test by {protocol}", what, f"{predicted[protocol]:.3g} centre crops", aim=1.15).record(found)


if __name__ == "__main__":
    main()
