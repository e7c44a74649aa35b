"""What is done of a long test, in a file: an interrupted one goes on from there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np

from reproductions.lab.errors import file_errors
from reproductions.lab.files import atomic_write


class Partial:
    """The unfinished scores of a test, a file for each pass over the images; without a path, none are kept.

    `identity` says what is tested on what: a file of another test is not taken up.
    """

    def __init__(self, path: Path | None = None, identity: dict[str, Any] | None = None, seconds: float = 60) -> None:
        self.path, self.identity, self.seconds = path, identity or {}, seconds

    def file(self, number: int) -> Path | None:
        return self.path and self.path.with_name(f"{self.path.stem}.unfinished{number}.npz")

    @contextmanager
    def keeping(self, number: int, images: int) -> Iterator[Kept]:
        """Gathers the scores of one pass; what there is of them is written however the block ends."""
        kept = Kept(self.file(number), {**self.identity, "images": images}, self.seconds)
        try:
            yield kept
        finally:
            kept.write()

    def remove(self) -> None:
        """Once the test is done."""
        number = 0
        while (file := self.file(number)) and file.exists():
            file.unlink()
            number += 1


class Kept(keras.callbacks.Callback):
    """The scores of the images tested so far, in the order in which they come; tells how far it is."""

    def __init__(self, path: Path | None, identity: dict[str, Any], seconds: float) -> None:
        super().__init__()
        self.path, self.identity, self.seconds = path, identity, seconds
        self.batches: list[np.ndarray] = self.read()
        self.done = self.written = sum(map(len, self.batches))
        self.last = time.perf_counter()
        if self.done:
            self.tell("going on after")

    def read(self) -> list[np.ndarray]:
        if self.path is None or not self.path.exists():
            return []
        with file_errors(self.path, "remove it, and test again"), np.load(self.path, allow_pickle=False) as file:
            return [file["scores"]] if json.loads(file["told"].tobytes()) == self.identity else []

    def scores(self) -> np.ndarray:
        return np.concatenate(self.batches)

    def rewind(self, images: int) -> None:
        """Forgets what comes after so many images: on other devices, batches may have ended elsewhere."""
        if images < self.done:
            self.batches, self.done = [self.scores()[:images]], images

    def expect(self, lengths: Sequence[int]) -> None:
        """How many images of each batch to come count; those after them only fill it up."""
        self.lengths = lengths

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        outputs = keras.ops.convert_to_numpy(logs["outputs"])[: self.lengths[batch]]
        scores = np.asarray(outputs, np.float32)
        self.batches.append(scores)
        self.done += len(scores)
        if time.perf_counter() - self.last >= self.seconds:
            self.tell("tested")
            self.write()
            self.last = time.perf_counter()

    def tell(self, what: str) -> None:
        print(f"{what} {self.done:,} of {self.identity['images']:,} images", flush=True)

    def write(self) -> None:
        """Writes what is new, where a path was given."""
        if self.path is None or self.done == self.written:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        told = np.frombuffer(json.dumps(self.identity).encode(), np.uint8)
        with atomic_write(self.path) as unfinished:
            np.savez(unfinished, scores=self.scores(), told=told)
        self.written = self.done
