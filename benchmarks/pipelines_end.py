"""Time that an input pipeline takes to end after some use, with tf.data's autotuning and without it.

    python benchmarks/pipelines_end.py [SECONDS] [ROUNDS]

Uses a pipeline for SECONDS (default: 50), deletes it, and repeats this ROUNDS times (default: 5). With autotuning, a
background thread sleeps for longer and longer, up to a minute, and is not always woken when its pipeline ends, which
then waits for it. The first time can therefore be close to SECONDS, and at most 60 s.
"""

from __future__ import annotations

import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from reproductions.lab.data.pipeline import without_autotune


def seconds_to_end(autotune: bool, used: float) -> float:
    """Return the time that a pipeline takes to end after `used` seconds of use."""
    examples = tf.data.Dataset.range(10**9).map(lambda i: 2 * i, num_parallel_calls=tf.data.AUTOTUNE)
    examples = examples.batch(32).prefetch(tf.data.AUTOTUNE)
    batches, start = iter(examples if autotune else without_autotune(examples)), time.perf_counter()
    while time.perf_counter() - start < used:
        next(batches)
        time.sleep(0.01)
    start = time.perf_counter()
    del batches
    return time.perf_counter() - start


def main(used: str = "50", rounds: str = "5") -> None:
    """Print both times of each round."""
    for _ in range(int(rounds)):
        autotuned, fixed = (seconds_to_end(autotune, float(used)) for autotune in (True, False))
        print(f"with autotuning {autotuned:.3f} s, without {fixed:.3f} s", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
