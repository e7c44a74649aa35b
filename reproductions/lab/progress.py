"""Exact resume: the whole state of a run in one file, written whole after each pass."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from reproductions.lab import record
from reproductions.lab.datasets import reading
from reproductions.lab.errors import UsageError


class Progress(keras.callbacks.Callback):
    """All variables (seeds and optimizer included) and all figures so far, for a fit to go on from.

    `identity` is what must be the same for a run to go on.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any], code: Mapping[str, Any]) -> None:
        super().__init__()
        self.path, self.identity, self.code = path, identity, dict(code)
        self.rows: list[dict[str, float]] = []

    def variables(self) -> list[Any]:
        self.model.optimizer.build(self.model.trainable_variables)
        return [*self.model.variables, *self.model.optimizer.variables]

    def restore(self) -> None:
        """Takes up the state in the file, where there is one. UsageError where it is another run's."""
        if not self.path.exists():
            return
        with reading(self.path), np.load(self.path, allow_pickle=False) as state:
            told = json.loads(state["told"].tobytes())
            values = [state[f"variable{i}"] for i in range(len(self.variables()))]
        same_run(told["identity"], self.identity, self.path)
        for variable, value in zip(self.variables(), values):
            variable.assign(value)
        self.rows = told["rows"]
        if told["code"]["commit"] != self.code["commit"]:
            print(f"note: this run began with commit {told['code']['commit']}; the code has changed since")
            self.code = {**told["code"], "dirty": True}

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = time.perf_counter() - self.began
        # Seven digits are all that float32 holds.
        figures = {name: float(f"{value:.7g}") for name, value in logs.items()}
        self.rows.append({"epoch": epoch + 1, **figures, "seconds": seconds})
        told = json.dumps({"identity": self.identity, "rows": self.rows, "code": self.code})
        arrays: dict[str, Any] = {f"variable{i}": ops.convert_to_numpy(v) for i, v in enumerate(self.variables())}
        arrays["told"] = np.frombuffer(told.encode(), np.uint8)
        with record.replacing(self.path) as file:
            np.savez(file, **arrays)


def same_run(found: Mapping[str, Any], wanted: Mapping[str, Any], where: Path) -> None:
    """UsageError, naming the first difference, unless a run found in a folder is the one that is wanted."""
    for name, value in wanted.items():
        if found[name] != value:
            raise UsageError(
                f"{where.parent} holds a run with another {name} ({found[name]}, not {value}); "
                "name another folder with --run-dir"
            )
