"""The results of trainings and searches, compared by several tests."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from reproductions.lab.results import run_record, trial_record
from reproductions.lab.results.trial_record import Settings


def position(state: Path) -> tuple[int, int]:
    """Return the complete epochs and the further steps in a state file; none if it does not exist."""
    try:
        with np.load(state) as file:
            found = json.loads(file["metadata"].tobytes())["state"]
            return len(found["history"]), found["step"]
    except FileNotFoundError:
        return 0, 0


def variables(run: Path) -> list[np.ndarray]:
    """Return all variables in the state of a run."""
    with np.load(run / "state.npz") as file:
        return [file[f"variable{i}"] for i in range(len(file.files) - 1)]


def assert_the_same(run: Path, undisturbed: Path) -> None:
    """Assert that two runs have the same variables to the last bit, and the same record but for the times."""
    for one, other in zip(variables(run), variables(undisturbed), strict=True):
        np.testing.assert_array_equal(one, other)
    one, other = [run_record.read(folder / "record.json").without_times() for folder in (run, undisturbed)]
    assert one == other


def trial_results(run_dir: Path) -> list[tuple[Settings, int, float | None]]:
    """Return settings, epochs and error of each trial of a search."""
    return [(trial.settings, trial.epochs, trial.error) for trial in trial_record.read_all(run_dir)]
