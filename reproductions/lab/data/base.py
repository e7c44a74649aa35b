"""Data sets: their types, containers, checksums and splits."""

from __future__ import annotations

import functools
import hashlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from reproductions.lab.errors import UsageError, file_errors

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
Arrays = Mapping[str, np.ndarray]


class Pixels(NamedTuple):
    """Images held in memory: (n, height, width[, 3]), uint8 or, where they are prepared, float32; labels (n,)."""

    images: np.ndarray
    labels: np.ndarray

    def joined(self, other: Pixels) -> Pixels:
        return Pixels(*(np.concatenate(both) for both in zip(self, other)))

    def first(self, count: int) -> Pixels:
        return Pixels(self.images[:count], self.labels[:count])


class PixelStatistics:
    """Statistics of training images held in memory, each computed when an image step first asks for it."""

    def __init__(self, *parts: Pixels) -> None:
        self.parts = parts

    @functools.cached_property
    def mean_image(self) -> np.ndarray:
        """The mean of every pixel over all parts: (height, width[, 3]) float32 in 0..255."""
        total = sum(part.images.sum(axis=0, dtype=np.int64) for part in self.parts)
        return np.asarray(total / sum(len(part.labels) for part in self.parts), np.float32)


class Encoded(Protocol):
    """Images read from disk one by one: `read(i)` is the encoded file of image i; labels (n,)."""

    labels: np.ndarray

    def read(self, index: int) -> bytes: ...

    def joined(self, other: Any) -> Encoded: ...


@dataclass(frozen=True)
class Dataset:
    """Labelled images in three fixed parts.

    `name` is that of the published set only where the checksum of its contents says so;
    `source` is where it came from, in words, and `path` the very file or folder.
    `statistics` are of the training set, for the image steps that ask for them.
    """

    name: str
    source: str
    path: str
    sha256: str
    train: Pixels | Encoded
    validation: Pixels | Encoded
    test: Pixels | Encoded
    statistics: Any = None

    def training(self, parts: tuple[str, ...], count: int | None = None) -> Pixels | Encoded:
        """The named parts of the training set, joined; the first `count` images of them, where that is a number.

        UsageError where there are less, and where images lie on disk: those stand class by class.
        """
        joined = functools.reduce(lambda one, other: one.joined(other), [getattr(self, part) for part in parts])
        if count is None:
            return joined
        if not isinstance(joined, Pixels):
            raise UsageError(f"--training-images: {self.name} can be trained on as a whole only")
        if count > len(joined.labels):
            raise UsageError(f"--training-images {count}: {self.name} has {len(joined.labels)} to train on")
        return joined.first(count)

    @property
    def classes(self) -> int:
        """Those there are to learn; the test part is not looked at, and its test refuses others."""
        return 1 + max(int(part.labels.max(initial=0)) for part in (self.train, self.validation))

    def sizes(self) -> dict[str, int]:
        return {part: len(getattr(self, part).labels) for part in ("train", "validation", "test")}


def checksum(arrays: Arrays) -> str:
    """SHA-256 of the decoded arrays (shapes and bytes), whatever container they came in."""
    digest = hashlib.sha256()
    for name in ARRAYS:
        array = np.ascontiguousarray(arrays[name], dtype=np.uint8)
        digest.update(f"{name}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


# --- Containers: every way a file can be wrong ends in one sentence that names it.


def read_npz(path: Path) -> Arrays:
    """The four arrays of an npz in Keras' layout; pickles are refused."""
    with file_errors(path):
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("it is one array, not an npz archive")
        with archive:
            missing = [name for name in ARRAYS if name not in archive]
            if missing:
                raise ValueError(f"it lacks {', '.join(missing)}")
            arrays = {name: archive[name] for name in ARRAYS}
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise UsageError(f"{path} cannot be read: {name} in it is no array; fetch it anew")
    return arrays


def check_arrays(title: str, arrays: Arrays, shapes: Mapping[str, tuple[int, ...]], files: Mapping[str, Path]) -> None:
    """UsageError unless these are pixels in 0..255 and labels in 0..9 of these shapes; it names the file."""
    for name, shape in shapes.items():
        array = arrays[name]
        if array.shape != shape or array.dtype.kind not in "iu":
            raise UsageError(
                f"{files[name]}: {name} must be {shape} whole numbers, as {title}'s is; "
                f"it is {array.shape} of {array.dtype}"
            )
        most = 255 if name.startswith("x") else 9
        if array.min() < 0 or array.max() > most:
            raise UsageError(
                f"{files[name]}: {name} must lie in 0..{most}; it goes from {array.min()} to {array.max()}"
            )


def split(name: str, source: str, path: str, sha256: str, arrays: Arrays, validation: int) -> Dataset:
    """The one place where a training set is cut: its last `validation` images are the validation part."""
    x, y = arrays["x_train"].astype(np.uint8), arrays["y_train"].astype(np.uint8)
    test = arrays["x_test"].astype(np.uint8), arrays["y_test"].astype(np.uint8)
    cut = len(y) - validation
    train, held_out = Pixels(x[:cut], y[:cut]), Pixels(x[cut:], y[cut:])
    statistics = PixelStatistics(train, held_out)
    return Dataset(name, source, path, sha256, train, held_out, Pixels(*test), statistics)


def keras_cache() -> Path:
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"


def download(title: str, name: str) -> Arrays | None:
    """A set as Keras downloads it (into its cache); None where the network does not answer."""
    import keras

    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(20)
    try:
        train, test = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises a bare Exception where a download fails
        print(f"{title} could not be downloaded: {str(error).split(':')[-1].strip()}")
        return None
    finally:
        socket.setdefaulttimeout(patience)
    return dict(zip(ARRAYS, (*train, *test)))


def data_folder(data_dir: Path | None) -> Path | None:
    """`data_dir`, or else REPRODUCTIONS_DATA; UsageError where the one that is set is no folder."""
    named = data_dir or os.environ.get("REPRODUCTIONS_DATA")
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        by = "--data-dir" if data_dir else "REPRODUCTIONS_DATA"
        raise UsageError(f"{by} names {folder}, which is no folder")
    return folder


def describe(data: Dataset) -> dict[str, Any]:
    """What a record says of its data."""
    return {"name": data.name, "source": data.source, "sha256": data.sha256, "classes": data.classes, **data.sizes()}
