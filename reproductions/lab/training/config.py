"""The run that some options lead to, with its devices."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import keras
import tensorflow as tf

from reproductions.lab.errors import UsageError
from reproductions.lab.results.entries import Execution
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.training import distributed, model
from reproductions.lab.training.options import TrainOptions
from reproductions.lab.training.plan import Plan


def check_keras_objects(recipe: Recipe, path: Path) -> None:
    """Raise UsageError if Keras cannot create one of the objects of a recipe from a file."""
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


@dataclass(frozen=True)
class RunConfig(Plan):
    """A run as it will be executed: what is planned, and the devices.

    Attributes:
        strategy: Distribution strategy.
    """

    strategy: tf.distribute.Strategy = field(kw_only=True)

    @property
    def replicas(self) -> int:
        """Number of replicas, over all workers."""
        return int(self.strategy.num_replicas_in_sync)

    @cached_property
    def accumulation_steps(self) -> int:
        """Steps over which a replica accumulates the gradients of its share of a batch."""
        return accumulation_steps(self.recipe, self.options, self.replicas)

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
