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

    `identity` is what must be the same for a run to go on; `code` is what is told of the code that ran.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any], code: Mapping[str, Any]) -> None:
        super().__init__()
        self.path, self.identity, self.code = path, identity, dict(code)
        self.rows: list[dict[str, float]] = []
        self.earlier_seconds, self.sat_down = 0.0, time.perf_counter()

    @property
    def wall_seconds(self) -> float:
        """Time spent on the run so far, in this sitting and those whose state was taken up."""
        return self.earlier_seconds + time.perf_counter() - self.sat_down

    def variables(self) -> list[Any]:
        self.model.optimizer.build(self.model.trainable_variables)
        return [*self.model.variables, *self.model.optimizer.variables]

    def restore(self) -> None:
        """Takes up the state in the file, where there is one. UsageError where it is another run's, or damaged."""
        if not self.path.exists():
            return
        advice = f"remove {self.path.parent} and begin anew"
        with reading(self.path, advice), np.load(self.path, allow_pickle=False) as state:
            told = json.loads(state["told"].tobytes())
            values = [state[f"variable{i}"] for i in range(len(state.files) - 1)]
        same_run(told["identity"], self.identity, self.path)
        if [value.shape for value in values] != [tuple(variable.shape) for variable in self.variables()]:
            raise UsageError(f"{self.path} is of a network with other variables: the code has changed; {advice}")
        for variable, value in zip(self.variables(), values):
            variable.assign(value)
        self.rows, self.earlier_seconds = told["rows"], told["wall_seconds"]
        if told["code"] != self.code:
            print(f"note: this run began with commit {told['code']['commit']}; the code has changed since")
            self.code = {**told["code"], "dirty": True}

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = time.perf_counter() - self.began
        figures = {name: float(value) for name, value in logs.items()}
        self.rows.append({"epoch": epoch + 1, **figures, "seconds": seconds})
        told = {
            "identity": self.identity, "rows": self.rows, "code": self.code, "wall_seconds": self.wall_seconds
        }  # fmt: skip
        arrays: dict[str, Any] = {f"variable{i}": ops.convert_to_numpy(v) for i, v in enumerate(self.variables())}
        arrays["told"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
        with record.replacing(self.path) as unfinished:
            np.savez(unfinished, **arrays)


def same_run(found: Mapping[str, Any], wanted: Mapping[str, Any], where: Path) -> None:
    """UsageError, naming the first difference, unless a run found in a folder is the one that is wanted."""
    for name, value in wanted.items():
        there = found[name]
        if there == value:
            continue
        if isinstance(value, dict) and isinstance(there, dict):
            name, there, value = next(
                (f"{name}, {key}", there.get(key), value.get(key))
                for key in {**there, **value}
                if there.get(key) != value.get(key)
            )
        raise UsageError(
            f"{where.parent} holds a run with another {name} ({there}, not {value}); "
            "remove it, or name another folder with --run-dir"
        )
