"""A search for settings by keras-tuner, on the training and validation parts alone: the test part is out of reach."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import tensorflow as tf
from keras_tuner.engine.base_tuner import BaseTuner

from reproductions.lab.data import base, registry
from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.files import atomic_write, remove_unfinished
from reproductions.lab.results import trial_record
from reproductions.lab.results.trial_record import Trial
from reproductions.lab.spec import recipe_changes
from reproductions.lab.spec.recipe import Recipe, plain
from reproductions.lab.spec.search_space import Choice, Domain, IntRange, LogUniform
from reproductions.lab.spec.study import Network, Study
from reproductions.lab.training import distributed
from reproductions.lab.training.checkpoint import Progress, alone_in, same_run
from reproductions.lab.training.config import Options, Plan, resolve
from reproductions.lab.training.finalize import code_state, device, versions
from reproductions.lab.training.loop import Diverged, Stop
from reproductions.lab.training.train import trained

TUNERS = ("random", "bayesian", "hyperband")
OBJECTIVE = "val_error"
ALL_WRONG = 100.0  # the error, in percent, that a tuner is told of settings with which training fails


@dataclass(frozen=True)
class Search:
    """What may be asked of a search; each is a switch of `reproduce tune`."""

    tuner: str = "random"
    max_trials: int | None = None
    epochs: int | None = None
    seed: int = 1
    resume: bool = False
    run_dir: Path | None = None
    data_dir: Path | None = None

    @property
    def trials(self) -> int:
        return self.max_trials or 20


class Withheld:
    """Stands in for the test part while settings are chosen: whoever looks at it finds out."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError("the test part was looked at while settings are chosen")


@dataclass(frozen=True)
class Bench:
    """Where settings are tried: a network, its data without the test part, and the search's folder."""

    study: Study
    network: Network
    search: Search
    run_dir: Path
    data: base.Dataset
    own: Recipe
    code: Mapping[str, Any]

    @property
    def worker(self) -> str:
        return os.environ.get("KERASTUNER_TUNER_ID", "tuner0")

    def identity(self) -> dict[str, Any]:
        """What must be the same for a search to go on."""
        return {
            "study": self.study.name, "network": self.network.name, "tuner": self.search.tuner,
            "seed": self.search.seed, "epochs": self.own.epochs, "recipe": self.own.as_data(),
            "search_space": {name: plain(asdict(domain)) for name, domain in self.network.search_space.items()},
            "sha256": self.data.sha256,
        }  # fmt: skip

    def recipe(self, settings: Mapping[str, Any], passes: int) -> Recipe:
        return replace(recipe_changes.with_settings(self.own, settings), epochs=passes, splits=("train",))

    def trial(self, settings: dict[str, Any], passes: int) -> Trial:
        """The outcome of settings after so many passes: trained now, or gone on with, or found done."""
        path = trial_record.path_of(self.run_dir, settings, passes)
        if path.exists():
            return trial_record.read(path)
        keras.utils.clear_session()
        plan = self.plan(self.recipe(settings, passes))
        folder = path.parent / trial_record.name_of(settings)
        rows, seconds, failed = self.rows(plan, folder)
        error = None if failed else rows[-1][OBJECTIVE]
        trial = Trial(
            settings, plan.recipe.as_data(), self.search.seed, rows, error, failed, seconds, self.worker,
            datetime.now(timezone.utc).isoformat(timespec="milliseconds"), dict(self.code), plan.execution,
        )  # fmt: skip
        trial.write(path)
        if failed or self.search.tuner != "hyperband":  # which may want more passes of it
            shutil.rmtree(folder, ignore_errors=True)
        return trial

    def plan(self, recipe: Recipe) -> Plan:
        options = Options(seed=self.search.seed)
        strategy = distributed.strategy_for(options.strategy, recipe.batch_size)
        return Plan(self.study, self.network, options, recipe, self.data, strategy)

    def rows(self, plan: Plan, folder: Path) -> tuple[list[dict[str, float]], float, str | None]:
        """Trains and validates: a row a pass, the seconds it took, and why it failed, if it did."""
        # Without the passes: a trial that Hyperband wants more of goes on in the same folder.
        identity = {**plan.recipe.as_data(), "epochs": None, "seed": self.search.seed, "sha256": self.data.sha256}
        failed = None
        with alone_in(folder), Stop() as stop:
            progress = Progress(folder, identity, self.code)
            try:
                trained(plan, progress, stop)
            except Diverged as error:
                failed = str(error).split(": the run is stopped")[0]
            except tf.errors.ResourceExhaustedError:
                failed = "it does not fit into the device's memory"
        return progress.at.rows, progress.wall_seconds, failed


def bench(study: Study, network: Network, search: Search) -> Bench:
    """Everything a search needs, checked. UsageError for what cannot be searched."""
    if not network.search_space:
        raise UsageError(f"{network.name} has no search space: give its Network one, as lenet5 has")
    if search.max_trials is not None and (search.max_trials < 1 or search.tuner == "hyperband"):
        raise UsageError(
            f"--max-trials must be at least 1; got {search.max_trials}" if search.max_trials < 1
            else "--max-trials is not for hyperband: the number of its trials follows from --epochs"
        )  # fmt: skip
    own = resolve(network, Options(seed=search.seed, epochs=search.epochs))
    data = registry.load(own.dataset, search.data_dir)
    run_dir = search.run_dir or Path("runs") / f"{network.name}-{data.name}-{search.tuner}-seed{search.seed}"
    without_test: Any = Withheld()
    return Bench(study, network, search, run_dir, replace(data, test=without_test), own, code_state())


# --- keras-tuner


