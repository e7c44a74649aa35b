"""Records of a hyperparameter search: one file for the search, and one for each of its trials."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from reproductions.lab.errors import UsageError
from reproductions.lab.files import write_json
from reproductions.lab.ranges import Epochs, Name, NonNegative, Percent, Whole
from reproductions.lab.results.entries import EpochResult, Execution
from reproductions.lab.results.run_record import read_typed
from reproductions.lab.spec import recipe_files
from reproductions.lab.spec.search_space import Value

SCHEMA = 2
FOLDER = "trials"
SEARCH = "search.json"

Settings = dict[str, Value]
TunerName = Literal["random", "bayesian", "hyperband"]


@dataclass(frozen=True)
class CodeState:
    """Commit of the code, and whether it was changed since; None outside a git checkout."""

    commit: str | None = None
    dirty: bool | None = None


@dataclass(frozen=True)
class Trial:
    """One set of hyperparameters and its result.

    Attributes:
        settings: Values by the names of the network's search space.
        recipe: Resolved recipe as it was run, from `Recipe.as_data`.
        seed: Random seed.
        history: Metrics of each epoch, with the error on the validation split.
        error: Validation error of the last epoch, in percent; None if the trial failed.
        failed: Why it failed, or None.
        seconds: Time from start to end, in all sessions together.
        worker: Name of the worker that ran it.
        finished: When it finished, UTC.
        code: The code that finished it; unknown for trials before 2026-11-23.
        execution: How it was executed; unknown for those trials, too.
        schema: Version of this format.
    """

    settings: Settings
    recipe: dict[str, Any]
    seed: Whole
    history: list[EpochResult]
    error: Percent | None
    failed: str | None
    seconds: NonNegative
    worker: str
    finished: str
    code: CodeState = field(default_factory=CodeState)
    execution: Execution = field(default_factory=Execution)
    schema: int = SCHEMA

    @property
    def epochs(self) -> int:
        """Number of epochs."""
        return int(self.recipe["epochs"])

    def write(self, path: Path) -> None:
        """Write the trial to a file, atomically."""
        path.parent.mkdir(parents=True, exist_ok=True)
        history = [each.as_data() for each in self.history]
        write_json(path, {"schema": self.schema, **asdict(self), "history": history})


@dataclass(frozen=True)
class SearchRecord:
    """What is searched.

    Attributes:
        study: Name of the paper.
        network: Name of the network.
        tuner: "random", "bayesian" or "hyperband".
        seed: Random seed of the settings drawn, and of every trial.
        epochs: Epochs of a trial; of hyperband's longest ones.
        recipe: The recipe that the settings change, from `Recipe.as_data`.
        search_space: Domains by name, from `dataclasses.asdict`.
        sha256: Checksum of the data.
        data: Name of the data set.
        commit: Commit of the code at the start; None outside a git checkout.
        dirty: Whether the code was changed since.
        versions: Versions of Python and the libraries; unknown for searches before 2026-11-23.
        device: Description of the devices; unknown for those searches, too.
        schema: Version of this format.
    """

    study: Name
    network: Name
    tuner: TunerName
    seed: Whole
    epochs: Epochs
    recipe: dict[str, Any]
    search_space: dict[str, dict[str, Any]]
    sha256: str
    data: str
    commit: str | None
    dirty: bool | None
    versions: dict[str, str] = field(default_factory=dict)
    device: str | None = None
    schema: int = SCHEMA

    def write(self, path: Path) -> None:
        """Write the record to a file, atomically."""
        write_json(path, {"schema": self.schema, **asdict(self)})


def name_of(settings: Mapping[str, Value]) -> str:
    """Return a name that depends on the settings only."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def path_of(run_dir: Path, settings: Mapping[str, Value], epochs: int) -> Path:
    """Return the file of a trial."""
    return run_dir / FOLDER / f"{name_of(settings)}-{epochs}.json"


def read(path: Path) -> Trial:
    """Return the trial in a file; UsageError names a file that has none."""
    trial = read_typed(path, Trial, SCHEMA, "the record of a trial")
    check_recipe(trial.recipe, path)
    if (trial.error is None) == (trial.failed is None):
        raise UsageError(f"{path} is not the record of a trial: it needs an error or a failure; remove it to try again")
    return trial


def check_recipe(recipe: Mapping[str, Any], path: Path) -> None:
    """Raise UsageError unless the recipe in a file is that of a network."""
    if "epochs" not in recipe:
        raise UsageError(f"{path} has a recipe without epochs: only those of networks are tuned")
    recipe_files.check_recorded(recipe, path)


def read_all(run_dir: Path) -> list[Trial]:
    """Return all trials of a search, in the order in which they finished."""
    # Files with a leading dot are being written, or were when a worker was killed.
    found = [read(path) for path in (run_dir / FOLDER).glob("[!.]*.json")]
    return sorted(found, key=lambda trial: (trial.finished, name_of(trial.settings)))


def read_search(run_dir: Path) -> SearchRecord:
    """Return what is searched in a folder; UsageError if its file is missing or damaged."""
    record = read_typed(run_dir / SEARCH, SearchRecord, SCHEMA, "the record of a search")
    check_recipe(record.recipe, run_dir / SEARCH)
    return record


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """Return the trial with the lowest validation error among those of the most epochs; None if all failed."""
    done = [trial for trial in trials if trial.error is not None]
    most = max((trial.epochs for trial in done), default=0)
    return min((trial for trial in done if trial.epochs == most), key=lambda trial: trial.error or 0, default=None)


def format_settings(settings: Mapping[str, Value]) -> str:
    """Return settings as text: "learning rate 0.01, batch size 64"."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in settings.items())


def format_result(trial: Trial) -> str:
    """Return the result of a trial as text."""
    if trial.error is None:
        return f"failed: {trial.failed}"
    epochs = "1 epoch" if trial.epochs == 1 else f"{trial.epochs} epochs"
    return f"validation error {trial.error:.2f}% after {epochs}, {trial.seconds:.0f} s"
