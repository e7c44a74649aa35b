"""The run that some options lead to, as far as it is known without TensorFlow: mistakes are found at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from reproductions.lab import environment
from reproductions.lab.data import registry
from reproductions.lab.data.base import Dataset, Images
from reproductions.lab.data.transforms import names
from reproductions.lab.errors import UsageError
from reproductions.lab.results import run_record
from reproductions.lab.results.entries import FLOAT32
from reproductions.lab.spec import keras_names, protocols, recipe_files
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.spec.study import Network, Study
from reproductions.lab.training.cluster import Cluster, find_cluster
from reproductions.lab.training.options import TrainOptions
from reproductions.lab.training.run_identity import check_same_run, identity

STARTED = ("record.json", "state.npz", "state-before.npz")  # files of a run, of which the first ends it


@dataclass(frozen=True)
class Plan:
    """A run that is asked for.

    Attributes:
        study: The paper.
        network: The network.
        options: What was asked for.
        recipe: The resolved recipe.
        data: The data set.
        cluster: The workers.
    """

    study: Study
    network: Network
    options: TrainOptions
    recipe: Recipe
    data: Dataset
    cluster: Cluster = field(default_factory=Cluster)

    @cached_property
    def run_dir(self) -> Path:
        """Folder of the run."""
        return self.options.run_dir or default_run_dir(self.network, self.recipe, self.data, self.options)

    @cached_property
    def identity(self) -> dict[str, object]:
        """What distinguishes this run from others, as JSON would give it back."""
        return identity(self.study, self.network.name, self.options.seed, self.recipe, self.data)


def plan(study: Study, network: Network, options: TrainOptions) -> Plan:
    """Return the run that is asked for. Nothing is written.

    Raises:
        UsageError: If options are invalid or do not fit together, the data cannot be read, or the folder holds another
            run.
    """
    environment.check_threads(options.threads)
    recipe = resolve(network, options)
    cluster = find_cluster(options.strategy)
    check_execution(network, recipe, options, cluster)
    check_init(network.name, recipe, options.init_from)
    if options.run_dir is not None:  # known before the data are read
        check_folder(options.run_dir, options.resume)
    data = registry.load(recipe.dataset, options.data_dir)
    if not len(data.test.labels):
        raise UsageError(f"{data.path} has no test images: prepare them too, without --train-only")
    steps_per_epoch(recipe, data.training(recipe.splits, recipe.training_images), data.name)
    planned = Plan(study, network, options, recipe, data, cluster)
    check_folder(planned.run_dir, options.resume)
    check_record(planned)
    return planned


def check_record(planned: Plan) -> None:
    """Raise UsageError if the folder holds the record of another run."""
    path = planned.run_dir / STARTED[0]
    if path.exists():
        record = run_record.read(path)
        check_same_run({**vars(record), "sha256": record.data.sha256}, planned.identity, path)


def resolve(network: Network, options: TrainOptions) -> Recipe:
    """Return the recipe as it will be run: the network's own with the changes that the options ask for.

    Raises:
        UsageError: If an option is invalid, or does not fit the recipe.
    """
    recipe = network.to_train()
    options.check()
    if options.recipe is not None:
        recipe = recipe_files.overridden(recipe, recipe_files.read(options.recipe), options.recipe)
        check_recipe(recipe, options.recipe)
    if options.hold_out:
        recipe = replace(recipe, splits=("train",))
    for name in ("epochs", "input_size", "training_images"):
        if getattr(options, name) is not None:
            recipe = replace(recipe, **{name: getattr(options, name)})
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


def check_recipe(recipe: Recipe, path: Path) -> None:
    """Check what the fields of a recipe from a file say together.

    Raises:
        UsageError: If its data set, its protocol, a transform or a class of Keras does not exist, or its fields do not
            fit each other.
    """
    registry.check_name(recipe.dataset)
    names.check((*recipe.train_transforms, *recipe.test_transforms))
    keras_names.check(recipe, path)
    protocols.find(recipe.protocol)
    if recipe.bias_learning_rate_multiplier != 1 and recipe.optimizer["class_name"] != "SGD":
        raise UsageError(
            f"{path}: bias_learning_rate_multiplier is only for SGD, whose updates are proportional to gradients"
        )


def check_execution(network: Network, recipe: Recipe, options: TrainOptions, cluster: Cluster) -> None:
    """Raise UsageError if the options of the execution do not fit the recipe or the cluster, on whatever devices."""
    if options.jit and cluster.workers > 1:
        raise UsageError("--jit works on one device only")
    if recipe.curvature and cluster.workers > 1:
        raise UsageError(f"{network.name} measures curvatures, which several workers cannot share: train it on one")
    if options.accumulate and recipe.batch_size % options.accumulate:
        raise UsageError(
            f"--accumulate {options.accumulate} does not divide a batch of {recipe.batch_size} images: "
            "choose another number"
        )


def check_init(name: str, recipe: Recipe, run_dir: Path | None) -> None:
    """Check the finished run from which layers are initialized.

    Args:
        name: Name of the network.
        recipe: Recipe with the names of the layers.
        run_dir: Folder of the run.

    Raises:
        UsageError: If a run is given but not needed, needed but not given, or has not finished.
    """
    if run_dir is None:
        if recipe.init_layers:
            layers = ", ".join(recipe.init_layers)
            raise UsageError(f"{name} initializes {layers} from a trained network: name its run with --init-from")
        return
    if not recipe.init_layers:
        raise UsageError(f"--init-from is for networks that start from a trained one; {name} does not")
    if not run_dir.is_dir():
        raise UsageError(f"--init-from: {run_dir} is not the folder of a run")
    run_record.read(run_dir / "record.json")
    if not (run_dir / "model.keras").is_file():
        raise UsageError(f"{run_dir} has no model.keras, the trained network: retrain the run")


def check_folder(run_dir: Path, resume: bool) -> None:
    """Raise UsageError if the folder is a file, or holds a run which is not to be resumed."""
    check_not_file(run_dir)
    if not resume and any((run_dir / name).exists() for name in STARTED):
        raise UsageError(f"{run_dir} already holds a run: resume it with --resume, or name another folder")


def check_not_file(run_dir: Path) -> None:
    """Raise UsageError if a folder that is to be written is something else, or lies in something else."""
    for path in (run_dir, *run_dir.parents):
        if path.exists():
            if not path.is_dir():
                raise UsageError(f"--run-dir: {path} is a file, not a folder: name another folder")
            return


def steps_per_epoch(recipe: Recipe, images: Images, name: str) -> int:
    """Return the number of steps of an epoch.

    Args:
        recipe: Recipe of the training.
        images: Images to train on.
        name: Name of the data set, for the error message.

    Raises:
        UsageError: If there are fewer images than in a batch.
    """
    count, batch_size = len(images.labels), recipe.batch_size
    if count < batch_size:
        raise UsageError(f"{name} has {count} training images, fewer than a batch of {batch_size}")
    return count // batch_size


def default_run_dir(network: Network, recipe: Recipe, data: Dataset, options: TrainOptions) -> Path:
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
