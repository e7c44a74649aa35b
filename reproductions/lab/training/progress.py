"""Reports on a training: its progress, a line for each epoch, and TensorBoard's logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from reproductions.lab.progress import Progress, progress
from reproductions.lab.results.entries import EpochResult
from reproductions.lab.training.checkpoint import TrainState

ORDER = ("loss", "error", "val_loss", "val_error", "learning_rate", "seconds")
FORMATS = {"error": "{:.2f}%", "val_error": "{:.2f}%", "seconds": "{:.0f} s"}


class ProgressReporter:
    """Reports on a training.

    Args:
        steps: Number of steps of an epoch.
        epochs: Number of epochs.
        batch_size: Number of images of a step.
        logs: Folder of TensorBoard's logs.
        enabled: Whether anything is reported; in a cluster only the first worker reports.
    """

    def __init__(self, steps: int, epochs: int, batch_size: int, logs: Path, enabled: bool = True) -> None:
        self.steps, self.epochs, self.batch_size, self.logs, self.enabled = steps, epochs, batch_size, logs, enabled
        self.progress: Progress | None = None
        self.writer: tf.summary.SummaryWriter | None = None

    @contextmanager
    def show_progress(self, state: TrainState) -> Iterator[None]:
        """Show the progress from a state to the last epoch, while the block runs."""
        if not self.enabled:
            yield
            return
        with progress("training", self.images(self.epochs * self.steps), "images", self.done(state)) as self.progress:
            yield

    def images(self, steps: int) -> int:
        """Return the number of images of some steps."""
        return steps * self.batch_size

    def done(self, state: TrainState) -> int:
        """Return the number of images of all epochs up to a state."""
        return self.images((state.epoch - 1) * self.steps + state.step)

    def report_steps(self, state: TrainState) -> None:
        """Update the progress."""
        if self.progress is not None:
            self.progress.what = f"epoch {state.epoch} of {self.epochs}"
            metrics = {"loss": state.sums.mean_loss, "error": state.sums.error}
            self.progress.update(self.done(state), format_metrics(metrics))

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
