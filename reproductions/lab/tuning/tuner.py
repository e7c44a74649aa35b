"""keras-tuner's tuners, which propose the settings of trials."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import keras_tuner
from keras_tuner.engine.base_tuner import BaseTuner

from reproductions.lab.progress import Progress, progress
from reproductions.lab.results import trial_record
from reproductions.lab.spec.search_space import Choice, Domain, IntRange, LogUniform, Value
from reproductions.lab.tuning.search import DEFAULT_TRIALS, TrialRunner

OBJECTIVE = "val_error"
FAILED_ERROR = 100.0  # error in percent that the oracle gets for settings with which training fails
FOLDER = "oracle"


class SearchAborted(keras_tuner.errors.FatalError):
    """Ends the search on an error, for which keras-tuner would record a failed trial and continue."""


class Tuner(BaseTuner):
    """keras-tuner's loop over the oracle's settings, each of which the runner tries.

    Args:
        runner: Runner of the trials.
    """

    def __init__(self, runner: TrialRunner) -> None:
        self.runner, self.progress = runner, Progress("search", None, "trials")
        # `create_tuner` decides whether the search resumes: keras-tuner only resumes under the same worker's name.
        (runner.run_dir / FOLDER / f"{runner.worker}.json").unlink(missing_ok=True)
        super().__init__(create_oracle(runner), directory=str(runner.run_dir), project_name=FOLDER)

    def run_trial(self, trial: keras_tuner.engine.trial.Trial, *args: object, **kwargs: object) -> dict[str, float]:
        """Run a trial, and return its validation error for the oracle."""
        values = trial.hyperparameters.values
        settings = {name: rounded(values[name]) for name in self.runner.network.search_space}
        total = f" of {self.oracle.max_trials}" if self.oracle.max_trials else ""
        print(f"\ntrial {int(trial.trial_id) + 1}{total}: {trial_record.format_settings(settings)}", flush=True)
        try:
            result = self.runner.run(settings, values.get("tuner/epochs", self.runner.recipe.epochs))
            best = trial_record.best_of(trial_record.read_all(self.runner.run_dir))
        except Exception as error:
            raise SearchAborted from error
        best_so_far = f"; best so far {best.error:.2f}%, {trial_record.format_settings(best.settings)}" if best else ""
        print(f"{trial_record.format_result(result)}{best_so_far}", flush=True)
        self.progress.update(int(trial.trial_id) + 1)
        return {OBJECTIVE: FAILED_ERROR if result.error is None else result.error}


def rounded(value: Value) -> Value:
    """Return a float rounded to three digits, as a recipe would give it."""
    return float(f"{value:.3g}") if isinstance(value, float) else value


def create_oracle(runner: TrialRunner) -> keras_tuner.Oracle:
    """Return what proposes settings: the same for the same seed, if trials finish in the same order."""
    options, space = runner.options, keras_tuner.HyperParameters()
    for name, domain in runner.network.search_space.items():
        add_hyperparameter(space, name, domain)
    common = {
        "objective": keras_tuner.Objective(OBJECTIVE, "min"),
        "hyperparameters": space,
        "seed": options.seed + 1,  # keras-tuner takes a seed of 0 as none
    }
    trials = options.max_trials or DEFAULT_TRIALS
    if options.tuner == "hyperband":
        oracle = keras_tuner.oracles.HyperbandOracle(max_epochs=runner.recipe.epochs, **common)
    elif options.tuner == "bayesian":
        oracle = keras_tuner.oracles.BayesianOptimizationOracle(max_trials=trials, **common)
    else:
        oracle = keras_tuner.oracles.RandomSearchOracle(max_trials=trials, **common)
    oracle.verbose = 0
    return oracle


def add_hyperparameter(space: keras_tuner.HyperParameters, name: str, domain: Domain) -> None:
    """Add a hyperparameter with its domain to keras-tuner's search space."""
    if isinstance(domain, LogUniform):
        space.Float(name, domain.low, domain.high, sampling="log")
    elif isinstance(domain, IntRange):
        space.Int(name, domain.low, domain.high, step=domain.step)
    elif isinstance(domain, Choice):
        space.Choice(name, list(domain.values))


def create_tuner(runner: TrialRunner) -> Tuner:
    """Return the tuner of a search, with what its oracle knows from earlier sessions.

    If keras-tuner's files are damaged, as a kill may leave them, the oracle starts again: the same seed draws the same
    settings, and the records answer for those that were tried.
    """
    tuner = Tuner(runner)
    state = runner.run_dir / FOLDER / "oracle.json"
    if not isinstance(tuner.oracle, keras_tuner.Oracle) or not state.exists():  # another process has it, or none yet
        return tuner
    try:
        tuner.oracle.reload()
        if len(tuner.oracle.trials) != len(tuner.oracle.start_order):
            raise ValueError("it was being written when the search was killed")
    except Exception as error:
        print(f"note: {state.parent} cannot be read ({error}); it is rebuilt from the recorded trials", flush=True)
        shutil.rmtree(state.parent)
        tuner = Tuner(runner)
    return tuner


@contextmanager
def search_progress(tuner: Tuner) -> Iterator[Progress]:
    """Show how many trials of a search are done, while the block runs."""
    done = len(trial_record.read_all(tuner.runner.run_dir))
    with progress("search", tuner.oracle.max_trials, "trials", done) as shown:
        yield shown


def run_search(tuner: Tuner) -> None:
    """Run a search to its end. An error that is not the settings' own is raised as a trial raised it."""
    try:
        with search_progress(tuner) as tuner.progress:
            tuner.search()
    except SearchAborted as aborted:
        raise (aborted.__cause__ or aborted) from None
