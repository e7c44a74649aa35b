"""Memory of VGG-D's training steps relative to what the profile of the model computes.

    python benchmarks/memory.py

Runs some updates of the recipe at batch size 8 in a new process, with one thread, and takes the most memory that it had
resident, less what it had after importing everything. The computed memory is that of the weights, their gradients and
velocities, 553 MB each, and `backward_bytes` of all layers: their outputs, 488 MB, and as much for the gradients of
these. Not all of the latter exist at a time, which leaves room for what the profile leaves out.

A step took 1.4 times the computed memory, with at most 3,470 MB of arrays. The largest were not needed yet: products of
momentum and velocities, and those of weight decay with a constant of the weights' size, computed before the backward
pass. After it, 2,600 MB are left. Still 1.2 times were resident, since Keras' SGD moves the velocities with each
update, which splits the free memory of TensorFlow's allocator; in place, they stay.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from timing import Claim
from training import build_steps, random_batch

import reproductions
from reproductions.lab.analysis import profile
from reproductions.lab.training.train import enable_determinism

NETWORK, BATCH_SIZE, UPDATES, ROUNDS = "vgg-d", 8, 4, 3
CHILD = "--child"
CLAIM = Claim(
    "Memory of vgg-d's steps",
    f"Resident memory of {NETWORK}'s training steps, batch size {BATCH_SIZE}",
    "outputs and their gradients, weights, gradients and velocities by the model's profile",
    aim=1.1,
)


def computed_bytes() -> int:
    """Return the memory of a step that the profile of the model gives."""
    with profile.without_weights():
        layers = profile.profile_model(reproductions.find_network(NETWORK).model())
    outputs = BATCH_SIZE * profile.total(layers, "backward_bytes")
    return outputs + 3 * profile.FLOAT32_BYTES * profile.total(layers, "trainable")


def resident_bytes(name: str) -> int:
    """Return "VmRSS" or "VmHWM", the memory that this process has resident, or the most that it had."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith(name)))


def measured_bytes() -> int:
    """Return the most memory that updates take in this process."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    keras.utils.set_random_seed(1)
    enable_determinism()
    float(tf.zeros(()))  # TensorFlow begins
    before = resident_bytes("VmRSS")
    steps = build_steps(NETWORK, BATCH_SIZE, classes=None)
    batch = random_batch(steps)
    for _ in range(UPDATES):
        float(steps.update(batch)["loss"])
    return resident_bytes("VmHWM") - before


def main() -> None:
    """Record the ratio."""
    command = [sys.executable, __file__, CHILD]
    found = [int(subprocess.check_output(command).split()[-1]) for _ in range(ROUNDS)]
    CLAIM.record([measured / computed_bytes() for measured in found])


if __name__ == "__main__":
    if CHILD in sys.argv:
        print(measured_bytes())
    else:
        main()
