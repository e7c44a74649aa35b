"""Training of a network by its recipe, from the devices to the record."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from pathlib import Path

import keras
import tensorflow as tf

from reproductions.lab import environment
from reproductions.lab.data import pipeline
from reproductions.lab.data.base import Images
from reproductions.lab.data.transforms.registry import TransformContext
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import evaluate
from reproductions.lab.files import lock_directory, remove_unfinished
from reproductions.lab.results import run_record
from reproductions.lab.spec.study import Network, Study
from reproductions.lab.training import curvature, distributed, heartbeat
from reproductions.lab.training import model as networks
from reproductions.lab.training.checkpoint import Checkpoint
from reproductions.lab.training.config import RunConfig, check_keras_objects
from reproductions.lab.training.finalize import finalize, versions
from reproductions.lab.training.loop import Training
from reproductions.lab.training.momentum import create_optimizer
from reproductions.lab.training.operations import use_fast_operations, use_own_operations
from reproductions.lab.training.options import TrainOptions
from reproductions.lab.training.plan import Plan, plan, steps_per_epoch
from reproductions.lab.training.progress import ProgressReporter
from reproductions.lab.training.run_identity import check_same_run, code_state
from reproductions.lab.training.step import StepConfig, Steps, decay_weights, per_replica_seeds
from reproductions.lab.training.stopping import StopRequest


def train(study: Study, network: Network, options: TrainOptions) -> Path | None:
    """Train a network by its recipe.

    With `options.resume` an unfinished run resumes where it stopped, bit for bit, and a finished one is reused.

    Args:
        study: The paper.
        network: One of its networks.
        options: Options of `reproduce train`.

    Returns:
        Folder of the run with its record, state, model and logs; None in a cluster's workers other than the first.

    Raises:
        UsageError: If the folder is in use or holds another run, the data cannot be read, the disk is full, or the loss
            diverges.
        Stopped: If the process is asked to stop.
    """
    return train_planned(plan(study, network, options))


def train_planned(planned: Plan) -> Path | None:
    """Train a network as planned; see `train`."""
    config = configure(planned)
    chief, run_dir = config.cluster.is_chief, config.run_dir
    if is_finished(config):
        if chief:
            print(f"{run_dir} holds this run, which has finished: reusing it")
        return run_dir if chief else None
    with lock_directory(run_dir, f"worker{config.cluster.index}.lock"):
        identity = {**config.identity, **config.execution_identity, "versions": versions()}
        checkpoint = Checkpoint(run_dir, identity, code_state())

        def advice() -> str:
            return f"{checkpoint.description}; restart all workers with --resume"

        with StopRequest() as stop, heartbeat.monitor_workers(run_dir, config.cluster, advice):
            try:
                model = trained_model(config, checkpoint, stop)
            except tf.errors.ResourceExhaustedError:
                size = config.execution.forward_batch_size
                raise UsageError(f"the device lacks memory for {size} images at a time: raise --accumulate") from None
            stop.stop_at_once("stopped during the test, whose partial results are saved; resume with --resume")
            if chief:
                finalize(config, unreplicated(config, model), checkpoint)
    return run_dir if chief else None


def configure(planned: Plan) -> RunConfig:
    """Return a planned run with its devices.

    Raises:
        UsageError: If it does not fit the devices, or Keras cannot create an object of the recipe.
    """
    options, recipe, cluster = planned.options, planned.recipe, planned.cluster
    environment.set_up_keras()
    # Before a recipe's objects are created, which initializes TensorFlow.
    default = None if options.threads else networks.threads(planned.network, recipe, planned.data)
    options = replace(options, threads=environment.set_threads(options.threads, default))
    if options.recipe is not None:
        check_keras_objects(recipe, options.recipe)
    strategy = distributed.create_strategy(options.strategy, cluster, recipe.batch_size, recipe.micro_batch_size)
    if options.jit and strategy.num_replicas_in_sync > 1:
        raise UsageError("--jit works on one device only")
    if cluster.is_chief:
        print(f"data: {planned.data.description}", flush=True)
    values = {each.name: getattr(planned, each.name) for each in fields(planned)}
    return RunConfig(**{**values, "options": options}, strategy=strategy)


def unreplicated(config: RunConfig, model: keras.Model) -> keras.Model:
    """Return a copy for the one worker that tests: a replicated model would need the others to take part."""
    if config.cluster.workers == 1:
        return model
    copy = networks.build(config.network, config.recipe, config.data.classes)
    copy.set_weights([keras.ops.convert_to_numpy(weight) for weight in model.weights])
    return copy


def is_finished(config: RunConfig) -> bool:
    """Return whether the folder holds this run, finished.

    Raises:
        UsageError: If it holds this run as it was executed on other devices or with other options.
    """
    path = config.run_dir / "record.json"
    if not path.exists():
        return False
    record = run_record.read(path)
    found = asdict(record.execution)
    # Records are older than some fields of the execution.
    known = {name: value for name, value in config.execution_identity.items() if found[name] is not None}
    check_same_run(found, known, path)
    if record.commit != code_state().commit:
        print(f"note: it was made by commit {record.commit}; the code has changed since")
    return True


def enable_determinism() -> None:
    """Make runs with the same seed on one machine equal to the last bit."""
    tf.config.experimental.enable_op_determinism()
    # TensorFlow's memory optimizer adds up the gradients of an output with three or more consumers in the order in
    # which they arrive. It cannot be turned off separately.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def trained_model(config: RunConfig, checkpoint: Checkpoint, stop: StopRequest) -> keras.Model:
    """Train a network from its checkpoint to the last epoch.

    Returns:
        The network; if the optimizer averages the weights, with the running averages of these and of the moments of
        batch normalization.
    """
    recipe, options, strategy, cluster = config.recipe, config.options, config.strategy, config.cluster
    keras.utils.set_random_seed(options.seed)
    keras.config.set_dtype_policy(options.precision)
    if not options.jit:  # determinism turns compilation off
        enable_determinism()
    if cluster.is_chief:
        remove_unfinished(checkpoint.folder)
    images = config.data.training(recipe.splits, recipe.training_images)
    with strategy.scope():
        steps = create_steps(config)
        context = TransformContext(steps.model.input_shape[1], config.data.statistics)
        training = Training(
            steps=steps,
            checkpoint=checkpoint,
            workers=distributed.WorkerGroup(cluster, strategy),
            stop=stop,
            reporter=ProgressReporter(
                steps_per_epoch(recipe, images, config.data.name),
                recipe.epochs,
                recipe.batch_size,
                checkpoint.folder / "logs",
                cluster.is_chief,
            ),
            save_every=options.save_every,
            prepare_epoch=curvature.create_measurement(steps, images, context, options.seed),
        )
        checkpoint.restore(training.variables, training.steps_per_epoch)
    training.workers.check_same_state(checkpoint.state.epoch, checkpoint.state.step, checkpoint.folder)
    per_replica_seeds(steps.model, strategy)
    if checkpoint.saved and cluster.is_chief:
        print(f"resuming after {checkpoint.saved} of {recipe.epochs} epochs", flush=True)
    if checkpoint.state.epoch <= recipe.epochs:
        training.run(*distributed_batches(config, checkpoint, images, context))
    use_own_operations(steps.model)
    steps.finalize_variables()
    return steps.model


def create_steps(config: RunConfig) -> Steps:
    """Return the steps of a training, with a new model and its optimizer."""
    recipe = config.recipe
    model = networks.build(config.network, recipe, config.data.classes)
    networks.initialize_layers(model, recipe, config.options.init_from)
    use_fast_operations(model)
    decay_weights(model, recipe.weight_decay)
    optimizer = create_optimizer(recipe.optimizer)
    if config.options.precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    execution = StepConfig(config.network.outputs, config.strategy, config.accumulation_steps, config.options.jit)
    return Steps(model, optimizer, recipe, execution)


def distributed_batches(
    config: RunConfig, checkpoint: Checkpoint, images: Images, context: TransformContext
) -> tuple[tf.distribute.DistributedDataset, tf.distribute.DistributedDataset | None]:
    """Return the batches from the current state to the last epoch, and those of the validation split if held out."""
    recipe, cluster, validation = config.recipe, config.cluster, config.data.validation
    shard = pipeline.WorkerShard(cluster.index, cluster.workers, config.replicas // cluster.workers)

    def training_batches(_: tf.distribute.InputContext) -> tf.data.Dataset:
        position = pipeline.DataPosition(config.options.seed, checkpoint.state.epoch, checkpoint.state.step)
        return pipeline.training_batches(images, recipe, context, position, shard)

    def validation_batches(_: tf.distribute.InputContext) -> tf.data.Dataset:
        transform = evaluate.validation_transform(recipe, context)
        return pipeline.validation_batches(validation, transform, recipe.batch_size, shard)

    distribute = config.strategy.distribute_datasets_from_function
    held_out = None if "validation" in recipe.splits else distribute(validation_batches)
    return distribute(training_batches), held_out
