"""Updates called together, in one graph, against updates called one by one: the ratio of their times.

    python benchmarks/short_steps.py [NETWORK] [BATCH]

LeNet-5 (or another network with a recipe, by name) on random images, the two ways taking turns; prints the median time
of an update each way, and the median ratio with its range. Then the same with TensorFlow's graph optimizer, which
training turns off so that runs repeat to the bit.
"""

import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

import layers  # noqa: F401, which registers what networks are made of
import reproductions
from reproductions.lab.training import model as networks
from reproductions.lab.training.loop import LOOK
from reproductions.lab.training.step import Steps
from reproductions.lab.training.train import repeat_exactly

ROUNDS, CALLS = 9, 6
OPTIMIZED = "--optimized"


def steps_of(name: str, batch: int | None) -> tuple[Steps, tuple[int, ...]]:
    """The steps of a network's recipe, and the shape of its images."""
    network = reproductions.find_network(name)
    recipe = replace(network.to_train(), batch_size=batch or network.to_train().batch_size)
    model = networks.build(network, recipe, 10)
    optimizer = keras.optimizers.get(dict(recipe.optimizer))
    optimizer.build(model.trainable_variables)
    return Steps(model, optimizer, recipe, network.outputs, tf.distribute.get_strategy()), model.input_shape[1:]


def seconds(call) -> float:
    """Of an update, `call` being one or more of them that add up to LOOK."""
    began = time.perf_counter()
    for _ in range(CALLS):
        told = call()
    float(keras.ops.sum(told["loss"]))
    return (time.perf_counter() - began) / CALLS / LOOK


def main(name: str = "lenet5", batch: str | None = None) -> None:
    keras.utils.set_random_seed(1)
    repeat_exactly()
    if optimized := OPTIMIZED in sys.argv:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
    steps, shape = steps_of(name, int(batch) if batch else None)
    size = steps.recipe.batch_size
    images = np.random.default_rng(1).normal(size=(size, *shape)).astype("float32")
    batches = iter(tf.data.Dataset.from_tensors((images, np.arange(size) % 10)).repeat())

    def one_by_one() -> dict:
        return [steps.update(next(batches)) for _ in range(LOOK)][-1]

    def together() -> dict:
        return steps.updates(batches, tf.constant(LOOK))

    one_by_one(), together()
    times = [(seconds(one_by_one), seconds(together)) for _ in range(ROUNDS)]
    single, several = (1000 * statistics.median(way) for way in zip(*times))
    ratios = sorted(alone / shared for alone, shared in times)
    print(
        f"{name}, batch {size}{', graph optimizer on' if optimized else ''}: {single:.2f} ms one by one, "
        f"{several:.2f} ms together, ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    )


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != OPTIMIZED]
    main(*words)
    if OPTIMIZED not in sys.argv:
        subprocess.run([sys.executable, __file__, *words, OPTIMIZED], check=True)
