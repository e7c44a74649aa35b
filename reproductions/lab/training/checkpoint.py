"""Exact resume: the whole state of a run in one file, replaced as a whole; the one before is kept beside it."""

from __future__ import annotations

import errno
import fcntl
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.files import atomic_write


@dataclass
class Position:
    """How far a run is: whole passes with their figures, and steps and sums of the one under way."""

    rows: list[dict[str, float]] = field(default_factory=list)
    step: int = 0
    sums: dict[str, float] = field(default_factory=lambda: {"loss": 0.0, "errors": 0.0, "images": 0.0, "seconds": 0.0})

    @property
    def epoch(self) -> int:
        """The pass under way, counted from 1."""
        return len(self.rows) + 1

    def __str__(self) -> str:
        return f"step {self.step} of pass {self.epoch}" if self.step else f"pass {len(self.rows)}"


class Progress:
    """All variables (seeds and optimizer included) and the position, for a run to go on from.

    `variables` are given once they are built. `identity` is what must be the same for a run to go on; `code` is
    what is told of the code that ran.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], code: Mapping[str, Any]) -> None:
        self.path, self.before = folder / "state.npz", folder / "state-before.npz"
        self.identity, self.code = identity, dict(code)
        self.at, self.saved = Position(), ""
        self.earlier_seconds, self.sat_down = 0.0, time.perf_counter()
        self.saved_at = self.sat_down

    @property
    def wall_seconds(self) -> float:
        """Time spent on the run so far, in this sitting and those whose state was taken up."""
        return self.earlier_seconds + time.perf_counter() - self.sat_down

    def restore(self, variables: list[Any]) -> None:
        """Takes up the newest state that can be read, where there is one.

        UsageError where it is another run's, or where no state that is there can be read.
        """
        advice = f"remove {self.path.parent} and begin anew"
        damaged: UsageError | None = None
        for path in (self.path, self.before):
            if not path.exists():
                continue
            try:
                told, values = self.read(path, advice)
            except UsageError as error:
                damaged = damaged or error
                continue
            same_run(told["identity"], self.identity, path)
            if [value.shape for value in values] != [tuple(variable.shape) for variable in variables]:
                raise UsageError(f"{path} is of a network with other variables: the code has changed; {advice}")
            for variable, value in zip(variables, values):
                variable.assign(value)
            self.at = Position(**told["at"])
            self.saved, self.earlier_seconds = str(self.at), told["wall_seconds"]
            if damaged:
                print(f"note: {damaged}\ngoing on from the state before it, {path}", flush=True)
            if told["code"] != self.code:
                print(f"note: this run began with commit {told['code']['commit']}; the code has changed since")
                self.code = {**told["code"], "dirty": True}
            return
        if damaged:
            raise damaged

    @staticmethod
    def read(path: Path, advice: str) -> tuple[dict[str, Any], list[np.ndarray]]:
        with file_errors(path, advice), np.load(path, allow_pickle=False) as state:
            return json.loads(state["told"].tobytes()), [state[f"variable{i}"] for i in range(len(state.files) - 1)]

    def save(self, variables: list[Any]) -> None:
        """Writes the state; UsageError where the disk does not take it, and the one before is then still there."""
        told = {
            "identity": self.identity, "at": vars(self.at), "code": self.code, "wall_seconds": self.wall_seconds
        }  # fmt: skip
        arrays: dict[str, Any] = {f"variable{i}": ops.convert_to_numpy(v) for i, v in enumerate(variables)}
        arrays["told"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
        try:
            with atomic_write(self.path, backup=self.before) as unfinished:
                np.savez(unfinished, **arrays)
        except OSError as error:
            raise UsageError(
                f"{self.path} cannot be written: {error.strerror or error}; {self.kept()}; "
                "make room and go on with --resume"
            ) from None
        self.told_saved()

    def told_saved(self) -> None:
        """Notes that the present position is saved."""
        self.saved, self.saved_at = str(self.at), time.perf_counter()

    def kept(self) -> str:
        """What can be gone on from, in words."""
        return f"the state after {self.saved} is kept in {self.path.parent}" if self.saved else "no state was saved yet"


def same_run(found: Mapping[str, Any], wanted: Mapping[str, Any], where: Path) -> None:
    """UsageError, naming the first difference, unless a run found in a folder is the one that is wanted."""
    for name, value in wanted.items():
        there = found.get(name)
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
            "ask for the same, remove it, or name another folder with --run-dir"
        )


@contextmanager
def alone_in(folder: Path, lock_name: str = "lock") -> Iterator[None]:
    """Holds the folder for this process; UsageError where another one does. The system lets go of it at any end."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / lock_name).open("w")
    except OSError as error:
        raise UsageError(f"{folder} cannot be made or written to: {error.strerror or error}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise UsageError(f"{folder} cannot be locked: {error.strerror or error}") from None
            raise UsageError(f"another process is at work in {folder}: wait for it, or name another folder") from None
        yield
