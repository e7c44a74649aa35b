"""How long the end of a pipeline takes after so many seconds of use, tuned by tf.data's thread and without it.

    python benchmarks/pipelines_end.py [SECONDS] [TIMES]

The thread sleeps ever longer, up to a minute, and is not always woken when its pipeline ends, which waits for it: then
the times of the first column come near to those of use, up to 60 s.
"""

import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from reproductions.lab.data.pipeline import without_autotune


def seconds_to_end(tuned: bool, used: float) -> float:
    examples = tf.data.Dataset.range(10**9).map(lambda i: 2 * i, num_parallel_calls=tf.data.AUTOTUNE)
    examples = examples.batch(32).prefetch(tf.data.AUTOTUNE)
    batches, began = iter(examples if tuned else without_autotune(examples)), time.perf_counter()
    while time.perf_counter() - began < used:
        next(batches)
        time.sleep(0.01)
    began = time.perf_counter()
    del batches
    return time.perf_counter() - began


if __name__ == "__main__":
    used = float(sys.argv[1]) if len(sys.argv) > 1 else 50.0
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    for _ in range(times):
        print(f"tuned {seconds_to_end(True, used):.3f} s, as here {seconds_to_end(False, used):.3f} s", flush=True)
