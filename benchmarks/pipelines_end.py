"""Time that an input pipeline takes to end after some use, with tf.data's autotuning and without it.

    python benchmarks/pipelines_end.py [SECONDS] [ROUNDS]

Uses a pipeline for SECONDS (default: 20), deletes it, and repeats this ROUNDS times (default: 3). With autotuning, a
background thread sleeps for longer and longer, up to a minute, and is not always woken when its pipeline ends, which
then waits for it: for up to SECONDS, and at most 60 s.

A pipeline of photographs that was alive when Python ended made it hang for ever, in 6 of 14 short runs, because reads
in progress waited for Python's lock; since `pipeline.Reads`, in 0 of 30. Runs that end by an exception which is caught,
as those of `reproduce train` do, did not hang in 24.
"""

from __future__ import annotations

import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from timing import Claim

from reproductions.lab.data.pipeline import without_autotune

CLAIM = Claim("End of a pipeline", "Time that a pipeline without autotuning takes to end after 20 s", "one with it")


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


def main(used: str = "20", rounds: str = "3") -> None:
    """Record the ratio."""
    ratios = [seconds_to_end(False, float(used)) / seconds_to_end(True, float(used)) for _ in range(int(rounds))]
    CLAIM.record(ratios)


if __name__ == "__main__":
    main(*sys.argv[1:])
