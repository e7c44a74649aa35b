"""Time of updates called one by one relative to the time of several updates in one graph.

    python benchmarks/short_steps.py [NETWORK] [BATCH_SIZE]

Trains LeNet-5, or another network with a recipe, on random images, alternating between the two ways, with one thread,
by processor time. Then does the same with TensorFlow's graph optimizer, which training turns off to make runs
bit-exact.

Turning the optimizer's passes on one by one is not worth it: with one thread, all but the one that reorders sums save 0
to 7% of LeNet-5's time, and all of them -4 to 14%, and they change the last bits of convnetjs-cifar10.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from timing import Claim, alternating

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
    """Record the ratio."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
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

    suffix = ", graph optimizer on" if optimized else ""
    what = f"Processor time of {name}'s updates, {SYNC_STEPS} in one graph, batch size {size}{suffix}"
    Claim(f"Short steps of {name}{suffix}", what, "called one by one").record(
        alternating(together, one_by_one, ROUNDS, CALLS)
    )


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != OPTIMIZED]
    main(*arguments)
    if OPTIMIZED not in sys.argv:
        subprocess.run([sys.executable, __file__, *arguments, OPTIMIZED], check=True)
