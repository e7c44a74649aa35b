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

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from timing import Claim, alternating
from training import build_steps

from reproductions.lab.training.loop import SYNC_STEPS
from reproductions.lab.training.train import enable_determinism

ROUNDS, CALLS = 9, 6
OPTIMIZED = "--optimized"


def main(name: str = "lenet5", batch_size: str | None = None) -> None:
    """Record the ratio."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    keras.utils.set_random_seed(1)
    enable_determinism()
    if optimized := OPTIMIZED in sys.argv:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
    steps = build_steps(name, int(batch_size) if batch_size else None)
    size = steps.recipe.batch_size
    images = np.random.default_rng(1).normal(size=(size, *steps.model.input_shape[1:])).astype("float32")
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
