"""One recipe to one run: strategy, fit, checkpoints, resume, and the record at the end."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from reproductions.lab import datasets, evaluate, record
from reproductions.lab.errors import UsageError
from reproductions.lab.images import compose
from reproductions.lab.progress import Progress, same_run
from reproductions.lab.study import Network, Recipe, Study


def strategy_for(name: str, batch: int) -> tf.distribute.Strategy:
    """The strategy of this name; `auto` mirrors over as many GPUs as there are and divide the batch.

    Raises UsageError where `mirrored` is asked for and the batch does not divide over all devices.
    """
    gpus = tf.config.list_logical_devices("GPU")
    if name == "auto":
        usable = max((count for count in range(1, len(gpus) + 1) if batch % count == 0), default=1)
        devices = gpus[:usable]
    else:
        devices = gpus or tf.config.list_logical_devices("CPU")
        if name == "mirrored" and batch % len(devices):
            raise UsageError(f"a batch of {batch} does not divide over {len(devices)} devices")
    if name == "mirrored" or (name == "auto" and len(devices) > 1):
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    return tf.distribute.get_strategy()


def training_batches(
    images: np.ndarray, labels: np.ndarray, recipe: Recipe, seed: int, first_epoch: int
) -> tf.data.Dataset:
    """Batches of all passes from `first_epoch` on: a pure function of (seed, pass, step).

    Each pass is in an order of its own; what is left over at its end, less than a batch, is dropped.
    """
    pixels, classes, prepare = tf.constant(images), tf.constant(labels), compose(recipe.images)

    def one_pass(epoch: Any) -> tf.data.Dataset:
        everyone = tf.range(len(labels))
        order = tf.random.experimental.stateless_shuffle(everyone, seed=tf.stack([seed, epoch]))
        return tf.data.Dataset.from_tensor_slices(order).batch(recipe.batch, drop_remainder=True)

    def batch(chosen: Any) -> tuple[Any, Any]:
        return prepare(tf.gather(pixels, chosen)), tf.gather(classes, chosen)

    passes = tf.data.Dataset.range(first_epoch, recipe.epochs + 1, output_type=tf.int32)
    batches = passes.flat_map(one_pass).map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return batches.prefetch(tf.data.AUTOTUNE)


def code_state() -> dict[str, Any]:
    """The commit of the code and whether it was changed since; nulls outside a git checkout."""
    home = Path(__file__).parents[2]

    def git(*words: str) -> str | None:
        try:
            command = ["git", "-C", str(home), *words]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return None

    commit, changes = git("rev-parse", "HEAD"), git("status", "--porcelain", "--", "layers", "reproductions")
    return {"commit": commit, "dirty": None if changes is None else bool(changes)}


def device(replicas: int) -> str:
    """The devices that a run uses, in words."""
    gpus = tf.config.list_physical_devices("GPU")[:replicas]
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
    return ", ".join(names) or f"{os.cpu_count()} CPU cores, {platform.machine()}"


def compiled(network: Network, recipe: Recipe, seed: int, strategy: tf.distribute.Strategy) -> keras.Model:
    """The network as its recipe starts it, ready to fit."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    with strategy.scope():
        model = network.build(initial_weights=recipe.initial_weights)
        model.compile(
            optimizer=keras.optimizers.get(dict(recipe.optimizer)),
            loss=keras.losses.get(dict(recipe.loss)),
            metrics=[evaluate.error_metric(network.outputs)],
            # XLA slows small convolutions on a CPU, and op determinism turns it off elsewhere.
            jit_compile=False,
        )
    return model


def resolve(network: Network, seed: int, epochs: int | None, hold_out: bool) -> Recipe:
    """The recipe as it will be run: the network's own but for what the command line asked."""
    recipe = network.to_train()
    if not 0 <= seed < 2**31:
        raise UsageError(f"--seed must lie between 0 and {2**31 - 1}; got {seed}")
    if epochs is not None:
        if epochs < 1:
            raise UsageError(f"--epochs must be at least 1; got {epochs}")
        recipe = replace(recipe, epochs=epochs)
    return replace(recipe, parts=("train",)) if hold_out else recipe


def default_run_dir(network: Network, recipe: Recipe, data: datasets.Dataset, seed: int) -> Path:
    changed = "" if recipe == network.recipe else f"-{'+'.join(recipe.parts)}-{recipe.epochs}passes"
    return Path("runs") / f"{network.name}-{data.name}-seed{seed}{changed}"


def fit(model: keras.Model, recipe: Recipe, data: datasets.Dataset, progress: Progress, seed: int) -> None:
    """Trains from where `progress` stands to the last pass."""
    images, labels = data.training(recipe.parts)
    done = len(progress.rows)
    held_out = None
    if "validation" not in recipe.parts:
        x, y = data.validation
        held_out = tf.data.Dataset.from_tensor_slices((x, y)).batch(500)
        held_out = held_out.map(lambda x, y: (compose(recipe.images)(x), y))
    model.fit(
        training_batches(images, labels, recipe, seed, done + 1),
        epochs=recipe.epochs,
        initial_epoch=done,
        steps_per_epoch=len(labels) // recipe.batch,
        validation_data=held_out,
        shuffle=False,
        verbose=1 if sys.stdout.isatty() else 2,
        callbacks=[
            keras.callbacks.LearningRateScheduler(lambda epoch: recipe.learning_rate(epoch + 1)),
            keras.callbacks.TensorBoard(progress.path.parent / "logs", write_graph=False),
            progress,
        ],
    )


