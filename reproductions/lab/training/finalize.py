"""What is left of a run: the model, its test, and the record that tells everything about it."""

from __future__ import annotations

import platform
import statistics
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from reproductions.lab import environment
from reproductions.lab.data import base
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import evaluate
from reproductions.lab.files import atomic_write
from reproductions.lab.results import run_record
from reproductions.lab.training import model as networks
from reproductions.lab.training.checkpoint import Progress
from reproductions.lab.training.config import Plan


def code_state() -> dict[str, Any]:
    """The commit of the code and whether it was changed since; nulls outside a git checkout."""
    home = Path(__file__).parents[3]

    def git(*words: str) -> str | None:
        try:
            command = ["git", "-C", str(home), *words]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return None

    commit, changes = git("rev-parse", "HEAD"), git("status", "--porcelain", "--", "layers", "reproductions")
    return {"commit": commit, "dirty": None if changes is None else bool(changes)}


def device(replicas: int) -> str:
    """The devices that a run uses on this machine, in words."""
    gpus = tf.config.list_physical_devices("GPU")[:replicas]
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
    return ", ".join(names) or f"{environment.cores()} CPU cores, {platform.machine()}"


def versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        **{library.__name__: library.__version__ for library in (keras, tf, np)},
    }


def count(weights: list[Any]) -> int:
    return int(sum(np.prod(weight.shape) for weight in weights))


def finish(plan: Plan, model: keras.Model, progress: Progress) -> None:
    """Saves the model, tests it, and writes the record. UsageError where the folder cannot be written to."""
    try:
        with atomic_write(plan.run_dir / "model.keras") as unfinished:
            networks.tested(model, plan.recipe).save(unfinished)
        described = describe(plan, model, progress)
        told = {name: plan.identity[name] for name in ("study", "network", "seed")}
        run_record.Record(**told, **described).write(plan.run_dir / "record.json")
    except OSError as error:
        raise UsageError(f"{plan.run_dir} cannot be written to: {error.strerror or error}; {progress.kept()}") from None


def describe(plan: Plan, model: keras.Model, progress: Progress) -> dict[str, Any]:
    """All that a record says but for what was asked for: what ran, on what, and the test, made here."""
    recipe, data = plan.recipe, plan.data
    test, scores = evaluate.test(
        evaluate.EvaluationTask(networks.tested(model, recipe), plan.network, recipe, data), plan.run_dir
    )
    seen: dict[str, Any] = {"misclassified": [], "pictures": None}
    if isinstance(data.test, base.InMemoryImages):
        errors = evaluate.misclassified(evaluate.predicted_classes(scores), data.test.labels)
        seen = {"misclassified": errors, "pictures": evaluate.pictures(data.test.images, errors)}
    rows = progress.at.rows
    images = recipe.training_images or sum(data.sizes()[part] for part in recipe.splits)
    images_a_pass = images // recipe.batch_size * recipe.batch_size
    # The first pass also pays for tracing.
    usual = statistics.median(row["seconds"] for row in rows[1:] or rows)
    return {
        "recipe": recipe.as_data(),
        "data": base.describe(data),
        **progress.code,
        "versions": versions(),
        "device": device(plan.replicas),
        "strategy": type(plan.strategy).__name__ if plan.replicas > 1 else "one device",
        "replicas": plan.replicas,
        "execution": plan.execution,
        "parameters": {"trainable": count(model.trainable_weights), "fixed": count(model.non_trainable_weights)},
        "epochs": rows,
        "test": test,
        **seen,
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "wall_seconds": progress.wall_seconds,
        "images_per_second": images_a_pass / usual,
    }
