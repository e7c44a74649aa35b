"""Reports on a training: a progress bar or lines on the console, and TensorBoard's logs."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path

import keras
import tensorflow as tf

from reproductions.lab.results.entries import EpochResult
from reproductions.lab.training.checkpoint import TrainState

INTERVAL = 60.0  # seconds between lines within an epoch
ORDER = ("loss", "error", "val_loss", "val_error", "learning_rate", "seconds")
FORMATS = {"error": "{:.2f}%", "val_error": "{:.2f}%", "seconds": "{:.0f} s"}


class ProgressReporter:
    """Reports on a training.

    Args:
        steps: Number of steps of an epoch.
        epochs: Number of epochs.
        logs: Folder of TensorBoard's logs.
        enabled: Whether anything is reported; in a cluster only the first worker reports.
    """

    def __init__(self, steps: int, epochs: int, logs: Path, enabled: bool = True) -> None:
        self.steps, self.epochs, self.logs, self.enabled = steps, epochs, logs, enabled
        self.bar: keras.utils.Progbar | None = None
        self.writer: tf.summary.SummaryWriter | None = None
        self.last_line = time.perf_counter()

    def start_epoch(self) -> None:
        """Begin an epoch: on a terminal, with a new progress bar."""
        self.last_line = time.perf_counter()
        if self.enabled and sys.stdout.isatty():
            self.bar = keras.utils.Progbar(self.steps, unit_name="step")

    def report_steps(self, state: TrainState) -> None:
        """Update the progress bar, or print a line once a minute."""
        metrics = {"loss": state.sums.mean_loss, "error": state.sums.error}
        if self.bar is not None:
            self.bar.update(state.step, values=list(metrics.items()), finalize=state.step == self.steps)
        elif self.enabled and time.perf_counter() - self.last_line > INTERVAL:
            self.last_line = time.perf_counter()
            speed = state.sums.images / state.sums.seconds
            print(f"  step {state.step} of {self.steps}: {format_metrics(metrics)}, {speed:.0f} images/s", flush=True)

    def report_epoch(self, result: EpochResult) -> None:
        """Print the metrics of an epoch."""
        if self.enabled:
            print(f"epoch {result.epoch} of {self.epochs}: {format_metrics(result.as_data())}", flush=True)

    def log(self, result: EpochResult) -> None:
        """Write the metrics of an epoch for TensorBoard.

        Raises:
            tf.errors.OpError: If the files cannot be written.
        """
        if not self.enabled:
            return
        self.writer = self.writer or tf.summary.create_file_writer(str(self.logs))
        with self.writer.as_default(step=result.epoch):
            for name, value in result.as_data().items():
                tf.summary.scalar(name, value)
        self.writer.flush()


def format_metrics(metrics: Mapping[str, float]) -> str:
    """Return metrics as text: "loss 0.123, error 4.56%, 12 s"."""
    words = [
        f"{name.replace('val_', 'validation ').replace('_', ' ')} {FORMATS.get(name, '{:.4g}').format(metrics[name])}"
        for name in ORDER
        if name in metrics
    ]
    return ", ".join(words).replace("seconds ", "")
