"""Time of updates called one by one relative to the time of several updates in one graph.

    python benchmarks/short_steps.py [NETWORK] [BATCH_SIZE]

Trains LeNet-5, or another network with a recipe, on random images, alternating between the two ways, with one thread,
by processor time.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from timing import Claim, alternating
from training import build_steps, random_batches

from reproductions.lab.training.loop import SYNC_STEPS
from reproductions.lab.training.train import enable_determinism

ROUNDS, CALLS = 9, 6


def main(name: str = "lenet5", batch_size: str | None = None) -> None:
    """Record the ratio."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    keras.utils.set_random_seed(1)
    enable_determinism()
    steps = build_steps(name, int(batch_size) if batch_size else None)
    size = steps.recipe.batch_size
    batches = iter(random_batches(steps))

    def one_by_one() -> float:
        sums = [steps.update(next(batches)) for _ in range(SYNC_STEPS)]
        return float(keras.ops.sum(sums[-1]["loss"]))

    def together() -> float:
        sums = steps.updates(batches, tf.constant(SYNC_STEPS))
        return float(keras.ops.sum(sums["loss"]))

    what = f"Processor time of {name}'s updates, {SYNC_STEPS} in one graph, batch size {size}"
    Claim(f"Short steps of {name}", what, "called one by one").record(alternating(together, one_by_one, ROUNDS, CALLS))


if __name__ == "__main__":
    main(*sys.argv[1:])
