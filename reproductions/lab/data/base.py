"""Data sets: their types, file formats, checksums and splits."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from reproductions.lab import npz_files
from reproductions.lab.errors import UsageError

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
SPLITS = ("train", "validation", "test")
DOWNLOAD_TIMEOUT = 20  # seconds

Arrays = Mapping[str, np.ndarray]
T = TypeVar("T")


class InMemoryImages(NamedTuple):
    """Labelled images in memory.

    Attributes:
        images: (n, height, width) or (n, height, width, 3), uint8, or float32 if preprocessed.
        labels: (n,) integers.
    """

    images: np.ndarray
    labels: np.ndarray

    def concatenate(self, other: InMemoryImages) -> InMemoryImages:
        """Return these images followed by the others."""
        return InMemoryImages(*(np.concatenate(both) for both in zip(self, other)))

    def take(self, count: int) -> InMemoryImages:
        """Return the first `count` images."""
        return InMemoryImages(self.images[:count], self.labels[:count])


class EncodedImages(Protocol):
    """Labelled images that are read from disk one at a time.

    Attributes:
        labels: (n,) integers.
    """

    labels: np.ndarray

    def read(self, index: int) -> bytes:
        """Return the encoded file of an image."""

    def concatenate(self: T, other: T) -> T:
        """Return these images followed by the others."""


Images = InMemoryImages | EncodedImages


class PixelStatistics:
    """Statistics of training images in memory, computed when a transform first needs them."""

    def __init__(self, *splits: InMemoryImages) -> None:
        self.splits = splits

    @functools.cached_property
    def mean_image(self) -> np.ndarray:
        """Mean of every pixel over all splits: (height, width) or (height, width, 3), float32 in 0..255."""
        total = sum(split.images.sum(axis=0, dtype=np.int64) for split in self.splits)
        return np.asarray(total / sum(len(split.labels) for split in self.splits), np.float32)


@dataclass(frozen=True)
class Dataset:
    """Labelled images in three fixed splits.

    Attributes:
        name: Name of the published data set only if the checksum confirms it.
        source: Human-readable origin: "mnist.npz", "Keras' download".
        path: File or folder the data were read from.
        sha256: Checksum of the content.
        train: Training split.
        validation: Validation split, cut from the published training set.
        test: Test split.
        statistics: Statistics of the published training set for the transforms that need them, as attributes.
    """

    name: str
    source: str
    path: str
    sha256: str
    train: Images
    validation: Images
    test: Images
    statistics: object = None

    @property
    def description(self) -> str:
        """Name, origin and place, in words."""
        place = "" if self.path in self.source else f" ({self.path})"
        return f"{self.name}, from {self.source}{place}"

    def training(self, splits: tuple[str, ...], count: int | None = None) -> Images:
        """Return the images to train on.

        Args:
            splits: Names of the splits, which are concatenated in this order.
            count: Number of images to keep, the first ones; by default all.

        Raises:
            UsageError: If there are fewer than `count` images, or if `count` is given for images on disk, which are
                stored class by class.
        """
        chosen = (getattr(self, split) for split in splits)
        images: Images = functools.reduce(lambda one, other: one.concatenate(other), chosen)
        if count is None:
            return images
        if not isinstance(images, InMemoryImages):
            raise UsageError(
                f"--training-images is not supported for {self.name}, whose images are stored class by class: "
                "train on all of them"
            )
        if count > len(images.labels):
            raise UsageError(f"--training-images {count}: {self.name} has only {len(images.labels)} training images")
        return images.take(count)

    @property
    def classes(self) -> int:
        """Number of classes in the training and validation splits."""
        return 1 + max(int(split.labels.max(initial=0)) for split in (self.train, self.validation))

    def sizes(self) -> dict[str, int]:
        """Return the number of images by split."""
        return {split: len(getattr(self, split).labels) for split in SPLITS}


def checksum(arrays: Arrays) -> str:
    """Return the SHA-256 of the decoded arrays (shapes and bytes), which does not depend on the file format."""
    digest = hashlib.sha256()
    for name in ARRAYS:
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def split_off_validation(
    arrays: Arrays, count: int
) -> tuple[InMemoryImages, InMemoryImages, InMemoryImages, PixelStatistics]:
    """Split the last images off the training set as the validation split.

    Args:
        arrays: The four arrays of a data set.
        count: Number of validation images.

    Returns:
        Train, validation and test split, and the statistics of the first two.
    """
    x, y = arrays["x_train"], arrays["y_train"]
    test = InMemoryImages(arrays["x_test"], arrays["y_test"])
    end = len(y) - count
    train, validation = InMemoryImages(x[:end], y[:end]), InMemoryImages(x[end:], y[end:])
    return train, validation, test, PixelStatistics(train, validation)


# --- Files


def read_npz(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Arrays:
    """Return the four arrays of an npz file in Keras' layout.

    Args:
        path: File to read.
        shapes: Expected shapes by name; labels may have a second dimension of length 1, which is removed.

    Raises:
        UsageError: If the file is damaged, lacks an array, has one of another shape or that is not of integers, or
            contains pickles, which are not loaded. Shapes and types are read before any array.
    """
    with npz_files.open_npz(path) as file:
        arrays = {}
        for name in ARRAYS:
            column = name.startswith("y") and name in file and len(file.header(name)[0]) == 2
            array = file.array(name, npz_files.INTEGERS, (*shapes[name], 1) if column else shapes[name])
            arrays[name] = array[:, 0] if column else array
        return arrays


def check_arrays(
    title: str, arrays: Arrays, shapes: Mapping[str, tuple[int, ...]], files: Mapping[str, Path]
) -> Arrays:
    """Check shapes and values of the arrays of a data set.

    Args:
        title: Name of the data set, for error messages.
        arrays: Arrays by name.
        shapes: Expected shapes by name.
        files: Files the arrays were read from by name.

    Returns:
        The arrays as uint8.

    Raises:
        UsageError: If an array has another shape, or values other than pixels in 0..255 and labels in 0..9.
    """
    for name, shape in shapes.items():
        array = arrays[name]
        if array.shape != shape or array.dtype.kind not in "iu":
            raise UsageError(
                f"{files[name]}: expected {name} of {title} to be integers of shape {shape}; "
                f"got {array.dtype} of shape {array.shape}"
            )
        highest = 255 if name.startswith("x") else 9
        if array.min() < 0 or array.max() > highest:
            raise UsageError(
                f"{files[name]}: expected {name} of {title} to lie in 0..{highest}; "
                f"got values from {array.min()} to {array.max()}"
            )
    return {name: arrays[name].astype(np.uint8) for name in shapes}


def keras_cache() -> Path:
    """Return the folder that Keras downloads data sets to."""
    return Path(os.path.expanduser(os.environ.get("KERAS_HOME", "~/.keras"))) / "datasets"


def download(title: str, name: str) -> Arrays | None:
    """Return a data set as Keras downloads it into its cache.

    Args:
        title: Name of the data set, for messages.
        name: Module of `keras.datasets`.

    Returns:
        The four arrays; None if the download fails.
    """
    import keras

    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT)
    try:
        train, test = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises a bare Exception if a download fails
        # "URL fetch failure on ADDRESS: None -- [Errno -2] Name or service not known"
        reason = re.sub(r"\[Errno -?\d+\] ", "", str(error).split(" -- ")[-1]).strip()
        print(f"{title} could not be downloaded: {reason or type(error).__name__}")
        return None
    finally:
        socket.setdefaulttimeout(timeout)
    return dict(zip(ARRAYS, (*train, *test)))


def data_folder(data_dir: Path | None) -> Path | None:
    """Return `data_dir`, or by default the folder that the environment variable REPRODUCTIONS_DATA names.

    Returns:
        The folder; None if neither is given.

    Raises:
        UsageError: If it is not a folder.
    """
    name = data_dir or os.environ.get("REPRODUCTIONS_DATA")
    if not name:
        return None
    folder = Path(os.path.expanduser(name))
    if not folder.is_dir():
        raise UsageError(f"{'--data-dir' if data_dir else 'REPRODUCTIONS_DATA'}: {folder} is not a folder")
    return folder
