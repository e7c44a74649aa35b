"""What is asked of a run, and what that comes to: the recipe resolved, the data, the devices."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import keras

from reproductions.lab.data import base
from reproductions.lab.errors import UsageError
from reproductions.lab.spec import protocols, recipe_changes
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.spec.study import Network, Study
from reproductions.lab.training import distributed, model


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
        recipe = recipe_changes.overridden(recipe, recipe_changes.read(options.recipe), options.recipe)
        check(recipe, options.recipe)
    if options.epochs is not None:
        recipe = replace(recipe, epochs=options.epochs)
    if options.hold_out:
        recipe = replace(recipe, splits=("train",))
    if options.input_size is not None:
        recipe = replace(recipe, input_size=options.input_size)
    if options.training_images is not None:
        recipe = replace(recipe, training_images=options.training_images)
    if recipe.curvature and options.precision != "float32":
        raise UsageError(f"{network.name} measures curvatures, in float32 alone: leave --precision out")
    if options.scale_batch <= 0 or recipe.batch_size * options.scale_batch % 1:
        raise UsageError(
            f"--scale-batch must make a whole batch of {recipe.batch_size} images; got {options.scale_batch}"
        )
    if options.scale_batch != 1 and recipe.optimizer["class_name"] == "Adadelta":
        raise UsageError("--scale-batch takes the learning rate with the batch, and Adadelta has none: use --recipe")
    return recipe.scaled(options.scale_batch)


def check(recipe: Recipe, where: Path) -> None:
    """UsageError for what Keras would not make, or nobody could test, before anything is trained."""
    protocols.find(recipe.protocol)
    if recipe.bias_learning_rate_multiplier != 1 and recipe.optimizer["class_name"] != "SGD":
        raise UsageError(
            f"{where}: a bias_learning_rate_multiplier is for SGD, whose steps are in proportion to gradients"
        )
    makers = {"optimizer": keras.optimizers.get, "loss": keras.losses.get, "kernel_initializer": keras.initializers.get}
    for name, make in makers.items():
        try:
            make(copy.deepcopy(getattr(recipe, name)))  # Keras writes into what it is given
        except (TypeError, ValueError) as error:
            raise UsageError(f"{where}: {name} cannot be made: {str(error).splitlines()[0]}") from None


def accumulation_steps(recipe: Recipe, options: Options, replicas: int) -> int:
    """The parts in which a replica takes its share of a batch. UsageError where they would not be equal."""
    share = recipe.batch_size // replicas
    if options.accumulate is None:  # parts of a micro-batch, or of somewhat less where that does not go
        most = min(recipe.micro_batch_size or share, share)
        return next(parts for parts in range(-(-share // most), share + 1) if share % parts == 0)
    if share % options.accumulate:
        raise UsageError(
            f"the {share} images that a device has of a batch of {recipe.batch_size} do not make {options.accumulate} equal "
            "parts: choose another --accumulate"
        )
    return options.accumulate


def default_run_dir(network: Network, recipe: Recipe, data: base.Dataset, options: Options) -> Path:
    name = f"{network.name}-{data.name}-seed{options.seed}"
    if recipe != network.recipe:
        name += f"-{options.recipe.stem}" if options.recipe else ""
        name += f"-{'+'.join(recipe.splits)}-{recipe.epochs}passes"
        name += f"-batch{recipe.batch_size}" if options.scale_batch != 1 else ""
        name += f"-{recipe.input_size}pixels" if recipe.input_size else ""
        name += f"-{recipe.training_images}images" if recipe.training_images else ""
    name += f"-{options.precision}" if options.precision != "float32" else ""
    return Path("runs") / name


@dataclass(frozen=True)
class Plan:
    """A run as it will be carried out: what is asked for, resolved, on these data and devices."""

    study: Study
    network: Network
    options: Options
    recipe: Recipe
    data: base.Dataset
    strategy: Any  # a tf.distribute.Strategy
    workers: int = 1

    @property
    def replicas(self) -> int:
        return int(self.strategy.num_replicas_in_sync)

    @cached_property
    def run_dir(self) -> Path:
        return self.options.run_dir or default_run_dir(self.network, self.recipe, self.data, self.options)

    @cached_property
    def accumulation_steps(self) -> int:
        return accumulation_steps(self.recipe, self.options, self.replicas)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What makes it this run and no other."""
        return {
            "study": self.study.name, "network": self.network.name, "seed": self.options.seed,
            "recipe": self.recipe.as_data(), "sha256": self.data.sha256,
        }  # fmt: skip

    @cached_property
    def execution(self) -> dict[str, Any]:
        """How it is carried out, on which its last bits depend too."""
        return {
            "precision": self.options.precision, "jit": self.options.jit,
            "forward_batch_size": self.recipe.batch_size // self.replicas // self.accumulation_steps,
            "accumulation_steps": self.accumulation_steps, "workers": self.workers, "replicas": self.replicas,
            **distributed.threads(), **model.told_of(self.options.init_from),
        }  # fmt: skip
