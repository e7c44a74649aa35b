"""The run that some options lead to: the resolved recipe, the data, the devices."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path

import keras
import tensorflow as tf

from reproductions.lab.data import base
from reproductions.lab.errors import UsageError
from reproductions.lab.results.entries import FLOAT32, Execution
from reproductions.lab.spec import protocols, recipe_files
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.spec.study import Network, Study
from reproductions.lab.training import distributed, model
from reproductions.lab.training.cluster import Cluster
from reproductions.lab.training.options import TrainOptions
from reproductions.lab.training.run_identity import identity


def resolve(network: Network, options: TrainOptions) -> Recipe:
    """Return the recipe as it will be run: the network's own with the changes that the options ask for.

    Raises:
        UsageError: If an option is invalid, or does not fit the recipe.
    """
    recipe = network.to_train()
    options.check()
    if options.recipe is not None:
        recipe = recipe_files.overridden(recipe, recipe_files.read(options.recipe), options.recipe)
        check(recipe, options.recipe)
    if options.epochs is not None:
        recipe = replace(recipe, epochs=options.epochs)
    if options.hold_out:
        recipe = replace(recipe, splits=("train",))
    if options.input_size is not None:
        recipe = replace(recipe, input_size=options.input_size)
    if options.training_images is not None:
        recipe = replace(recipe, training_images=options.training_images)
    if recipe.curvature and options.precision != FLOAT32:
        raise UsageError(f"{network.name} measures curvatures, which needs float32: omit --precision")
    if options.scale_batch <= 0 or recipe.batch_size * options.scale_batch % 1:
        raise UsageError(
            f"--scale-batch must turn a batch of {recipe.batch_size} images into a whole number of images; "
            f"got {options.scale_batch}"
        )
    if options.scale_batch != 1 and recipe.optimizer["class_name"] == "Adadelta":
        raise UsageError("--scale-batch scales the learning rate too, which Adadelta does not have: use --recipe")
    return recipe.scaled(options.scale_batch)


def check(recipe: Recipe, path: Path) -> None:
    """Check a recipe from a file before anything is trained.

    Raises:
        UsageError: If Keras cannot create one of its objects, or its protocol does not exist.
    """
    protocols.find(recipe.protocol)
    if recipe.bias_learning_rate_multiplier != 1 and recipe.optimizer["class_name"] != "SGD":
        raise UsageError(
            f"{path}: bias_learning_rate_multiplier is only for SGD, whose updates are proportional to gradients"
        )
    makers = {"optimizer": keras.optimizers.get, "loss": keras.losses.get, "kernel_initializer": keras.initializers.get}
    for name, make in makers.items():
        try:
            make(copy.deepcopy(getattr(recipe, name)))  # Keras modifies its argument
        except Exception as error:  # Keras' classes raise errors of many types on arguments that do not fit
            reason = str(error).split("\n")[0] or type(error).__name__
            raise UsageError(f"{path}: {name} cannot be created: {reason}") from None


def accumulation_steps(recipe: Recipe, options: TrainOptions, replicas: int) -> int:
    """Return the number of equal steps over which a replica accumulates the gradients of its share of a batch.

    Raises:
        UsageError: If the number asked for does not divide the share.
    """
    share = recipe.batch_size // replicas
    if options.accumulate is None:  # steps of a micro-batch, or of somewhat less if that does not divide the share
        most = min(recipe.micro_batch_size or share, share)
        return next(steps for steps in range(-(-share // most), share + 1) if share % steps == 0)
    if share % options.accumulate:
        raise UsageError(
            f"--accumulate {options.accumulate} does not divide the {share} images that a device has of a batch of "
            f"{recipe.batch_size}: choose another number"
        )
    return options.accumulate


def default_run_dir(network: Network, recipe: Recipe, data: base.Dataset, options: TrainOptions) -> Path:
    """Return the folder of a run for which none is named."""
    name = f"{network.name}-{data.name}-seed{options.seed}"
    if recipe != network.recipe:
        name += f"-{options.recipe.stem}" if options.recipe else ""
        name += f"-{'+'.join(recipe.splits)}-{recipe.epochs}epochs"
        name += f"-batch{recipe.batch_size}" if options.scale_batch != 1 else ""
        name += f"-{recipe.input_size}pixels" if recipe.input_size else ""
        name += f"-{recipe.training_images}images" if recipe.training_images else ""
    name += f"-{options.precision}" if options.precision != FLOAT32 else ""
    return Path("runs") / name


@dataclass(frozen=True)
class RunConfig:
    """A run as it will be executed.

    Attributes:
        study: The paper.
        network: The network.
        options: What was asked for.
        recipe: The resolved recipe.
        data: The data set.
        strategy: Distribution strategy.
        cluster: The workers.
    """

    study: Study
    network: Network
    options: TrainOptions
    recipe: Recipe
    data: base.Dataset
    strategy: tf.distribute.Strategy
    cluster: Cluster = field(default_factory=Cluster)

    @property
    def replicas(self) -> int:
        """Number of replicas, over all workers."""
        return int(self.strategy.num_replicas_in_sync)

    @cached_property
    def run_dir(self) -> Path:
        """Folder of the run."""
        return self.options.run_dir or default_run_dir(self.network, self.recipe, self.data, self.options)

    @cached_property
    def accumulation_steps(self) -> int:
        """Steps over which a replica accumulates the gradients of its share of a batch."""
        return accumulation_steps(self.recipe, self.options, self.replicas)

    @cached_property
    def identity(self) -> dict[str, object]:
        """What distinguishes this run from others, as JSON would give it back."""
        return identity(self.study, self.network.name, self.options.seed, self.recipe, self.data)

    @cached_property
    def execution(self) -> Execution:
        """How the run is executed."""
        return Execution(
            precision=self.options.precision,
            jit=self.options.jit,
            forward_batch_size=self.recipe.batch_size // self.replicas // self.accumulation_steps,
            accumulation_steps=self.accumulation_steps,
            workers=self.cluster.workers,
            replicas=self.replicas,
            threads=distributed.recorded_threads(self.options.threads),
            init_from=model.init_provenance(self.options.init_from),
        )

    @property
    def execution_identity(self) -> dict[str, object]:
        """The known fields of `execution`, as JSON would give them back."""
        return {name: value for name, value in asdict(self.execution).items() if value is not None}
