"""A hyperparameter search on the training and validation splits; the test split is out of reach."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timezone
from pathlib import Path

import keras
import tensorflow as tf

from reproductions.lab import environment
from reproductions.lab.files import lock_directory, remove_unfinished
from reproductions.lab.results import trial_record
from reproductions.lab.results.entries import EpochResult
from reproductions.lab.results.trial_record import CodeState, SearchRecord, Settings, Trial
from reproductions.lab.spec import recipe_changes
from reproductions.lab.spec.recipe import Recipe, plain
from reproductions.lab.training import distributed
from reproductions.lab.training.checkpoint import Checkpoint
from reproductions.lab.training.cluster import Cluster
from reproductions.lab.training.config import RunConfig
from reproductions.lab.training.finalize import device_name, versions
from reproductions.lab.training.options import TrainOptions
from reproductions.lab.training.run_identity import check_same_run, code_state
from reproductions.lab.training.stopping import Diverged, StopRequest
from reproductions.lab.training.train import trained_model
from reproductions.lab.tuning.plan import SearchPlan, check_folder

DEFAULT_TRIALS = 20


@dataclass(frozen=True)
class TrialRunner(SearchPlan):
    """Runs the trials of a search.

    Attributes:
        code: The code that runs.
        worker: Name of this process among the workers of the search.
    """

    code: CodeState
    worker: str = "tuner0"

    def record(self) -> SearchRecord:
        """Return the record of the search."""
        return SearchRecord(
            study=self.study.name,
            network=self.network.name,
            tuner=self.options.tuner,
            seed=self.options.seed,
            epochs=self.recipe.epochs,
            recipe=self.recipe.as_data(),
            search_space={name: plain(asdict(domain)) for name, domain in self.network.search_space.items()},
            sha256=self.data.sha256,
            data=self.data.name,
            commit=self.code.commit,
            dirty=self.code.dirty,
            versions=versions(),
            device=device_name(1),
        )

    def recipe_for(self, settings: Settings, epochs: int) -> Recipe:
        """Return the recipe of a trial."""
        changed = recipe_changes.with_settings(self.recipe, settings)
        return replace(changed, epochs=epochs, splits=("train",))

    def run(self, settings: Settings, epochs: int) -> Trial:
        """Return the result of some settings after a number of epochs: recorded, resumed or trained now."""
        path = trial_record.path_of(self.run_dir, settings, epochs)
        if path.exists():
            return trial_record.read(path)
        keras.utils.clear_session()
        config = self.configure(self.recipe_for(settings, epochs))
        folder = path.parent / trial_record.name_of(settings)
        history, seconds, failed = self.train(config, folder)
        trial = Trial(
            settings=settings,
            recipe=config.recipe.as_data(),
            seed=self.options.seed,
            history=history,
            error=None if failed else history[-1].val_error,
            failed=failed,
            seconds=seconds,
            worker=self.worker,
            finished=datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            code=self.code,
            execution=config.execution,
        )
        trial.write(path)
        if failed or self.options.tuner != "hyperband":  # hyperband may need more epochs of it
            shutil.rmtree(folder, ignore_errors=True)
        return trial

    def configure(self, recipe: Recipe) -> RunConfig:
        """Return the run of a trial, which this process trains alone."""
        options = TrainOptions(seed=self.options.seed, threads=self.options.threads)
        strategy = distributed.create_strategy(options.strategy, Cluster(), recipe.batch_size)
        return RunConfig(self.study, self.network, options, recipe, self.data, strategy=strategy)

    def train(self, config: RunConfig, folder: Path) -> tuple[list[EpochResult], float, str | None]:
        """Train and validate; return the metrics of each epoch, the seconds it took, and why it failed if it did."""
        # Without the number of epochs: a trial of which hyperband needs more resumes in the same folder.
        identity = {**config.recipe.as_data(), "epochs": None, "seed": self.options.seed, "sha256": self.data.sha256}
        failed = None
        with lock_directory(folder), StopRequest() as stop:
            checkpoint = Checkpoint(folder, identity, self.code)
            try:
                trained_model(config, checkpoint, stop)
            except Diverged as error:
                failed = error.reason
            except tf.errors.ResourceExhaustedError:
                failed = "it does not fit into the device's memory"
        return checkpoint.state.history, checkpoint.wall_seconds, failed


def create_runner(planned: SearchPlan, worker: str = "tuner0") -> TrialRunner:
    """Return the runner of a search's trials.

    Args:
        planned: The search.
        worker: Name of this process among the workers of the search.
    """
    environment.set_threads(planned.options.threads)
    values = {each.name: getattr(planned, each.name) for each in fields(planned)}
    return TrialRunner(**values, code=code_state(), worker=worker)


# --- The folder of a search


def start(runner: TrialRunner) -> None:
    """Record what is searched, or resume the search in the folder.

    Raises:
        UsageError: If the folder holds another search, or any without `resume`.
    """
    check_folder(runner)
    join(runner)
    path = runner.run_dir / trial_record.SEARCH
    if not path.exists():
        runner.record().write(path)


def join(runner: TrialRunner) -> None:
    """Check that the folder holds this search, if any.

    Raises:
        UsageError: If it holds another one.
    """
    path = runner.run_dir / trial_record.SEARCH
    if path.exists():
        check_same_run(identity(trial_record.read_search(runner.run_dir)), identity(runner.record()), path)


def identity(record: SearchRecord) -> Mapping[str, object]:
    """Return what must be equal for a search to resume."""
    names = ("study", "network", "tuner", "seed", "epochs", "recipe", "search_space", "sha256")
    return {name: plain(getattr(record, name)) for name in names}


def clean_up(runner: TrialRunner) -> None:
    """Remove the states of trials, which are no longer needed, and the temporary files of killed workers."""
    folder = runner.run_dir / trial_record.FOLDER
    remove_unfinished(folder)
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)


def best_fields(runner: TrialRunner, best: Trial) -> dict[str, object]:
    """Return the fields of a recipe in which the best settings differ from the network's own recipe.

    Epochs and splits stay those of the own recipe.
    """
    own = runner.network.to_train()
    best_recipe = recipe_changes.with_settings(own, best.settings)
    return recipe_changes.changed_fields(best_recipe.as_data(), own.as_data())