class Halt(keras_tuner.errors.FatalError):
    """Ends the search, where keras-tuner would count a failed trial and go on."""


class Tuner(BaseTuner):
    """keras-tuner's loop over the oracle's settings, each tried on the bench."""

    def __init__(self, bench: Bench) -> None:
        folder = bench.run_dir / "oracle"
        self.bench = bench
        # Whether to go on is decided in `tuner`: keras-tuner would only under the same worker's name.
        (folder / f"{bench.worker}.json").unlink(missing_ok=True)
        super().__init__(oracle(bench), directory=str(bench.run_dir), project_name=folder.name)

    def run_trial(self, trial: Any, *words: Any, **options: Any) -> dict[str, float]:
        values = trial.hyperparameters.values
        settings = {name: rounded(values[name]) for name in self.bench.network.search_space}
        of = f" of {self.oracle.max_trials}" if self.oracle.max_trials else ""
        print(f"\ntrial {int(trial.trial_id) + 1}{of}: {trial_record.told(settings)}", flush=True)
        try:
            done = self.bench.trial(settings, values.get("tuner/epochs", self.bench.own.epochs))
            best = trial_record.best_of(trial_record.read_all(self.bench.run_dir))
        except Exception as error:
            raise Halt from error
        so_far = f"; best so far {best.error:.2f}%, {trial_record.told(best.settings)}" if best else ""
        print(f"{trial_record.outcome(done)}{so_far}", flush=True)
        return {OBJECTIVE: ALL_WRONG if done.error is None else done.error}


def rounded(value: Any) -> Any:
    """A drawn number to three digits, as a recipe would print it."""
    return float(f"{value:.3g}") if isinstance(value, float) else value


def oracle(bench: Bench) -> keras_tuner.Oracle:
    """What proposes settings; the same for the same seed, as far as trials end in the same order."""
    space = keras_tuner.HyperParameters()
    for name, domain in bench.network.search_space.items():
        declare(space, name, domain)
    # To keras-tuner a seed of 0 is none.
    common = {
        "objective": keras_tuner.Objective(OBJECTIVE, "min"), "hyperparameters": space, "seed": bench.search.seed + 1
    }  # fmt: skip
    if bench.search.tuner == "hyperband":
        made = keras_tuner.oracles.HyperbandOracle(max_epochs=bench.own.epochs, **common)
    elif bench.search.tuner == "bayesian":
        made = keras_tuner.oracles.BayesianOptimizationOracle(max_trials=bench.search.trials, **common)
    else:
        made = keras_tuner.oracles.RandomSearchOracle(max_trials=bench.search.trials, **common)
    made.verbose = 0
    return made


def declare(space: Any, name: str, domain: Domain) -> None:
    if isinstance(domain, LogUniform):
        space.Float(name, domain.low, domain.high, sampling="log")
    elif isinstance(domain, IntRange):
        space.Int(name, domain.low, domain.high, step=domain.step)
    elif isinstance(domain, Choice):
        space.Choice(name, list(domain.values))


def tuner(bench: Bench) -> Tuner:
    """The tuner with all that its oracle learnt before.

    Where keras-tuner's files are damaged, as a kill may leave them, it begins anew: the same seed draws the same
    settings, and those that have a record are answered from there.
    """
    made = Tuner(bench)
    state = bench.run_dir / "oracle" / "oracle.json"
    if not isinstance(made.oracle, keras_tuner.Oracle) or not state.exists():  # another process has it, or none yet
        return made
    try:
        made.oracle.reload()
        if len(made.oracle.trials) != len(made.oracle.start_order):
            raise ValueError("it was being written when the search was killed")
    except Exception as error:
        print(f"note: {state.parent} cannot be read ({error}); asking anew, records answer what is known", flush=True)
        shutil.rmtree(state.parent)
        made = Tuner(bench)
    return made


def begin(bench: Bench) -> None:
    """Writes down what is searched. UsageError for a folder with a search, unless that is to go on and the same."""
    path = bench.run_dir / "search.json"
    if path.exists():
        if not bench.search.resume:
            raise UsageError(f"{bench.run_dir} holds a search already: go on with --resume, or name another folder")
        join(bench)
        return
    with atomic_write(path) as unfinished:
        told = {**bench.identity(), "data": bench.data.name, **bench.code, "versions": versions(), "device": device(1)}
        unfinished.write_text(json.dumps(told, indent=1) + "\n")


def join(bench: Bench) -> None:
    """UsageError where the folder holds another search than this."""
    path = bench.run_dir / "search.json"
    if path.exists():
        with file_errors(path, "remove the folder and begin anew"):
            found = json.loads(path.read_text())
        same_run({name: found.get(name) for name in bench.identity()}, bench.identity(), path)


def run(tuner: Tuner) -> None:
    """The search, to its end. Raises what a trial raised, but for failures that are the settings' own."""
    try:
        tuner.search()
    except Halt as halt:
        raise (halt.__cause__ or halt) from None


def sweep(bench: Bench) -> None:
    """Removes the states of trials that nobody will go on with, and what killed workers left unfinished."""
    remove_unfinished(bench.run_dir / trial_record.FOLDER)
    for state in (bench.run_dir / trial_record.FOLDER).iterdir():
        if state.is_dir():
            shutil.rmtree(state, ignore_errors=True)


def best_recipe(bench: Bench, best: Trial) -> dict[str, Any]:
    """The best settings as fields of a recipe, those alone that are not the network's own; passes and parts are."""
    own = bench.network.to_train()
    return recipe_changes.changed_fields(recipe_changes.with_settings(own, best.settings).as_data(), own.as_data())
