"""A classifier that is not a Keras model, fitted and tested at once, to the record. Without TensorFlow.

It takes minutes at most, so nothing is saved on the way: an interrupted run starts over. Only the networks that some
classifiers combine are saved, and continue where they stopped.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sklearn
from threadpoolctl import threadpool_limits

from reproductions.lab import environment
from reproductions.lab.classifiers import registry as classifiers
from reproductions.lab.data import registry
from reproductions.lab.data.base import Dataset, InMemoryImages
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation.contact_sheet import write_sheet
from reproductions.lab.files import lock_directory, remove_unfinished
from reproductions.lab.results import predictions, run_record
from reproductions.lab.results.entries import WHOLE_IMAGE, ErrorRate, Execution
from reproductions.lab.results.run_record import Record
from reproductions.lab.spec import recipe_files
from reproductions.lab.spec.classifier import Classifier, FitRecipe
from reproductions.lab.spec.study import Study
from reproductions.lab.training.options import TrainOptions
from reproductions.lab.training.run_identity import check_same_run, code_state, identity, summarize

if TYPE_CHECKING:
    from reproductions.lab.training.members import MemberTrainer

# The options that a classifier has; the others are about epochs, updates and devices.
OPTIONS = ("seed", "recipe", "hold_out", "training_images", "data_dir", "run_dir", "resume", "threads")


@dataclass(frozen=True)
class FitConfig:
    """A fit as it will be executed: what was asked for, the resolved recipe, and the data."""

    study: Study
    classifier: Classifier
    options: TrainOptions
    recipe: FitRecipe
    data: Dataset

    @property
    def run_dir(self) -> Path:
        """Folder of the run."""
        if self.options.run_dir:
            return self.options.run_dir
        name = f"{self.classifier.name}-{self.data.name}-seed{self.options.seed}"
        if self.recipe != self.classifier.recipe:
            name += f"-{self.options.recipe.stem}" if self.options.recipe else ""
            name += f"-{'+'.join(self.recipe.splits)}"
            name += f"-{self.recipe.training_images}images" if self.recipe.training_images else ""
        return Path("runs") / name

    @property
    def threads(self) -> int:
        """Number of threads, on which the last bits of a result depend."""
        default = 1 if classifiers.trains_networks(self.recipe.steps) else environment.cores()
        return self.options.threads or default

    @property
    def identity(self) -> dict[str, object]:
        """What distinguishes this run from others, as JSON would give it back."""
        return identity(self.study, self.classifier.name, self.options.seed, self.recipe, self.data)

    def trainer(self, network: str, recipe: Mapping[str, Any]) -> MemberTrainer:
        """Return what trains the networks of a step, given the name of the network and the fields of its recipe."""
        from reproductions.lab.training import members

        return members.MemberTrainer(
            self.study,
            members.find_network(network, self.study),
            replace(members.recipe_of(recipe, self.classifier.name), splits=self.recipe.splits),
            TrainOptions(self.options.seed, run_dir=self.run_dir, strategy="single", threads=self.options.threads),
            self.data,
        )


def fit(study: Study, classifier: Classifier, options: TrainOptions) -> Path:
    """Fit a classifier by its recipe, test it, and write the record; with `options.resume` a finished run is reused.

    Args:
        study: The paper.
        classifier: One of its classifiers.
        options: Options of `reproduce train`.

    Returns:
        Folder of the run with its record.

    Raises:
        UsageError: If an option does not apply to a classifier, the folder is in use or holds another run, or the data
            cannot be read.
    """
    config = configure(study, classifier, options)
    run_dir = config.run_dir
    if is_finished(config):
        print(f"{run_dir} holds this run, which has finished: reusing it")
        return run_dir
    with lock_directory(run_dir):
        remove_unfinished(run_dir)
        make_record(config).write(run_dir / "record.json")
    return run_dir


def configure(study: Study, classifier: Classifier, options: TrainOptions) -> FitConfig:
    """Return the fit that is asked for.

    Raises:
        UsageError: If an option does not apply or is out of range, or the data cannot be read.
    """
    for field in fields(TrainOptions):
        if field.name not in OPTIONS and getattr(options, field.name) != field.default:
            raise UsageError(
                f"--{field.name.replace('_', '-')} does not apply to {classifier.name}, which is fitted at once, "
                "without epochs, updates or devices: omit it"
            )
    options.check()
    environment.check_threads(options.threads)
    recipe = classifier.recipe
    if options.recipe is not None:
        recipe = recipe_files.overridden(recipe, recipe_files.read(options.recipe), options.recipe)
    if options.hold_out:
        recipe = replace(recipe, splits=("train",))
    if options.training_images is not None:
        recipe = replace(recipe, training_images=options.training_images)
    classifiers.create(recipe.steps, options.seed)  # an invalid step is reported before the data are read
    data = registry.load(recipe.dataset, options.data_dir)
    print(f"data: {data.description}", flush=True)
    return FitConfig(study, classifier, options, recipe, data)


def is_finished(config: FitConfig) -> bool:
    """Return whether the folder holds this run; UsageError if it holds another one, or this one without `resume`."""
    path = config.run_dir / "record.json"
    if not path.exists():
        return False
    if not config.options.resume:
        raise UsageError(f"{config.run_dir} already holds a run: reuse it with --resume, or name another folder")
    record = run_record.read(path)
    check_same_run({**vars(record), "sha256": record.data.sha256}, config.identity, path)
    if record.execution.threads is not None:  # GPUs have none
        check_same_run(asdict(record.execution), {"threads": config.threads}, path)
    if record.commit != code_state().commit:
        print(f"note: it was made by commit {record.commit}; the code has changed since")
    return True


def make_record(config: FitConfig) -> Record:
    """Fit and test the classifier, and return the record of the run. The misclassified images are written."""
    start, recipe, data = time.perf_counter(), config.recipe, config.data
    training, test = in_memory(data.training(recipe.splits, recipe.training_images), data), in_memory(data.test, data)
    with threadpool_limits(config.threads):
        estimator = classifiers.create(recipe.steps, config.options.seed, config.trainer)
        try:
            estimator.fit(pixels(training), training.labels)
        except ValueError as error:
            raise UsageError(f"{config.classifier.name} cannot be fitted: {str(error).splitlines()[0]}") from None
        print(f"fitted to {len(training.labels):,} images, {time.perf_counter() - start:.0f} s", flush=True)
        answers = estimator.predict(pixels(test))
        validation = None
        if "validation" not in recipe.splits:
            held_out = in_memory(data.validation, data)
            wrong = int((estimator.predict(pixels(held_out)) != held_out.labels).sum())
            validation = ErrorRate.of(wrong, len(held_out.labels))
    misclassified = predictions.misclassified(answers, test.labels)
    write_sheet(test.images, misclassified, config.run_dir / "misclassified.png")
    scores = np.eye(data.classes, dtype=np.float32)[answers]
    code = code_state()
    trainer: MemberTrainer | None = getattr(estimator[-1], "trainer_", None)
    network = trainer.records[-1] if trainer else None
    return Record(
        study=config.study.name,
        network=config.classifier.name,
        seed=config.options.seed,
        recipe=recipe.as_data(),
        data=summarize(data),
        commit=code.commit,
        dirty=code.dirty,
        versions={**(network.versions if network else {}), **versions()},
        device=network.device if network else environment.processors(),
        strategy="one device",
        parameters={},
        history=[],
        test=predictions.result_of(scores, test.labels, WHOLE_IMAGE),
        misclassified=misclassified,
        finished=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        wall_seconds=time.perf_counter() - start + (trainer.earlier_seconds if trainer else 0.0),
        images_per_second=None,
        execution=Execution(threads=network.execution.threads if network else config.threads),
        validation=validation,
    )


def versions() -> dict[str, str]:
    """Return the versions of Python and the libraries on which results depend, but for those of networks."""
    return {"python": platform.python_version(), **{each.__name__: each.__version__ for each in (sklearn, np)}}


def in_memory(images: object, data: Dataset) -> InMemoryImages:
    """Return the images; UsageError if they are on disk, which no classifier takes."""
    if not isinstance(images, InMemoryImages):
        raise UsageError(f"{data.name} is read from disk image by image: classifiers take images that fit into memory")
    return images


def pixels(images: InMemoryImages) -> np.ndarray:
    """Return the pixels in 0..1, float32, as the steps of a recipe take them."""
    return images.images.astype(np.float32) / 255
