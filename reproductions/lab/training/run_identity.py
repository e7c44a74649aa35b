"""What a record says about the code and the data, and whether a folder holds the run asked for. Without TensorFlow."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from reproductions.lab.data.base import Dataset
from reproductions.lab.errors import UsageError
from reproductions.lab.results.entries import DataSummary
from reproductions.lab.results.trial_record import CodeState
from reproductions.lab.spec.classifier import FitRecipe
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.spec.study import Study


def code_state() -> CodeState:
    """Return the commit of the code and whether it was changed since; unknown outside a git checkout."""
    home = Path(__file__).parents[3]

    def git(*arguments: str) -> str | None:
        try:
            command = ["git", "-C", str(home), *arguments]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return None

    changes = git("status", "--porcelain", "--", "layers", "reproductions")
    return CodeState(git("rev-parse", "HEAD"), None if changes is None else bool(changes))


def summarize(data: Dataset) -> DataSummary:
    """Return what a record keeps of a data set."""
    return DataSummary(name=data.name, source=data.source, sha256=data.sha256, classes=data.classes, **data.sizes())


def identity(study: Study, model: str, seed: int, recipe: Recipe | FitRecipe, data: Dataset) -> dict[str, object]:
    """Return what distinguishes a run from others, as JSON would give it back, for `check_same_run`.

    Args:
        study: The paper.
        model: Name of its network or classifier.
        seed: Random seed.
        recipe: Resolved recipe.
        data: The data set.
    """
    return {
        "study": study.name,
        "network": model,
        "seed": seed,
        "recipe": recipe.as_data(),
        "sha256": data.sha256,
    }


def check_same_run(found: Mapping[str, object], expected: Mapping[str, object], path: Path) -> None:
    """Check that a run found in a folder is the expected one.

    Args:
        found: Identity of the run found; fields that `expected` lacks are ignored.
        expected: Identity of the run that is asked for.
        path: File of the run found, for the error message.

    Raises:
        UsageError: If they differ; it names the first difference.
    """
    for name, value in expected.items():
        other = found.get(name)
        if other == value:
            continue
        if isinstance(value, dict) and isinstance(other, dict):
            key = next(key for key in {**other, **value} if other.get(key) != value.get(key))
            name, other, value = f"{name}, {key}", other.get(key), value.get(key)
        raise UsageError(
            f"{path.parent} holds a run with another {name} ({other}, not {value}); "
            "use the same settings, remove the folder, or name another one with --run-dir"
        )
