"""What a search writes down: a file a trial, whole or not at all, from which everything else can be told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from reproductions.lab.errors import UsageError
from reproductions.lab.files import atomic_write

FOLDER = "trials"


@dataclass(frozen=True)
class Trial:
    """One set of settings, and what came of it.

    Attributes:
        settings: by the names of the network's search_space.
        recipe: resolved, as it was run; `Recipe.as_data`.
        rows: a row a pass, as in a run's record, with the error on the validation part, `val_error`, in percent.
        error: that of the last pass; None for a trial that failed.
        failed: why it did, or None.
        seconds: from its start to its end, all sittings together.
        worker: who ran it.
        finished: when, UTC.
        code: the commit that ended it, and whether it was changed since; empty in trials of before 2026-11-23.
        execution: precision, threads and the like, as in a run's record; empty in those too.
    """

    settings: dict[str, Any]
    recipe: dict[str, Any]
    seed: int
    rows: list[dict[str, float]]
    error: float | None
    failed: str | None
    seconds: float
    worker: str
    finished: str
    code: dict[str, Any] = field(default_factory=dict)
    execution: dict[str, Any] = field(default_factory=dict)

    @property
    def passes(self) -> int:
        return int(self.recipe["epochs"])

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as unfinished:
            unfinished.write_text(json.dumps(asdict(self), indent=1) + "\n")


def name_of(settings: Mapping[str, Any]) -> str:
    """A name that is the same for the same settings, wherever and whenever they are tried."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def path_of(run_dir: Path, settings: Mapping[str, Any], passes: int) -> Path:
    return run_dir / FOLDER / f"{name_of(settings)}-{passes}.json"


def read(path: Path) -> Trial:
    """The trial in a file; UsageError names a file that holds none."""
    try:
        trial = Trial(**json.loads(path.read_text()))
        if trial.passes < 1 or (trial.error is None) == (trial.failed is None):
            raise ValueError("it has no error and did not fail, or both")
        return trial
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path} is not a whole record of a trial: {error}; remove it, to try it again") from None


def read_all(run_dir: Path) -> list[Trial]:
    """All trials of a search, in the order in which they ended."""
    # Not those with a dot before them, which are being written, or were when a worker was killed.
    found = [read(path) for path in (run_dir / FOLDER).glob("[!.]*.json")]
    return sorted(found, key=lambda trial: (trial.finished, name_of(trial.settings)))


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The lowest validation error among the trials of the most passes; None where all failed."""
    done = [trial for trial in trials if trial.error is not None]
    most = max((trial.passes for trial in done), default=0)
    return min((trial for trial in done if trial.passes == most), key=lambda trial: trial.error or 0, default=None)


def told(settings: Mapping[str, Any]) -> str:
    """Settings in words: "rate 0.01, batch 64"."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in settings.items())


def outcome(trial: Trial) -> str:
    if trial.error is None:
        return f"failed: {trial.failed}"
    return f"validation error {trial.error:.2f}% after {trial.passes} pass(es), {trial.seconds:.0f} s"
