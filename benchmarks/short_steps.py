"""Time of updates called one by one relative to the time of several updates in one graph.

    python benchmarks/short_steps.py [NETWORK] [BATCH_SIZE]

Trains LeNet-5, or another network with a recipe, on random images, alternating between the two ways. Prints the median
time of an update each way, and the median ratio with its range. Then does the same with TensorFlow's graph optimizer,
which training turns off to make runs bit-exact.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from dataclasses import replace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from timing import format_ratios, seconds

import layers  # noqa: F401, registers the layers of the networks
import reproductions
from reproductions.lab.training import model as networks
from reproductions.lab.training.loop import SYNC_STEPS
from reproductions.lab.training.step import StepConfig, Steps
from reproductions.lab.training.train import enable_determinism

ROUNDS, CALLS = 9, 6
OPTIMIZED = "--optimized"


def build_steps(name: str, batch_size: int | None) -> tuple[Steps, tuple[int, ...]]:
    """Return the steps of a network's recipe, and the shape of its images."""
    network = reproductions.find_network(name)
    recipe = network.to_train()
    recipe = replace(recipe, batch_size=batch_size or recipe.batch_size)
    model = networks.build(network, recipe, 10)
    optimizer = keras.optimizers.get(dict(recipe.optimizer))
    optimizer.build(model.trainable_variables)
    return Steps(model, optimizer, recipe, StepConfig(network.outputs)), model.input_shape[1:]


def main(name: str = "lenet5", batch_size: str | None = None) -> None:
    """Print the times and their ratio."""
    keras.utils.set_random_seed(1)
    enable_determinism()
    if optimized := OPTIMIZED in sys.argv:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
    steps, shape = build_steps(name, int(batch_size) if batch_size else None)
    size = steps.recipe.batch_size
    images = np.random.default_rng(1).normal(size=(size, *shape)).astype("float32")
    batches = iter(tf.data.Dataset.from_tensors((images, np.arange(size) % 10)).repeat())

    def one_by_one() -> float:
        sums = [steps.update(next(batches)) for _ in range(SYNC_STEPS)]
        return float(keras.ops.sum(sums[-1]["loss"]))

    def together() -> float:
        sums = steps.updates(batches, tf.constant(SYNC_STEPS))
        return float(keras.ops.sum(sums["loss"]))

    one_by_one(), together()
    times = [(seconds(one_by_one, CALLS), seconds(together, CALLS)) for _ in range(ROUNDS)]
    single, several = (1000 * statistics.median(way) / CALLS / SYNC_STEPS for way in zip(*times))
    print(
        f"{name}, batch size {size}{', graph optimizer on' if optimized else ''}: {single:.2f} ms one by one, "
        f"{several:.2f} ms together, ratio {format_ratios([one / other for one, other in times])}"
    )


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != OPTIMIZED]
    main(*arguments)
    if OPTIMIZED not in sys.argv:
        subprocess.run([sys.executable, __file__, *arguments, OPTIMIZED], check=True)
