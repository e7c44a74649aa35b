"""Training time with single passes of TensorFlow's graph optimizer on, relative to that with it off, as in training.

    python benchmarks/graph_optimizer.py [NETWORK]

Trains LeNet-5, or another network with a recipe, on random images, in a process for each pass, with one thread and
several updates in one graph, by processor time. Also prints whether the weights after these updates are those without
the pass. Turning the optimizer off turns off all passes, among them the one that reorders sums. Of the others none is
worth the risk for LeNet-5: with one thread each takes 0.87 to 1.05 of the time without it, within what one repetition
differs from another. Its weights are the same to the last bit with each of them.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from timing import Claim, format_ratios, processor_seconds
from training import build_steps, random_batches

from reproductions.lab.training.loop import SYNC_STEPS
from reproductions.lab.training.train import enable_determinism

ROUNDS, CALLS = 5, 40
PASSES = (
    "constant_folding", "arithmetic_optimization", "remapping", "layout_optimizer", "dependency_optimization",
    "loop_optimization", "function_optimization", "shape_optimization", "implementation_selector",
)  # fmt: skip
OFF, ALL = "off", "but the one that reorders sums"


def enable(passes: str) -> None:
    """Turn some passes on, and all others off."""
    enable_determinism()
    if passes == OFF:
        return
    chosen = PASSES if passes == ALL else (passes,)
    options = {name: name in chosen for name in PASSES}
    tf.config.optimizer.set_experimental_options(
        {**options, "disable_meta_optimizer": False, "disable_model_pruning": passes != ALL, "memory_optimizer": False}
    )


def measure(network: str, passes: str) -> None:
    """Print the processor time of some updates, and a checksum of the weights after them."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    keras.utils.set_random_seed(1)
    enable(passes)
    steps = build_steps(network)
    batches = iter(random_batches(steps))

    def update() -> float:
        return float(keras.ops.sum(steps.updates(batches, tf.constant(SYNC_STEPS))["loss"]))

    update()
    seconds = processor_seconds(update, CALLS)
    digest = hashlib.sha256(b"".join(weight.numpy().tobytes() for weight in steps.model.weights)).hexdigest()
    print(seconds, digest)


def main(network: str = "lenet5") -> None:
    """Record the ratios."""
    found: dict[str, list[tuple[float, str]]] = {passes: [] for passes in (OFF, ALL, *PASSES)}
    for _ in range(ROUNDS):
        for passes, results in found.items():
            command = [sys.executable, __file__, network, passes]
            seconds, digest = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            results.append((float(seconds), digest))
    for passes in (ALL, *PASSES):
        ratios = [with_pass[0] / without[0] for with_pass, without in zip(found[passes], found[OFF])]
        bits = {digest for _, digest in found[passes]}
        equal = "equal to" if bits == {found[OFF][0][1]} else "not those"
        print(f"{passes}: {format_ratios(ratios)}, {len(bits)} different results of {ROUNDS}, {equal} without it")
        if passes == ALL:
            what = f"Processor time of {network}'s updates with all passes of the graph optimizer {ALL}"
            Claim(f"Graph optimizer of {network}", what, "without the optimizer").record(ratios)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        measure(*sys.argv[1:])
    else:
        main(*sys.argv[1:])
