"""One recipe to one run: what is asked for, the strategy, the fit, and the record at the end."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from reproductions.lab import cluster, curvature, datasets, evaluate, networks, pipeline, recipes, record
from reproductions.lab.errors import UsageError
from reproductions.lab.fit import Stop, Training
from reproductions.lab.images import View
from reproductions.lab.progress import Progress, alone_in, same_run
from reproductions.lab.steps import Steps, decay_weights, own_seeds
from reproductions.lab.study import Network, Recipe, Study


@dataclass(frozen=True)
class Options:
    """What may be asked of a run beside its network; each is a switch of `reproduce train`.

    `recipe`, `epochs`, `hold_out`, `scale_batch`, `input_size` and `training_images` change the recipe, and the record
    shows it. `accumulate`, `precision`, `jit` and `strategy` change how it is carried out, and the record shows that
    too.
    """

    seed: int = 1
    recipe: Path | None = None
    epochs: int | None = None
    hold_out: bool = False
    scale_batch: Fraction = Fraction(1)
    input_size: int | None = None
    training_images: int | None = None
    init_from: Path | None = None
    data_dir: Path | None = None
    run_dir: Path | None = None
    resume: bool = False
    save_every: float = 600
    strategy: str = "auto"
    accumulate: int | None = None
    precision: str = "float32"
    jit: bool = False


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
    """The devices that a run uses on this machine, in words."""
    gpus = tf.config.list_physical_devices("GPU")[:replicas]
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
    return ", ".join(names) or f"{os.cpu_count()} CPU cores, {platform.machine()}"


def resolve(network: Network, options: Options) -> Recipe:
    """The recipe as it will be run: the network's own but for what was asked."""
    recipe = network.to_train()
    if not 0 <= options.seed < 2**31:
        raise UsageError(f"--seed must lie between 0 and {2**31 - 1}; got {options.seed}")
    for name in ("epochs", "accumulate", "input_size", "training_images"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UsageError(f"--{name.replace('_', '-')} must be at least 1; got {value}")
    if options.recipe is not None:
        recipe = recipes.overridden(recipe, recipes.read(options.recipe), options.recipe)
    if options.epochs is not None:
        recipe = replace(recipe, epochs=options.epochs)
    if options.hold_out:
        recipe = replace(recipe, parts=("train",))
    if options.input_size is not None:
        recipe = replace(recipe, input_size=options.input_size)
    if options.training_images is not None:
        recipe = replace(recipe, training_images=options.training_images)
    if recipe.curvature and options.precision != "float32":
        raise UsageError(f"{network.name} measures curvatures, in float32 alone: leave --precision out")
    if options.scale_batch <= 0 or recipe.batch * options.scale_batch % 1:
        raise UsageError(f"--scale-batch must make a whole batch of {recipe.batch} images; got {options.scale_batch}")
    return recipe.scaled(options.scale_batch)


def micro_batches(recipe: Recipe, options: Options, replicas: int) -> int:
    """The parts in which a replica takes its share of a batch. UsageError where they would not be equal."""
    share = recipe.batch // replicas
    if options.accumulate is None:  # parts of a micro-batch, or of somewhat less where that does not go
        most = min(recipe.micro_batch or share, share)
        return next(parts for parts in range(-(-share // most), share + 1) if share % parts == 0)
    if share % options.accumulate:
        raise UsageError(
            f"the {share} images that a device has of a batch of {recipe.batch} do not make {options.accumulate} equal "
            "parts: choose another --accumulate"
        )
    return options.accumulate


def default_run_dir(network: Network, recipe: Recipe, data: datasets.Dataset, options: Options) -> Path:
    name = f"{network.name}-{data.name}-seed{options.seed}"
    if recipe != network.recipe:
        name += f"-{options.recipe.stem}" if options.recipe else ""
        name += f"-{'+'.join(recipe.parts)}-{recipe.epochs}passes"
        name += f"-batch{recipe.batch}" if options.scale_batch != 1 else ""
        name += f"-{recipe.input_size}pixels" if recipe.input_size else ""
        name += f"-{recipe.training_images}images" if recipe.training_images else ""
    name += f"-{options.precision}" if options.precision != "float32" else ""
    return Path("runs") / name


def train(study: Study, network: Network, options: Options) -> Path | None:
    """Trains a network by its recipe and returns the run's folder, with its record, state, model and logs.

    In a cluster it is the first worker that writes them; the others return None.

    With `resume` an unfinished run goes on where it stopped, bit for bit, and a finished one is left as it is.
    Raises UsageError for a folder in use, another run's folder, data that cannot be read, a full disk and a loss
    that is no number; `fit.Stopped` where the process is asked to stop.
    """
    recipe = resolve(network, options)
    strategy = cluster.strategy_for(options.strategy, recipe.batch, recipe.micro_batch)
    worker, workers = cluster.task()
    parts = micro_batches(recipe, options, strategy.num_replicas_in_sync)
    if options.jit and strategy.num_replicas_in_sync > 1:
        raise UsageError("--jit works on one device only")
    if recipe.curvature and workers > 1:
        raise UsageError(f"{network.name} measures curvatures, which several workers cannot share: train it on one")
    data = datasets.load(recipe.dataset, options.data_dir)
    if not worker:
        print(f"data: {data.name}, from {data.source} ({data.path})", flush=True)
    run_dir = options.run_dir or default_run_dir(network, recipe, data, options)
    identity = {
        "study": study.name, "network": network.name, "seed": options.seed, "recipe": recipe.as_data(),
        "sha256": data.sha256,
    }  # fmt: skip
    replicas = strategy.num_replicas_in_sync
    execution = {
        "precision": options.precision, "jit": options.jit, "images_at_a_time": recipe.batch // replicas // parts,
        "micro_batches": parts, "workers": workers, "replicas": replicas, **networks.told_of(options.init_from),
    }  # fmt: skip
    if is_finished(run_dir, identity, execution, options.resume):
        if worker:
            return None
        print(f"{run_dir} holds this run, finished: it is reused")
        return run_dir
    with alone_in(run_dir, f"worker{worker}.lock"):
        progress = Progress(run_dir, {**identity, **execution, "versions": versions()}, code_state())
        advice = "start all workers again with --resume"
        with Stop() as stop, cluster.watching(run_dir, lambda: f"{progress.kept()}; {advice}"):
            try:
                model = trained(network, recipe, data, options, strategy, progress, execution, stop)
            except tf.errors.ResourceExhaustedError:
                size = f"{execution['images_at_a_time']} images at a time"
                raise UsageError(f"the device has too little memory for {size}: raise --accumulate") from None
            stop.at_once = True
            stop.heed()
            if not worker:
                if workers > 1:  # testing is one worker's: a replicated model would ask the others to join in
                    alone = networks.build(network, recipe, data.classes)
                    alone.set_weights([keras.ops.convert_to_numpy(weight) for weight in model.weights])
                    model = alone
                finish(run_dir, study, network, recipe, data, model, progress, execution, strategy)
    return None if worker else run_dir


def is_finished(run_dir: Path, identity: dict[str, Any], execution: dict[str, Any], resume: bool) -> bool:
    """Whether the folder holds the run, done. UsageError where it holds what it should not."""
    told = run_dir / "record.json"
    if not resume and any((run_dir / name).exists() for name in ("record.json", "state.npz", "state-before.npz")):
        raise UsageError(f"{run_dir} holds a run already: go on with --resume, or name another with --run-dir")
    if not told.exists():
        return False
    finished = record.read(told)
    # Records are older than some of what is told of their execution.
    same_run(finished.execution, {name: execution[name] for name in execution if name in finished.execution}, told)
    same_run({**vars(finished), "sha256": finished.data["sha256"]}, identity, told)
    if finished.commit != code_state()["commit"]:
        print(f"note: it was made by commit {finished.commit}; the code has changed since")
    return True


def repeat_exactly() -> None:
    """The same bits from the same seed, on one machine."""
    tf.config.experimental.enable_op_determinism()
    # Gradients of an output that three layers or more take in: its memory optimizer adds them up in the order in
    # which they come. It cannot be turned off alone.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def trained(
    network: Network,
    recipe: Recipe,
    data: datasets.Dataset,
    options: Options,
    strategy: tf.distribute.Strategy,
    progress: Progress,
    execution: dict[str, Any],
    stop: Stop,
) -> keras.Model:
    """The trained network, running averages of its weights in their place."""
    keras.utils.set_random_seed(options.seed)
    keras.config.set_dtype_policy(options.precision)
    if not options.jit:  # op determinism turns compilation off
        repeat_exactly()
    worker, workers = cluster.task()
    if not worker:
        record.sweep(progress.path.parent)
    with strategy.scope():
        model = networks.build(network, recipe, data.classes)
        networks.start(model, recipe, options.init_from)
        decay_weights(model, recipe.weight_decay)
        optimizer = keras.optimizers.get(dict(recipe.optimizer))
        if options.precision == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(model.trainable_variables)
        steps = Steps(model, optimizer, recipe, network.outputs, strategy, execution["micro_batches"], options.jit)
        images = data.training(recipe.parts, recipe.training_images)
        view = View(model.input_shape[1], data.statistics)
        measure = curvature.measuring(steps, images, view, options.seed)
        training = Training(model, steps, recipe, progress, len(images.labels), options.save_every, stop, measure)
        if training.last_step < 1:
            few = f"{data.name} has {len(images.labels)} images to train on"
            raise UsageError(f"{few}, less than a batch of {recipe.batch}")
        progress.restore(training.variables)
    if workers > 1:
        training.check_positions()
    own_seeds(model, strategy)
    if progress.saved and not worker:
        print(f"going on after {progress.saved} of {recipe.epochs}", flush=True)
    replicas = strategy.num_replicas_in_sync // workers

    def batches(context: Any) -> tf.data.Dataset:
        return pipeline.training_batches(
            images, recipe, view, options.seed, progress.at.epoch, progress.at.step, worker, workers, replicas
        )

    def held_out(context: Any) -> tf.data.Dataset:
        return pipeline.validation_batches(
            data.validation, evaluate.one_view(recipe, view, data.validation), recipe.batch, worker, workers, replicas
        )

    kept_out = "validation" not in recipe.parts
    if progress.at.epoch <= recipe.epochs:
        training.run(
            strategy.distribute_datasets_from_function(batches),
            strategy.distribute_datasets_from_function(held_out) if kept_out else None,
            progress.path.parent / "logs",
        )
    optimizer.finalize_variable_values(model.trainable_variables)
    return model


def finish(
    run_dir: Path,
    study: Study,
    network: Network,
    recipe: Recipe,
    data: datasets.Dataset,
    model: keras.Model,
    progress: Progress,
    execution: dict[str, Any],
    strategy: tf.distribute.Strategy,
) -> None:
    """Saves the model, tests it, and writes the record."""
    try:
        with record.replacing(run_dir / "model.keras") as unfinished:
            networks.tested(model, recipe).save(unfinished)
        described = describe(model, network, recipe, data, progress, execution, strategy)
        seed = progress.identity["seed"]
        record.Record(study=study.name, network=network.name, seed=seed, **described).write(run_dir / "record.json")
    except OSError as error:
        raise UsageError(f"{run_dir} cannot be written to: {error.strerror or error}; {progress.kept()}") from None


def describe(
    model: keras.Model,
    network: Network,
    recipe: Recipe,
    data: datasets.Dataset,
    progress: Progress,
    execution: dict[str, Any],
    strategy: tf.distribute.Strategy,
) -> dict[str, Any]:
    """All that a record says but for what was asked for: what ran, on what, and the test, made here."""
    run_dir = progress.path.parent
    test, scores = evaluate.test(networks.tested(model, recipe), network, recipe, data, tested=run_dir)
    seen: dict[str, Any] = {"misclassified": [], "pictures": None}
    if isinstance(data.test, datasets.Pixels):
        errors = evaluate.misclassified(evaluate.predicted_classes(scores), data.test.labels)
        seen = {"misclassified": errors, "pictures": evaluate.pictures(data.test.images, errors)}
    rows = progress.at.rows
    images = recipe.training_images or sum(data.sizes()[part] for part in recipe.parts)
    images_a_pass = images // recipe.batch * recipe.batch
    # The first pass also pays for tracing.
    usual = statistics.median(row["seconds"] for row in rows[1:] or rows)
    return {
        "recipe": recipe.as_data(),
        "data": datasets.describe(data),
        **progress.code,
        "versions": versions(),
        "device": device(strategy.num_replicas_in_sync),
        "strategy": type(strategy).__name__ if strategy.num_replicas_in_sync > 1 else "one device",
        "replicas": strategy.num_replicas_in_sync,
        "execution": execution,
        "parameters": {"trainable": count(model.trainable_weights), "fixed": count(model.non_trainable_weights)},
        "epochs": rows,
        "test": test,
        **seen,
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
