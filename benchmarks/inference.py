"""Arithmetic rate of inference relative to that of matrix products.

    python benchmarks/inference.py [NETWORK ...]

Lets each network, as a test builds it, predict a batch of random images in float32, in turn with products of square
matrices, with one thread, by processor time. The arithmetic is that of the weights; whatever else a test does with a
batch counts as lost time.

GoogLeNet's lost time is normalization, whose product with the band matrix alone is 8% of its arithmetic, pooling, and
1x1 convolutions with few channels, which run at 0.6 to 0.8 of the rate. LeNet-5, at 0.1, is not listed: its
activations, its subsampling and `predict` take more time than its 0.4 million multiply-adds.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from arithmetic import PRODUCTS_BASELINE, forward_multiply_adds, products, products_multiply_adds
from timing import Claim, alternating

import layers  # noqa: F401, registers the layers of the networks
import reproductions
from reproductions.lab.evaluation.scores import crop_network

ROUNDS = 5
BATCH_SIZES = {
    "alexnet": 64,
    "zfnet": 32,
    "vgg-d": 8,
    "googlenet": 32,
    "bn-inception": 32,
    "inception-v3": 16,
    "inception-v4": 8,
    "all-cnn-c": 128,
}

WHAT = "Arithmetic rate of inference in float32"
NOTE = "Pooling and normalization do not count as arithmetic; 1x1 convolutions reach 0.6 to 0.8 of the rate."


def measure(name: str, batch_size: int) -> None:
    """Record the ratio of a network."""
    network = reproductions.find_network(name)
    model = network.model()
    tested = crop_network(model, network.outputs, 1)
    images = tf.random.stateless_normal((batch_size, 1, *model.input_shape[1:]), seed=(1, 2))
    batches = tf.data.Dataset.from_tensors(images)
    seconds = alternating(products("float32"), lambda: tested.predict(batches, verbose=0), ROUNDS)
    arithmetic = forward_multiply_adds(model, batch_size) / products_multiply_adds()
    of = {"note": NOTE, "network": name, "batch_size": batch_size}
    claim = Claim(f"Inference of {name}", WHAT, f"{PRODUCTS_BASELINE} in float32", "higher", 0.8, **of)
    claim.record([arithmetic * ratio for ratio in seconds])


def main(*names: str) -> None:
    """Record the ratios of some networks, by default of those with a batch size here."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    keras.utils.set_random_seed(1)
    for name in names or BATCH_SIZES:
        measure(name, BATCH_SIZES.get(name, 8))


if __name__ == "__main__":
    main(*sys.argv[1:])
