"""What a record says about the code and the data, and whether a folder holds the run asked for. Without TensorFlow."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from reproductions.lab.data.base import Dataset
from reproductions.lab.environment import SUITE
from reproductions.lab.errors import UsageError
from reproductions.lab.results.entries import DataSummary
from reproductions.lab.results.trial_record import CodeState
from reproductions.lab.spec.classifier import FitRecipe
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.spec.study import Study

GIT_TIMEOUT = 10  # seconds


def code_state(home: Path = SUITE) -> CodeState:
    """Return the commit of the code and whether it was changed since.

    Args:
        home: Folder of the suite. Both are unknown if it is not the top of a git checkout, but an unpacked
            archive, say, in a folder of another repository.
    """
    if not (home / ".git").exists():
        return CodeState(None, None)
    top = git(home, "rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != home.resolve():
        return CodeState(None, None)
    changes = git(home, "status", "--porcelain", "--", "layers", "reproductions")
    return CodeState(git(home, "rev-parse", "HEAD"), None if changes is None else bool(changes))


def git(home: Path, *arguments: str) -> str | None:
    """Return the output of a git command, which runs no program of the repository; None if it fails.

    Args:
        home: Folder in which it runs.
        *arguments: The command.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C", str(home), *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            env=environment,
            check=True,
            timeout=GIT_TIMEOUT,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


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
