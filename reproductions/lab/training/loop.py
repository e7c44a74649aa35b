"""The loop over passes and steps: rates, figures, checkpoints, and every way a training may be interrupted."""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from reproductions.lab.data.pipeline import unwrap_tf_errors
from reproductions.lab.errors import UsageError
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.training.checkpoint import Progress
from reproductions.lab.training.distributed import task
from reproductions.lab.training.step import Steps

LOOK = 10  # steps between looks at the losses: a look waits for the device
SHORT = 0.1  # seconds of a step below which those up to the next look are called together
SAY = 60.0  # seconds between lines on how a pass goes


class Stopped(BaseException):
    """The run was asked to stop, and can be gone on with. No fault of a file, whatever was being read."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.status = 0 if number == signal.SIGTERM else 130


class Diverged(UsageError):
    """The loss or the weights are no numbers any more."""


class Stop:
    """SIGTERM and Ctrl-C during a run: noted, and heeded after a step; `at_once` while nothing waits to be saved.

    A second Ctrl-C ends the run in any case; schedulers repeat SIGTERM.
    """

    def __init__(self) -> None:
        self.asked, self.at_once = 0, False

    def note(self, number: int, frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = number
        if self.at_once:
            self.heed()

    def heed(self) -> None:
        """Stopped, where it was asked for while nothing waits to be saved."""
        if self.asked:
            told = "stopped while testing, what is tested is kept; the same command with --resume goes on"
            raise Stopped(self.asked, told)

    def __enter__(self) -> Stop:
        self.before = {number: signal.signal(number, self.note) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)


class Training:
    """A run on its way. `prepare_pass` is called with the number of each pass before its first step."""

    def __init__(
        self,
        model: keras.Model,
        steps: Steps,
        recipe: Recipe,
        progress: Progress,
        images: int,
        save_every: float,
        stop: Stop,
        prepare_pass: Callable[[int], None] = lambda epoch: None,
    ) -> None:
        self.model, self.steps, self.recipe, self.progress = model, steps, recipe, progress
        self.images, self.save_every, self.prepare_pass = images, save_every, prepare_pass
        self.last_step = images // recipe.batch_size
        self.worker, self.workers = task()
        self.stop, self.short = stop, False
        self.writer: Any = None

    @property
    def variables(self) -> list[Any]:
        """All that a state holds. Of a replicated variable it is the first replica's."""
        return [*self.model.variables, *self.steps.optimizer.variables]

    def run(self, batches: Any, held_out: Any, logs: Path) -> None:
        """Trains from where `progress` stands to the last pass.

        `batches` are those of all steps to come, `held_out` the validation part where it is held out.
        Raises Stopped where it is asked to stop, and UsageError where the loss is no number or the disk is full;
        in both cases what was saved can be gone on from.
        """
        at, todo, self.logs = self.progress.at, iter(batches), logs
        with unwrap_tf_errors():
            while at.epoch <= self.recipe.epochs:
                errors = [row["val_error"] for row in at.rows if "val_error" in row]
                self.steps.optimizer.learning_rate = self.recipe.learning_rate_at(at.epoch, errors)
                self.one_pass(todo)
                self.end_of_pass(held_out)

    def check_positions(self) -> None:
        """UsageError unless all workers stand at the same step: they may have read different states."""
        at = self.progress.at
        here = tf.constant([at.epoch, at.step], tf.int64)
        total, squares = self.steps.add_up((tf.stack([here, here**2]),))["sum"].numpy()
        # From sums alone, so that all workers come to the same answer: no variance.
        if (self.steps.strategy.num_replicas_in_sync * squares != total**2).any():
            raise UsageError(
                f"the workers found different states in {self.progress.path.parent}, which must be one folder that all "
                "of them see: name such a one with --run-dir"
            )

    def one_pass(self, todo: Iterator[Any]) -> None:
        at, pending = self.progress.at, []
        self.began, self.said = time.perf_counter(), time.perf_counter()
        if at.step == 0:  # later it is in the state that the run goes on from
            self.prepare_pass(at.epoch)
        bar = keras.utils.Progbar(self.last_step, unit_name="step") if sys.stdout.isatty() and not self.worker else None
        while at.step < self.last_step:
            count = self.at_once()
            pending.append(self.steps.updates(todo, tf.constant(count)))
            at.step += count
            asked = self.workers == 1 and self.stop.asked
            if asked or at.step % LOOK == 0 or at.step == self.last_step:
                self.look(pending)
                pending = []
                self.say(bar)
                self.stop_or_save()

    def at_once(self) -> int:
        """The steps to call together: a long one comes alone, since a run stops between calls."""
        to_look = LOOK - self.progress.at.step % LOOK
        # Several workers stop at looks alone, and must all call the same.
        return min(to_look, self.last_step - self.progress.at.step) if self.short or self.workers > 1 else 1

    def look(self, pending: list[dict[str, Any]]) -> None:
        """Adds up the figures of some steps. UsageError for a loss that is no number."""
        at = self.progress.at
        figures = {name: np.concatenate([sums[name] for sums in pending]) for name in pending[0]}
        steps = len(figures["loss"])
        for i in range(steps):
            if not math.isfinite(figures["loss"][i]):
                loss = figures["loss"][i] / figures["images"][i]
                raise self.diverged(f"the loss became {loss:g}", f"step {at.step - steps + i + 1} of pass {at.epoch}")
            for name, values in figures.items():
                at.sums[name] += float(values[i])
        now = time.perf_counter()
        at.sums["seconds"] += now - self.began
        self.short = (now - self.began) / steps < SHORT
        self.began = now

    def diverged(self, what: str, where: str = "") -> Diverged:
        place = f"in {where or self.progress.at}, at a learning rate of {self.learning_rate:g}"
        return Diverged(f"{what} {place}: the run is stopped; {self.progress.kept()}")

    @property
    def learning_rate(self) -> float:
        return float(self.steps.optimizer.learning_rate.numpy())

    def figures(self) -> dict[str, float]:
        sums = self.progress.at.sums
        return {"loss": sums["loss"] / sums["images"], "error": 100 * sums["errors"] / sums["images"]}

    def say(self, bar: Any) -> None:
        at, shown = self.progress.at, self.figures()
        if bar is not None:
            bar.update(at.step, values=[(name, value) for name, value in shown.items()], finalize=at.step == bar.target)
        elif not self.worker and time.perf_counter() - self.said > SAY:
            self.said = time.perf_counter()
            speed = at.sums["images"] / at.sums["seconds"]
            print(f"  step {at.step} of {self.last_step}: {told(shown)}, {speed:.0f} images/s", flush=True)

    def stop_or_save(self) -> None:
        """Saves where it is time, and stops where it is asked; all workers of a cluster at the same step."""
        due = time.perf_counter() - self.progress.saved_at > self.save_every
        asked, due = self.agreed(self.stop.asked, due and not self.worker)
        if asked or due:
            self.save()
        if asked:
            raise self.stopped(asked)

    def stopped(self, asked: int) -> Stopped:
        return Stopped(
            asked, f"stopped after {self.progress.at}, which is saved; the same command with --resume goes on"
        )

    def agreed(self, asked: int, due: bool) -> tuple[int, bool]:
        """The highest signal and whether anyone is due, over all workers."""
        if self.workers == 1:
            return asked, due
        here = tf.constant([float(asked == signal.SIGTERM), float(asked == signal.SIGINT), float(due)])
        term, interrupt, due_somewhere = self.steps.add_up((here,))["sum"].numpy()
        return signal.SIGTERM if term else signal.SIGINT if interrupt else 0, bool(due_somewhere)

    def save(self) -> None:
        if self.worker:  # the first saves for all
            self.progress.told_saved()
            return
        if not all(bool(keras.ops.all(keras.ops.isfinite(weight))) for weight in self.model.trainable_variables):
            # The loss tells of it only a step later, when this state would have replaced the last good one.
            raise self.diverged("weights became infinite")
        self.progress.save(self.variables)

    def end_of_pass(self, held_out: Any) -> None:
        """The figures of the pass, those on the validation part among them, as a row; then the state."""
        at = self.progress.at
        row = {"epoch": at.epoch, **self.figures()}
        if held_out is not None:
            sums = {"loss": 0.0, "errors": 0.0, "images": 0.0}
            for batch in held_out:
                for name, value in self.steps.validate(batch).items():
                    sums[name] += float(value)
            row["val_loss"], row["val_error"] = sums["loss"] / sums["images"], 100 * sums["errors"] / sums["images"]
        row["learning_rate"], row["seconds"] = self.learning_rate, at.sums["seconds"]
        if not self.worker:
            print(f"pass {at.epoch} of {self.recipe.epochs}: {told(row)}", flush=True)
        at.rows.append(row)
        at.step, at.sums = 0, dict.fromkeys(at.sums, 0.0)
        self.save()
        self.log(row)
        asked, _ = self.agreed(self.stop.asked, False)
        if asked:
            raise self.stopped(asked)

    def log(self, row: dict[str, float]) -> None:
        """The figures of a pass, for TensorBoard. UsageError where the disk does not take them."""
        if self.worker:
            return
        try:
            self.writer = self.writer or tf.summary.create_file_writer(str(self.logs))
            with self.writer.as_default(step=int(row["epoch"])):
                for name, value in row.items():
                    tf.summary.scalar(name, value)
            self.writer.flush()
        except tf.errors.OpError as error:
            reason = error.message.split("\n")[0]
            raise UsageError(f"{self.logs} cannot be written: {reason}; {self.progress.kept()}") from None


def told(figures: dict[str, float]) -> str:
    """Figures in words: 'loss 0.123, error 4.56%, 12 s'."""
    units = {"error": "{:.2f}%", "val_error": "{:.2f}%", "seconds": "{:.0f} s"}
    words = [
        f"{name.replace('val_', 'validation ').replace('_', ' ')} {units.get(name, '{:.4g}').format(value)}"
        for name, value in figures.items()
        if name != "epoch"
    ]
    return ", ".join(words).replace("seconds ", "")
