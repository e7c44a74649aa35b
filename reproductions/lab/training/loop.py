"""The loop over epochs and steps."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import keras
import numpy as np
import tensorflow as tf

from reproductions.lab.data.pipeline import unwrap_tf_errors
from reproductions.lab.errors import UsageError
from reproductions.lab.results.entries import EpochResult
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.training.checkpoint import Checkpoint, RunningSums, TrainState
from reproductions.lab.training.distributed import Sums, WorkerGroup
from reproductions.lab.training.progress import ProgressReporter
from reproductions.lab.training.step import Steps
from reproductions.lab.training.stopping import Diverged, Stopped, StopRequest

SYNC_STEPS = 10  # steps between two reads of the losses, each of which waits for the device
SHORT_STEP = 0.1  # seconds of a step below which all steps up to the next read run in one call

Batches = Iterable[tuple[tf.Tensor, ...]]


def do_nothing(epoch: int) -> None:
    """Prepare nothing for an epoch."""


@dataclass
class Training:
    """The training of a network: the loop over epochs and steps.

    Attributes:
        steps: The update and the validation step, with the model and the optimizer.
        checkpoint: The state of the run, from which the training continues.
        workers: The workers that share the training.
        stop: Signals to stop.
        reporter: Reports on the training.
        save_every: Minimum time between checkpoints within an epoch, in seconds.
        prepare_epoch: Called with the number of each epoch before its first step.
    """

    steps: Steps
    checkpoint: Checkpoint
    workers: WorkerGroup
    stop: StopRequest
    reporter: ProgressReporter
    save_every: float = 600
    prepare_epoch: Callable[[int], None] = do_nothing
    steps_are_short: bool = field(default=False, init=False)
    timer: float = field(default=0.0, init=False)

    @property
    def model(self) -> keras.Model:
        """The network."""
        return self.steps.model

    @property
    def recipe(self) -> Recipe:
        """The recipe."""
        return self.steps.recipe

    @property
    def state(self) -> TrainState:
        """How far the training is."""
        return self.checkpoint.state

    @property
    def steps_per_epoch(self) -> int:
        """Number of steps of an epoch."""
        return self.reporter.steps

    @property
    def learning_rate(self) -> float:
        """Current learning rate."""
        return float(self.steps.optimizer.learning_rate.numpy())

    def run(self, batches: Batches, held_out: Batches | None) -> None:
        """Train from the current state to the last epoch.

        Args:
            batches: The batches of all remaining steps.
            held_out: The batches of the validation split, if it is held out.

        Raises:
            Stopped: If the run is asked to stop. The state is saved.
            UsageError: If the loss diverges or the disk is full. The last saved state is kept.
        """
        remaining = iter(batches)
        with unwrap_tf_errors(), self.reporter.show_progress(self.state):
            while self.state.epoch <= self.recipe.epochs:
                errors = [result.val_error for result in self.state.history if result.val_error is not None]
                self.steps.optimizer.learning_rate = self.recipe.learning_rate_at(self.state.epoch, errors)
                self.run_epoch(remaining)
                self.end_epoch(held_out)

    def run_epoch(self, remaining: Iterator[tuple[tf.Tensor, ...]]) -> None:
        """Run the remaining steps of the current epoch."""
        state, pending = self.state, []
        self.timer = time.perf_counter()
        if state.step == 0:  # the restored state of a later step includes what was prepared
            self.prepare_epoch(state.epoch)
        while state.step < self.steps_per_epoch:
            count = self.steps_to_call()
            pending.append(self.steps.updates(remaining, tf.constant(count)))
            state.step += count
            stopping = self.workers.is_single and self.stop.signal
            if stopping or state.step % SYNC_STEPS == 0 or state.step == self.steps_per_epoch:
                self.sync_metrics(pending)
                pending = []
                self.stop_or_save()
                self.reporter.report_steps(state)

    def steps_to_call(self) -> int:
        """Return the number of steps to run in one call: long ones run one by one, since a run stops between calls."""
        if self.workers.is_single and not self.steps_are_short:
            return 1
        # Several workers must make the same calls, and only stop when they read the losses.
        return min(SYNC_STEPS - self.state.step % SYNC_STEPS, self.steps_per_epoch - self.state.step)

    def sync_metrics(self, pending: list[Sums]) -> None:
        """Read the metrics of the last steps from the device and add them up.

        Raises:
            Diverged: If a loss is NaN or infinite.
        """
        state, sums = self.state, self.state.sums
        losses, errors, images = (
            np.concatenate([each[name] for each in pending]) for name in ("loss", "errors", "images")
        )
        first = state.step - len(losses) + 1
        for step, loss, wrong, count in zip(range(first, state.step + 1), losses, errors, images):
            if not math.isfinite(loss):
                raise self.diverged(f"the loss became {loss / count:g}", f"epoch {state.epoch}, step {step}")
            sums.loss += float(loss)
            sums.errors += float(wrong)
            sums.images += float(count)
        now = time.perf_counter()
        sums.seconds += now - self.timer
        self.steps_are_short = (now - self.timer) / len(losses) < SHORT_STEP
        self.timer = now

    def diverged(self, what: str, position: str) -> Diverged:
        """Return the error for a training that diverges."""
        reason = f"{what} in {position}, at a learning rate of {self.learning_rate:g}"
        return Diverged(reason, self.checkpoint.description)

    def stop_or_save(self) -> None:
        """Save the state if it is time, and stop if asked; all workers of a cluster do so at the same step."""
        due = time.perf_counter() - self.checkpoint.saved_at > self.save_every
        stop_signal, save = self.workers.agree(self.stop.signal, due and self.workers.cluster.is_chief)
        if stop_signal or save:
            self.save()
        if stop_signal:
            raise self.stopped(stop_signal)

    def stopped(self, number: int) -> Stopped:
        """Return the exception for a training that is asked to stop by a signal."""
        return Stopped(number, f"stopped after {self.state}; the state is saved: resume with --resume")

    @property
    def variables(self) -> list[keras.Variable]:
        """All variables that a state file holds. Of a replicated variable it is the first replica's value."""
        return self.steps.variables

    def save(self) -> None:
        """Save the state.

        Raises:
            Diverged: If a weight is NaN or infinite.
        """
        if not self.workers.cluster.is_chief:  # the first worker saves for all
            self.checkpoint.mark_saved()
            return
        if not all(bool(keras.ops.all(keras.ops.isfinite(weight))) for weight in self.model.trainable_variables):
            # The loss shows it only a step later, when this state would have replaced the last good one.
            raise self.diverged("weights became NaN or infinite", str(self.state))
        self.checkpoint.save(self.variables)

    def end_epoch(self, held_out: Batches | None) -> None:
        """Validate, save the state, and report the metrics of the epoch."""
        state, sums = self.state, self.state.sums
        validation = self.validate(held_out)
        result = EpochResult(
            epoch=state.epoch,
            loss=sums.mean_loss,
            error=sums.error,
            learning_rate=self.learning_rate,
            seconds=sums.seconds,
            val_loss=None if validation is None else validation.mean_loss,
            val_error=None if validation is None else validation.error,
        )
        state.end_epoch(result)
        self.save()
        self.reporter.report_epoch(result)
        try:
            self.reporter.log(result)
        except tf.errors.OpError as error:
            reason = error.message.split("\n")[0]
            logs = self.reporter.logs
            raise UsageError(f"{logs} cannot be written: {reason}; {self.checkpoint.description}") from None
        stop_signal, _ = self.workers.agree(self.stop.signal, False)
        if stop_signal:
            raise self.stopped(stop_signal)

    def validate(self, held_out: Batches | None) -> RunningSums | None:
        """Return the sums over the validation split; None if it is not held out."""
        if held_out is None:
            return None
        total = RunningSums()
        for batch in held_out:
            sums = self.steps.validate(batch)
            total.loss += float(sums["loss"])
            total.errors += float(sums["errors"])
            total.images += float(sums["images"])
        return total