def train(
    study: Study,
    network: Network,
    seed: int = 1,
    epochs: int | None = None,
    data_dir: Path | None = None,
    run_dir: Path | None = None,
    resume: bool = False,
    strategy: str = "auto",
    hold_out: bool = False,
) -> Path:
    """Trains a network by its recipe and returns the run's folder, with its record, state, model and logs.

    With `resume` an unfinished run goes on where it stopped, bit for bit, and a finished one is left as it is.
    With `hold_out` the validation part is not trained on and its error is shown after each pass.
    Raises UsageError for a folder in use, another run's folder, and data that cannot be read.
    """
    recipe = resolve(network, seed, epochs, hold_out)
    data = datasets.load(recipe.dataset, data_dir)
    print(f"data: {data.name}, from {data.source} ({data.path})", flush=True)
    run_dir = run_dir or default_run_dir(network, recipe, data, seed)
    identity = {
        "study": study.name, "network": network.name, "seed": seed, "recipe": recipe.as_data(), "sha256": data.sha256
    }  # fmt: skip
    if is_finished(run_dir, identity, resume):
        print(f"{run_dir} holds this run, finished: it is reused")
        return run_dir

    chosen = strategy_for(strategy, recipe.batch)
    model = compiled(network, recipe, seed, chosen)
    same_bits = {**identity, "replicas": chosen.num_replicas_in_sync, "versions": versions()}
    progress = Progress(run_dir / "state.npz", same_bits, code_state())
    progress.set_model(model)
    with chosen.scope():
        progress.restore()
    if progress.rows:
        print(f"going on after pass {len(progress.rows)} of {recipe.epochs}", flush=True)
    if len(progress.rows) < recipe.epochs:
        fit(model, recipe, data, progress, seed)
    with record.replacing(run_dir / "model.keras") as unfinished:
        model.save(unfinished)
    described = describe(model, network, recipe, data, progress, chosen)
    record.Record(study=study.name, network=network.name, seed=seed, **described).write(run_dir / "record.json")
    return run_dir


def is_finished(run_dir: Path, identity: dict[str, Any], resume: bool) -> bool:
    """Whether the folder holds the run, done; makes the folder. UsageError where it holds what it should not."""
    told = run_dir / "record.json"
    if not resume and (told.exists() or (run_dir / "state.npz").exists()):
        raise UsageError(f"{run_dir} holds a run already: go on with --resume, or name another with --run-dir")
    if told.exists():
        finished = record.read(told)
        same_run({**vars(finished), "sha256": finished.data["sha256"]}, identity, told)
        if finished.commit != code_state()["commit"]:
            print(f"note: it was made by commit {finished.commit}; the code has changed since")
        return True
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        record.sweep(run_dir)
    except OSError as error:
        raise UsageError(f"{run_dir} cannot be made: {error.strerror}") from None
    return False


def describe(
    model: keras.Model,
    network: Network,
    recipe: Recipe,
    data: datasets.Dataset,
    progress: Progress,
    strategy: tf.distribute.Strategy,
) -> dict[str, Any]:
    """All that a record says but for what was asked for: what ran, on what, and the test, made here."""
    images, labels = data.test
    predictions = evaluate.predicted_classes(model, network.outputs, recipe.images, images)
    errors = evaluate.misclassified(predictions, labels)
    images_a_pass = sum(data.sizes()[part] for part in recipe.parts) // recipe.batch * recipe.batch
    # The first pass also pays for tracing.
    usual = statistics.median(row["seconds"] for row in progress.rows[1:] or progress.rows)
    return {
        "recipe": recipe.as_data(),
        "data": datasets.describe(data),
        **progress.code,
        "versions": versions(),
        "device": device(strategy.num_replicas_in_sync),
        "strategy": type(strategy).__name__ if strategy.num_replicas_in_sync > 1 else "one device",
        "replicas": strategy.num_replicas_in_sync,
        "parameters": {"trainable": count(model.trainable_weights), "fixed": count(model.non_trainable_weights)},
        "epochs": progress.rows,
        "test": evaluate.figures(predictions, labels),
        "misclassified": errors,
        "pictures": evaluate.pictures(images, errors),
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "wall_seconds": progress.wall_seconds,
        "images_per_second": images_a_pass / usual,
    }


def versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        **{library.__name__: library.__version__ for library in (keras, tf, np)},
    }


def count(weights: list[Any]) -> int:
    return int(sum(np.prod(weight.shape) for weight in weights))
