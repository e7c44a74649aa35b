"""How the time of a training step grows with the batch size, the size of the images, and the number of replicas.

    python benchmarks/step_growth.py

Processor time of an image in GoogLeNet's steps, in one process and with one thread; and of an image in LeNet-5's steps
on mirrored logical CPUs, where one batch of 32 images is divided, in a process for each number of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from timing import alternating, processor_seconds, record_curve
from training import build_steps, random_batch, random_batches

from reproductions.lab.training.loop import SYNC_STEPS
from reproductions.lab.training.train import enable_determinism

ROUNDS = 5
BATCH_SIZES = (1, 2, 4, 8, 16)
SIDES = (112, 168, 224, 336)
REPLICAS = (1, 2, 4)
PROCESS_CALLS = 10


def googlenet_step(size: int, side: int) -> Callable[[], float]:
    """Return an update of GoogLeNet on a batch of `size` images of `side` pixels."""
    steps = build_steps("googlenet", size, input_size=side)
    batch = random_batch(steps)
    return lambda: float(keras.ops.sum(steps.update(batch)["loss"]))


def grow_batches() -> None:
    """Record the time of an image along the batch size."""
    first = googlenet_step(BATCH_SIZES[0], 224)
    ratios = {}
    for size in BATCH_SIZES[1:]:
        found = alternating(googlenet_step(size, 224), first, ROUNDS)
        ratios[size] = [ratio / size for ratio in found]
    record_curve("Processor time of an image in GoogLeNet's steps", "batch size", BATCH_SIZES[0], ratios)


def grow_images() -> None:
    """Record the time of an image along its size."""
    first = googlenet_step(4, SIDES[0])
    ratios = {side: alternating(googlenet_step(4, side), first, ROUNDS) for side in SIDES[1:]}
    record_curve("Processor time of GoogLeNet's steps with 4 images", "pixels a side", SIDES[0], ratios)


def replicated_seconds(replicas: int) -> float:
    """Return the processor time of LeNet-5's steps on some mirrored logical CPUs."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * replicas)
    enable_determinism()
    names = [device.name for device in tf.config.list_logical_devices("CPU")]
    strategy = tf.distribute.MirroredStrategy(names) if replicas > 1 else tf.distribute.get_strategy()
    with strategy.scope():
        steps = build_steps("lenet5")
    batches = iter(strategy.experimental_distribute_dataset(random_batches(steps)))

    def updates() -> float:
        return float(keras.ops.sum(steps.updates(batches, tf.constant(SYNC_STEPS))["loss"]))

    updates()
    return processor_seconds(updates, PROCESS_CALLS)


def grow_replicas() -> None:
    """Record the time of a step along the number of replicas."""
    ratios: dict[int, list[float]] = {replicas: [] for replicas in REPLICAS[1:]}
    for _ in range(ROUNDS):
        seconds = {}
        for replicas in REPLICAS:
            command = [sys.executable, __file__, str(replicas)]
            seconds[replicas] = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for replicas, found in ratios.items():
            found.append(seconds[replicas] / seconds[REPLICAS[0]])
    what = "Processor time of LeNet-5's steps with 32 images in all"
    record_curve(what, "replicas on one CPU", REPLICAS[0], ratios)


def main() -> None:
    """Record the curves."""
    keras.utils.set_random_seed(1)
    grow_replicas()
    grow_batches()
    grow_images()


if __name__ == "__main__":
    tf.config.threading.set_intra_op_parallelism_threads(1)
    if len(sys.argv) > 1:
        print(replicated_seconds(int(sys.argv[1])))
    else:
        main()
