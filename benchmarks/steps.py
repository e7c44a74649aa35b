"""Arithmetic rate of training steps relative to that of matrix products, and speed in bfloat16.

    python benchmarks/steps.py [NETWORK ...]

Runs the steps of each network's recipe, weight decay and running averages included, on random images in float32 and
in bfloat16, in turn with products of square matrices in both, with one thread, by processor time. The batch size is
that of the recipe, or less. The arithmetic is that of the weights; whatever else a step does counts as lost time.

What keeps float32 below 0.9, in a step's time: gradients of kernels, which oneDNN computes at 0.6 to 0.85 of the
product's rate, and everything else at 1.0 to 1.1 (all networks); local response normalization, 12% of AlexNet's step,
half of it the product with the band matrix; max pooling, 4%, and 1x1 convolutions with few channels, at 0.5 to 0.8 of
the rate (GoogLeNet). In bfloat16: gradients of kernels, at 0.55 to 0.8; normalization in float32, 20% of AlexNet.

Helped: fused batch normalization (Inception-v3 0.95 of the time), 1x1 convolutions as products in float32 (GoogLeNet
0.93, Inception-v3 0.97; nothing in bfloat16), momentum in one kernel (AlexNet 0.95 with 16 images, 0.99 with 128). Did
not: AlexNet's conv1 as a 3x3 convolution of 4x4 blocks; gradients of 3x3 kernels as products of patches, or of shifted
copies (0.4 to 0.8 of the rate); normalization's products in bfloat16, which save 2%.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from arithmetic import PRODUCTS_BASELINE, products, products_multiply_adds, step_multiply_adds
from timing import Claim, processor_seconds
from training import build_steps, random_batch

from reproductions.lab.training.train import enable_determinism

ROUNDS = 5
BATCH_SIZES = {"alexnet": 128, "vgg-d": 8, "googlenet": 32, "inception-v3": 16, "all-cnn-c": 32}
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
AIMS = {"float32": 0.9, "bfloat16": 0.8}
RATE = "Arithmetic rate of training steps in {}"
SPEED_UP = "Speed-up of training steps by bfloat16"

GRADIENTS = (
    "oneDNN's gradients of kernels reach 0.6 to 0.85 of the rate of products in float32, 0.53 to 0.9 in bfloat16"
)
NOTES = {
    "alexnet": f"{GRADIENTS}; local response normalization takes 12% of a step in float32, and 20% in bfloat16.",
    "googlenet": f"{GRADIENTS}, those of its 1x1 convolutions less; max pooling takes 4% of a step.",
}


class Update:
    """An update of a network's training."""

    def __init__(self, name: str, batch_size: int, policy: str) -> None:
        self.steps = build_steps(name, batch_size, None, policy)
        self.batch = random_batch(self.steps)
        self.multiply_adds = step_multiply_adds(self.steps.model, batch_size)
        self(), self()

    def __call__(self) -> float:
        """Return the loss, which is not ready before the update is."""
        return float(self.steps.update(self.batch)["loss"])


def measure(name: str, batch_size: int) -> None:
    """Record the ratios of a network."""
    updates = {dtype: Update(name, batch_size, policy) for dtype, policy in POLICIES.items()}
    compared = {dtype: products(dtype) for dtype in POLICIES}
    shares: dict[str, list[float]] = {dtype: [] for dtype in POLICIES}
    faster = []
    for _ in range(ROUNDS):
        seconds = {}
        for dtype, update in updates.items():
            rate = products_multiply_adds() / processor_seconds(compared[dtype])
            seconds[dtype] = processor_seconds(update)
            shares[dtype].append(update.multiply_adds / seconds[dtype] / rate)
        faster.append(seconds["float32"] / seconds["bfloat16"])
    of = {"note": NOTES.get(name, f"{GRADIENTS}."), "network": name, "batch_size": batch_size}
    for dtype, found in shares.items():
        what, baseline = RATE.format(dtype), f"{PRODUCTS_BASELINE} in {dtype}"
        Claim(f"Steps of {name}, {dtype}", what, baseline, "higher", AIMS[dtype], **of).record(found)
    Claim(f"Steps of {name}, bfloat16 to float32", SPEED_UP, "float32", "higher", 1.8, **of).record(faster)


def main(*names: str) -> None:
    """Record the ratios of some networks, by default of those with a batch size here."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    keras.utils.set_random_seed(1)
    enable_determinism()
    for name in names or BATCH_SIZES:
        measure(name, BATCH_SIZES.get(name, 8))


if __name__ == "__main__":
    main(*sys.argv[1:])
