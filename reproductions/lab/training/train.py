"""One recipe to one run: the strategy, the fit, and the record at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from reproductions.lab.data import pipeline, registry
from reproductions.lab.data.transforms.registry import TransformContext
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import evaluate
from reproductions.lab.files import remove_unfinished
from reproductions.lab.results import run_record
from reproductions.lab.spec.study import Network, Study
from reproductions.lab.training import curvature, distributed
from reproductions.lab.training import model as networks
from reproductions.lab.training.checkpoint import Progress, alone_in, same_run
from reproductions.lab.training.config import Options, Plan, resolve
from reproductions.lab.training.finalize import code_state, finish, versions
from reproductions.lab.training.loop import Stop, Training
from reproductions.lab.training.step import Steps, decay_weights, own_seeds


def train(study: Study, network: Network, options: Options) -> Path | None:
    """Trains a network by its recipe and returns the run's folder, with its record, state, model and logs.

    In a cluster it is the first worker that writes them; the others return None.

    With `resume` an unfinished run goes on where it stopped, bit for bit, and a finished one is left as it is.
    Raises UsageError for a folder in use, another run's folder, data that cannot be read, a full disk and a loss
    that is no number; `fit.Stopped` where the process is asked to stop.
    """
    plan, worker = planned(study, network, options), distributed.task()[0]
    if is_finished(plan):
        if worker:
            return None
        print(f"{plan.run_dir} holds this run, finished: it is reused")
        return plan.run_dir
    with alone_in(plan.run_dir, f"worker{worker}.lock"):
        progress = Progress(plan.run_dir, {**plan.identity, **plan.execution, "versions": versions()}, code_state())
        advice = "start all workers again with --resume"
        with Stop() as stop, distributed.watching(plan.run_dir, lambda: f"{progress.kept()}; {advice}"):
            try:
                model = trained(plan, progress, stop)
            except tf.errors.ResourceExhaustedError:
                size = f"{plan.execution['forward_batch_size']} images at a time"
                raise UsageError(f"the device has too little memory for {size}: raise --accumulate") from None
            stop.at_once = True
            stop.heed()
            if not worker:
                finish(plan, alone(plan, model) if plan.workers > 1 else model, progress)
    return None if worker else plan.run_dir


def planned(study: Study, network: Network, options: Options) -> Plan:
    """The run that is asked for. UsageError for what does not go together, and data that cannot be read."""
    recipe = resolve(network, options)
    strategy = distributed.strategy_for(options.strategy, recipe.batch_size, recipe.micro_batch_size)
    worker, workers = distributed.task()
    if options.jit and strategy.num_replicas_in_sync > 1:
        raise UsageError("--jit works on one device only")
    if recipe.curvature and workers > 1:
        raise UsageError(f"{network.name} measures curvatures, which several workers cannot share: train it on one")
    data = registry.load(recipe.dataset, options.data_dir)
    if not worker:
        print(f"data: {data.name}, from {data.source} ({data.path})", flush=True)
    return Plan(study, network, options, recipe, data, strategy, workers)


def alone(plan: Plan, model: keras.Model) -> keras.Model:
    """A copy for the one worker that tests: a replicated model would ask the others to join in."""
    copy = networks.build(plan.network, plan.recipe, plan.data.classes)
    copy.set_weights([keras.ops.convert_to_numpy(weight) for weight in model.weights])
    return copy


def is_finished(plan: Plan) -> bool:
    """Whether the folder holds the run, done. UsageError where it holds what it should not."""
    told = plan.run_dir / "record.json"
    begun = any((plan.run_dir / name).exists() for name in ("record.json", "state.npz", "state-before.npz"))
    if begun and not plan.options.resume:
        raise UsageError(f"{plan.run_dir} holds a run already: go on with --resume, or name another with --run-dir")
    if not told.exists():
        return False
    finished, execution = run_record.read(told), plan.execution
    # Records are older than some of what is told of their execution.
    same_run(finished.execution, {name: execution[name] for name in execution if name in finished.execution}, told)
    same_run({**vars(finished), "sha256": finished.data["sha256"]}, plan.identity, told)
    if finished.commit != code_state()["commit"]:
        print(f"note: it was made by commit {finished.commit}; the code has changed since")
    return True


def repeat_exactly() -> None:
    """The same bits from the same seed, on one machine."""
    tf.config.experimental.enable_op_determinism()
    # Gradients of an output that three layers or more take in: its memory optimizer adds them up in the order in
    # which they come. It cannot be turned off alone.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def trained(plan: Plan, progress: Progress, stop: Stop) -> keras.Model:
    """The trained network, running averages of its weights in their place."""
    recipe, data, options, strategy = plan.recipe, plan.data, plan.options, plan.strategy
    keras.utils.set_random_seed(options.seed)
    keras.config.set_dtype_policy(options.precision)
    if not options.jit:  # op determinism turns compilation off
        repeat_exactly()
    worker, workers = distributed.task()
    if not worker:
        remove_unfinished(progress.path.parent)
    with strategy.scope():
        model = networks.build(plan.network, recipe, data.classes)
        networks.start(model, recipe, options.init_from)
        decay_weights(model, recipe.weight_decay)
        optimizer = keras.optimizers.get(dict(recipe.optimizer))
        if options.precision == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(model.trainable_variables)
        steps = Steps(model, optimizer, recipe, plan.network.outputs, strategy, plan.accumulation_steps, options.jit)
        images = data.training(recipe.splits, recipe.training_images)
        view = TransformContext(model.input_shape[1], data.statistics)
        measure = curvature.measuring(steps, images, view, options.seed)
        training = Training(model, steps, recipe, progress, len(images.labels), options.save_every, stop, measure)
        if training.last_step < 1:
            few = f"{data.name} has {len(images.labels)} images to train on"
            raise UsageError(f"{few}, less than a batch of {recipe.batch_size}")
        progress.restore(training.variables)
    if workers > 1:
        training.check_positions()
    own_seeds(model, strategy)
    if progress.saved and not worker:
        print(f"going on after {progress.saved} of {recipe.epochs}", flush=True)
    shard = pipeline.WorkerShard(worker, workers, plan.replicas // workers)

    def batches(context: Any) -> tf.data.Dataset:
        position = pipeline.DataPosition(options.seed, progress.at.epoch, progress.at.step)
        return pipeline.training_batches(images, recipe, view, position, shard)

    def held_out(context: Any) -> tf.data.Dataset:
        prepare = evaluate.validation_transform(recipe, view)
        return pipeline.validation_batches(data.validation, prepare, recipe.batch_size, shard)

    kept_out = "validation" not in recipe.splits
    if progress.at.epoch <= recipe.epochs:
        training.run(
            strategy.distribute_datasets_from_function(batches),
            strategy.distribute_datasets_from_function(held_out) if kept_out else None,
            progress.path.parent / "logs",
        )
    optimizer.finalize_variable_values(model.trainable_variables)
    return model
