"""Updates on two replicas and on one, printed as JSON; test_replicas.py runs this in a separate process."""

import json
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from reproductions.lab.spec import keras_object
from reproductions.lab.training.momentum import create_optimizer
from reproductions.lab.training.step import StepConfig, Steps, decay_weights, per_replica_seeds
from tests.helpers.linear import IMAGES, LABELS, RECIPE, linear


def weights(devices: list[str], **changes: object) -> tuple[list[list[float]], dict[str, float]]:
    """Return the kernel after four updates, and the sums of the last one."""
    strategy = tf.distribute.MirroredStrategy(devices) if len(devices) > 1 else tf.distribute.get_strategy()
    recipe = replace(RECIPE, **changes)
    with strategy.scope():
        images = keras.Input((5,))
        limit = keras.constraints.MaxNorm(0.8, axis=0)
        start = keras.initializers.GlorotUniform(seed=3)
        model = keras.Model(images, keras.layers.Dense(3, kernel_initializer=start, kernel_constraint=limit)(images))
        decay_weights(model, recipe.weight_decay)
        optimizer = create_optimizer(recipe.optimizer)
        optimizer.build(model.trainable_variables)
    steps = Steps(model, optimizer, recipe, StepConfig(strategy=strategy))
    share = 8 // len(devices)

    def data(context):
        return tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(share, drop_remainder=True).repeat()

    batches = iter(strategy.distribute_datasets_from_function(data))
    for _ in range(4):
        sums = steps.update(next(batches))
    return model.get_weights()[0].tolist(), {k: float(v) for k, v in sums.items()}


def masks() -> list[list[list[float]]]:
    """Return the dropout mask of each replica."""
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        model = linear(dropout=0.5)
    per_replica_seeds(model, strategy)
    drop = model.layers[1]
    ones = strategy.run(tf.function(lambda: drop(tf.ones((4, 5)), training=True)))
    return [value.numpy().tolist() for value in strategy.experimental_local_results(ones)]


def overflow_on_the_second() -> tuple[bool, float]:
    """Return whether an overflow on the second replica leaves the weights, and the loss scale after it."""
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        model = linear()
        optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
        optimizer.build(model.trainable_variables)
    steps = Steps(model, optimizer, RECIPE, StepConfig(strategy=strategy))
    overflowing = IMAGES.copy()
    overflowing[4:] = np.inf

    def data(context):
        return tf.data.Dataset.from_tensor_slices((overflowing, LABELS)).batch(4, drop_remainder=True)

    before = model.get_weights()[0]
    steps.update(next(iter(strategy.distribute_datasets_from_function(data))))
    return bool((model.get_weights()[0] == before).all()), float(optimizer.dynamic_scale.numpy())


def averaged_moments() -> tuple[list[float], list[float]]:
    """Return the moving mean after training on two replicas with averages, and the same by a plain loop."""
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    recipe = replace(
        RECIPE, optimizer=keras_object("SGD", learning_rate=0.1, use_ema=True, ema_momentum=0.5), global_clipnorm=0.2
    )
    with strategy.scope():
        images = keras.Input((5,))
        # Without gamma and beta: all strategies of a process must reduce gradients of the same number of weights.
        normalization = keras.layers.BatchNormalization(momentum=0.5, center=False, scale=False)
        model = keras.Model(images, keras.layers.Dense(3)(normalization(images)))
        optimizer = create_optimizer(recipe.optimizer)
        optimizer.build(model.trainable_variables)
        steps = Steps(model, optimizer, recipe, StepConfig(strategy=strategy))

    def data(context):
        return tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(4, drop_remainder=True).repeat()

    batches = iter(strategy.distribute_datasets_from_function(data))
    expected = None
    for _ in range(3):
        steps.update(next(batches))
        mean = normalization.get_weights()[0].astype(float)  # of the first replica
        expected = mean if expected is None else 0.5 * expected + 0.5 * mean
    with strategy.scope():
        steps.finalize_variables()
    return normalization.get_weights()[0].tolist(), expected.tolist()


def main() -> None:
    """Print everything that test_replicas.py checks."""
    changes = dict(
        weight_decay=0.1, global_clipnorm=0.2, optimizer=keras_object("SGD", learning_rate=0.5, momentum=0.9)
    )
    averaged = keras_object("RMSprop", learning_rate=0.05, epsilon=1.0, use_ema=True)
    found = {
        "one": weights(["CPU:0"], **changes),
        "two": weights(["CPU:0", "CPU:1"], **changes),
        "one averaged": weights(["CPU:0"], optimizer=averaged),
        "two averaged": weights(["CPU:0", "CPU:1"], optimizer=averaged),
        "masks": masks(),
        "overflow": overflow_on_the_second(),
        "averaged moments": averaged_moments(),
    }
    print(json.dumps(found))
