"""Exact resume: the complete state of a run in one file, replaced atomically, with the previous one beside it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import keras
import msgspec
import numpy as np

from reproductions.lab import json_files, npz_files
from reproductions.lab.errors import UsageError
from reproductions.lab.files import atomic_write
from reproductions.lab.ranges import NonNegative, Whole
from reproductions.lab.results.entries import EpochResult
from reproductions.lab.results.trial_record import CodeState
from reproductions.lab.training.run_identity import check_same_run

METADATA = "metadata"


@dataclass
class RunningSums:
    """Sums of an epoch's metrics so far.

    Attributes:
        loss: Sum of the losses of all images.
        errors: Number of images with a wrong answer.
        images: Number of images.
        seconds: Training time.
    """

    loss: float = 0.0
    errors: NonNegative = 0.0
    images: NonNegative = 0.0
    seconds: NonNegative = 0.0

    @property
    def mean_loss(self) -> float:
        """Mean loss of an image."""
        return self.loss / self.images

    @property
    def error(self) -> float:
        """Error rate, in percent."""
        return 100 * self.errors / self.images


@dataclass
class TrainState:
    """Progress of a training run.

    Attributes:
        history: Metrics of the complete epochs.
        step: Number of steps in the current epoch.
        sums: Sums over these steps.
    """

    history: list[EpochResult] = field(default_factory=list)
    step: Whole = 0
    sums: RunningSums = field(default_factory=RunningSums)

    @property
    def epoch(self) -> int:
        """Number of the current epoch, from 1."""
        return len(self.history) + 1

    def end_epoch(self, result: EpochResult) -> None:
        """Append the metrics of the current epoch, and begin the next one."""
        self.history.append(result)
        self.step, self.sums = 0, RunningSums()

    def __str__(self) -> str:
        """Return the last complete step or epoch: "epoch 3, step 5" or "epoch 3"."""
        return f"epoch {self.epoch}, step {self.step}" if self.step else f"epoch {len(self.history)}"


@dataclass
class Metadata:
    """What a state file holds beside the variables.

    Attributes:
        identity: What must be equal for a run to resume.
        state: How far the training is.
        code: The code that ran.
        wall_seconds: Time spent on the run so far.
    """

    identity: dict[str, object]
    state: TrainState
    code: CodeState
    wall_seconds: NonNegative


def problems(state: TrainState) -> Iterator[str]:
    """Yield what is inconsistent in the progress of a run."""
    if [result.epoch for result in state.history] != list(range(1, state.epoch)):
        yield "its epochs do not follow one another"
    if (state.step > 0) != (state.sums.images > 0) or state.sums.errors > state.sums.images:
        yield f"its sums over {state.sums.images:g} images do not fit {state.step} steps"


def misfits(
    state: TrainState, steps: int, variables: Sequence[keras.Variable], values: Sequence[np.ndarray]
) -> Iterator[str]:
    """Yield what in a state cannot be of this run; for the arguments see `Checkpoint.restore`."""
    if state.step > steps:
        yield f"it is after step {state.step} of an epoch, which has {steps} steps"
    for variable, value in zip(variables, values):
        if variable.trainable and not np.isfinite(value).all():  # moments may overflow without harm
            yield f"{variable.path} in it is infinite"


class Checkpoint:
    """The state of a run and the files that it is saved in.

    Args:
        folder: Folder of the run.
        identity: What must be equal for a run to resume, as JSON would give it back.
        code: The code that runs.
    """

    def __init__(self, folder: Path, identity: Mapping[str, object], code: CodeState) -> None:
        self.path, self.previous = folder / "state.npz", folder / "state-before.npz"
        self.identity, self.code = dict(identity), code
        self.state, self.saved = TrainState(), ""
        self.earlier_seconds, self.session_start = 0.0, time.perf_counter()
        self.saved_at = self.session_start

    @property
    def folder(self) -> Path:
        """Folder of the run."""
        return self.path.parent

    @property
    def wall_seconds(self) -> float:
        """Time spent on the run, in this session and in those that it resumes."""
        return self.earlier_seconds + time.perf_counter() - self.session_start

    def restore(self, variables: Sequence[keras.Variable], steps: int) -> None:
        """Restore the newest readable state, if there is any.

        Args:
            variables: All variables of the model and the optimizer, seed generators included, in a fixed order.
            steps: Number of steps of an epoch.

        Raises:
            UsageError: If the state is of another run or of other variables, or if no existing state can be read.
        """
        advice = f"remove {self.folder} and start over"
        damaged: UsageError | None = None
        for path in (self.path, self.previous):
            if not path.exists():
                continue
            try:
                metadata, values = self.read(path, advice)
            except UsageError as error:
                damaged = damaged or error
                continue
            check_same_run(metadata.identity, self.identity, path)
            if [value.shape for value in values] != [tuple(variable.shape) for variable in variables]:
                raise UsageError(
                    f"{path} has variables of other shapes than the network: the code has changed; {advice}"
                )
            if problem := next(misfits(metadata.state, steps, variables, values), None):
                damaged = damaged or UsageError(f"{path} cannot be read: {problem}; {advice}")
                continue
            for variable, value in zip(variables, values):
                variable.assign(value)
            self.state, self.earlier_seconds = metadata.state, metadata.wall_seconds
            self.saved = str(self.state)
            if damaged:
                print(f"note: {damaged}\nresuming from the previous state, {path}", flush=True)
            if metadata.code != self.code:
                print(f"note: this run started with commit {metadata.code.commit}; the code has changed since")
                self.code = replace(metadata.code, dirty=True)
            return
        if damaged:
            raise damaged

    @staticmethod
    def read(path: Path, advice: str) -> tuple[Metadata, list[np.ndarray]]:
        """Return the metadata and the variables in a state file.

        Raises:
            UsageError: If it is damaged; the message ends with `advice`.
        """
        with npz_files.open_npz(path, advice) as file:
            content = json_files.parse(file.array(METADATA, "u", (None,)).tobytes(), path)
            metadata = json_files.convert(content, Metadata, path, "the state of a run", f"$.{METADATA}")
            for problem in problems(metadata.state):
                raise ValueError(problem)
            values = [file.array(f"variable{i}", npz_files.NUMBERS) for i in range(len(file.members) - 1)]
            # Of the optimizer's moments, too, from which it would spread.
            if any(np.isnan(value).any() for value in values if value.dtype.kind == npz_files.FLOATS):
                raise ValueError("a variable in it is NaN")
            return metadata, values

    def save(self, variables: Sequence[keras.Variable]) -> None:
        """Write the state.

        Args:
            variables: The variables that `restore` was given.

        Raises:
            UsageError: If the file cannot be written. The previous state is still there.
        """
        metadata = Metadata(self.identity, self.state, self.code, self.wall_seconds)
        arrays = {f"variable{i}": keras.ops.convert_to_numpy(variable) for i, variable in enumerate(variables)}
        arrays[METADATA] = np.frombuffer(json.dumps(msgspec.to_builtins(metadata)).encode(), np.uint8)
        try:
            with atomic_write(self.path, backup=self.previous) as unfinished:
                np.savez(unfinished, **arrays)
        except OSError as error:
            raise UsageError(
                f"{self.path} cannot be written: {error.strerror or error}; {self.description}; "
                "free some space and resume with --resume"
            ) from None
        self.mark_saved()

    def mark_saved(self) -> None:
        """Record that the current state is saved, by this worker or by the first one."""
        self.saved, self.saved_at = str(self.state), time.perf_counter()

    @property
    def description(self) -> str:
        """Human-readable description of the state from which the run can resume."""
        return f"the state after {self.saved} is kept in {self.folder}" if self.saved else "no state was saved yet"
