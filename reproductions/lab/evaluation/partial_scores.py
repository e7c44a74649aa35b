"""Scores of an unfinished test, saved in a file so that an interrupted test resumes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np

from reproductions.lab import json_files, npz_files
from reproductions.lab.files import atomic_write, written_to
from reproductions.lab.progress import Progress

SAVE_EVERY = 60  # seconds


class PartialScores:
    """The unfinished scores of a test: one file for each of its jobs.

    Args:
        path: File of the finished predictions, beside which the unfinished scores are saved; None saves nothing.
        metadata: What is tested on what. Scores with other metadata are not reused.
        save_every: Time between two saves, in seconds.
    """

    def __init__(
        self, path: Path | None = None, metadata: Mapping[str, str] | None = None, save_every: float = SAVE_EVERY
    ) -> None:
        self.path, self.metadata, self.save_every = path, dict(metadata or {}), save_every

    def file(self, number: int) -> Path | None:
        """Return the file of a job; None if nothing is saved."""
        return self.path and self.path.with_name(f"{self.path.stem}.unfinished{number}.npz")

    @contextmanager
    def collect(self, number: int, images: int) -> Iterator[ScoreCollector]:
        """Collect the scores of a job; they are saved however the block ends.

        Args:
            number: Number of the job, from 0.
            images: Number of images that are tested.

        Yields:
            Callback for `predict`. It holds the scores that an earlier session has saved.
        """
        collector = ScoreCollector(self.file(number), {**self.metadata, "images": images}, self.save_every)
        try:
            yield collector
        finally:
            collector.write()

    def remove(self) -> None:
        """Remove the files, once the test is finished."""
        number = 0
        while (file := self.file(number)) and file.exists():
            file.unlink()
            number += 1


class ScoreCollector(keras.callbacks.Callback):
    """Collects the scores of `predict` batch by batch, saves them, and shows the progress.

    Attributes:
        progress: Where the progress is shown; by default it is not.
        done: Number of images whose scores are collected.
    """

    def __init__(self, path: Path | None, metadata: Mapping[str, str | int], save_every: float) -> None:
        super().__init__()
        self.path, self.metadata, self.save_every = path, metadata, save_every
        self.progress: Progress | None = None
        self.batches = self.read()
        self.done = self.written = sum(map(len, self.batches))
        self.batch_lengths: Sequence[int] = ()
        self.last_save = time.perf_counter()
        if self.done:
            print(f"resuming after {self.done:,} of {self.metadata['images']:,} images", flush=True)

    def read(self) -> list[np.ndarray]:
        """Return the saved scores, none if they are those of another test."""
        if self.path is None or not self.path.exists():
            return []
        with npz_files.open_npz(self.path, "remove it and rerun the test") as file:
            metadata = json_files.parse(file.array("metadata", "u", (None,)).tobytes(), self.path)
            if metadata != self.metadata:
                return []
            scores = file.array("scores", npz_files.FLOATS, (None, None))
            if len(scores) > int(self.metadata["images"]):
                raise ValueError(f"it has scores of {len(scores)} images, expected {self.metadata['images']} at most")
            return [scores]

    def scores(self) -> np.ndarray:
        """Return all scores (images, classes) in the order in which they were collected."""
        return np.concatenate(self.batches)

    def rewind(self, images: int) -> None:
        """Drop all scores after a number of images: with other devices, batches may have ended elsewhere."""
        if images < self.done:
            self.batches, self.done = [self.scores()[:images]], images

    def expect(self, batch_lengths: Sequence[int]) -> None:
        """Set the number of images of each batch to come; any further rows of a batch only fill it up."""
        self.batch_lengths = batch_lengths

    def on_predict_batch_end(self, batch: int, logs: Mapping[str, object] | None = None) -> None:
        """Collect the scores of a batch; save them if the time has come."""
        assert logs is not None  # Keras always passes the outputs
        outputs = keras.ops.convert_to_numpy(logs["outputs"])[: self.batch_lengths[batch]]
        scores = np.asarray(outputs, np.float32)
        self.batches.append(scores)
        self.done += len(scores)
        if time.perf_counter() - self.last_save >= self.save_every:
            self.write()
            self.last_save = time.perf_counter()
        if self.progress is not None:
            self.progress.update(self.done)

    def write(self) -> None:
        """Save the scores, if there is a path and there are new ones."""
        if self.path is None or self.done == self.written:
            return
        metadata = np.frombuffer(json.dumps(self.metadata).encode(), np.uint8)
        with written_to(self.path.parent), atomic_write(self.path) as unfinished:
            np.savez(unfinished, scores=self.scores(), metadata=metadata)
        self.written = self.done
