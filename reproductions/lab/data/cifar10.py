"""CIFAR-10: found in the containers that run no code, and brought into one order. Nothing here is random."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from reproductions.lab.data import base, whitening
from reproductions.lab.data.base import ARRAYS, Arrays, Dataset, Pixels
from reproductions.lab.errors import UsageError, file_errors

SHA256 = "6d98175bc324572ef05bcbafcbc0832768a2892d937e137cd995d8b47607001e"  # of the arrays in the order of `ordered`
SHAPES = {"x_train": (50000, 32, 32, 3), "y_train": (50000,), "x_test": (10000, 32, 32, 3), "y_test": (10000,)}
VALIDATION = 5000  # the last of the training set, in that order

NPZ = "cifar10.npz"
FOLDER, ARCHIVE = "cifar-10-batches-bin", "cifar-10-binary.tar.gz"
PICKLED = ("cifar-10-batches-py", "cifar-10-python.tar.gz")
TRAINING = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST = "test_batch.bin"
IMAGES, BYTES = 10000, 1 + 3 * 32 * 32  # in a batch; of an image, the label first

DOWNLOAD = f"download https://www.cs.toronto.edu/~kriz/{ARCHIVE} (162 MB)"


# --- Containers


def place(folder: Path) -> Path | None:
    """The file or folder in `folder` that CIFAR-10 is read from, or None."""
    there = (folder / NPZ, folder / FOLDER, folder / ARCHIVE)
    return next((path for path in there if path.exists()), None)


def pickled(folder: Path) -> Path | None:
    """The version of pickles in `folder`, or None."""
    return next((folder / name for name in PICKLED if (folder / name).exists()), None)


def read_npz(path: Path) -> Arrays:
    """Four arrays; labels, which Keras gives as (n, 1), as (n,)."""
    arrays = base.read_npz(path)
    return {
        name: array[:, 0] if name.startswith("y") and array.shape[1:] == (1,) else array
        for name, array in arrays.items()
    }


def read_folder(folder: Path) -> Arrays:
    """The binary version, extracted."""

    def read(name: str) -> bytes:
        if not (folder / name).is_file():
            raise ValueError(f"it lacks {name}")
        return (folder / name).read_bytes()

    with file_errors(folder):
        return arrays_from(read)


def read_archive(path: Path) -> Arrays:
    """The binary version as it is downloaded; read in memory, never extracted."""
    with file_errors(path), tarfile.open(path, "r:gz") as archive:
        members = {Path(member.name).name: member for member in archive if member.isfile()}

        def read(name: str) -> bytes:
            if name not in members:
                raise ValueError(f"it lacks {name}")
            file = archive.extractfile(members[name])
            return file.read(IMAGES * BYTES + 1) if file else b""

        return arrays_from(read)


def arrays_from(read: Callable[[str], bytes]) -> Arrays:
    """The four arrays, from a function that gives the bytes of a batch by its name; ValueError names a wrong one.

    Of each image there are the label, then 1,024 bytes each of red, green and blue.
    """

    def batch(name: str) -> np.ndarray:
        data = read(name)
        if len(data) != IMAGES * BYTES:
            raise ValueError(f"{name} must hold {IMAGES * BYTES} bytes")
        return np.frombuffer(data, np.uint8).reshape(IMAGES, BYTES)

    parts = np.concatenate([batch(name) for name in TRAINING]), batch(TEST)
    images = [part[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1) for part in parts]
    return dict(zip(ARRAYS, (images[0], parts[0][:, 0], images[1], parts[1][:, 0])))


# --- From the arrays to the data set


def ordered(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both, uint8, in the order of the SHA-256 of each image's label and pixels.

    Copies of CIFAR-10 differ in their order. In this one, they are the same, and every stretch has all classes.
    """
    labels, images = labels.astype(np.uint8), np.ascontiguousarray(images, np.uint8)
    digests = [hashlib.sha256(bytes([label]) + image.tobytes()).digest() for label, image in zip(labels, images)]
    order = sorted(range(len(labels)), key=digests.__getitem__)
    return images[order], labels[order]


def dataset(arrays: Arrays, source: str, path: Path) -> Dataset:
    """The data set of these arrays; UsageError where they have not its shapes and values."""
    base.check_arrays("CIFAR-10", arrays, SHAPES, dict.fromkeys(ARRAYS, path))
    train, test = (ordered(arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test"))
    arrays = dict(zip(ARRAYS, (*train, *test)))
    sha256 = base.checksum(arrays)
    name = "cifar10" if sha256 == SHA256 else "cifar10-altered"
    return base.split(name, source, str(path), sha256, arrays, VALIDATION)


def found_in(folder: Path) -> Dataset | None:
    """CIFAR-10 from a folder, or None where the folder holds no part of it."""
    path = place(folder)
    if path is None:
        return None
    if path.name == NPZ:
        return dataset(read_npz(path), NPZ, path)
    if path.name == FOLDER:
        return dataset(read_folder(path), "the binary version", path)
    return dataset(read_archive(path), "the binary version's archive", path)


def downloaded() -> Dataset | None:
    """As Keras downloads it. What Keras unpickles has passed its checksum."""
    arrays = base.download("CIFAR-10", "cifar10")
    if arrays is None:
        return None
    flat = {name: array[:, 0] if name.startswith("y") else array for name, array in arrays.items()}
    return dataset(flat, "Keras' download", base.keras_cache())


def load(data_dir: Path | None) -> Dataset:
    """CIFAR-10 from the user's folder, Keras' cache or the network. UsageError tells where it may be had."""
    folder = base.data_folder(data_dir)
    found = found_in(folder) if folder else None
    if found:
        return found
    if folder and (refused := pickled(folder)):
        raise UsageError(
            f"{refused} holds Python objects (pickles), which are refused because they can run code: {DOWNLOAD} and "
            f"put it into {folder}"
        )
    if data_dir:
        raise UsageError(f"{folder} holds no CIFAR-10: {DOWNLOAD} and put it there, as it is; {NPZ} will do too")
    found = found_in(base.keras_cache()) or downloaded()
    if found is None:
        looked = f"{folder} and {base.keras_cache()} hold" if folder else f"{base.keras_cache()} holds"
        raise UsageError(
            f"{looked} no CIFAR-10: {DOWNLOAD}, and name the folder that it is in with --data-dir or REPRODUCTIONS_DATA"
        )
    return found


def whitened(data: Dataset) -> Dataset:
    """The set with every image contrast normalized and whitened by the training images, float32.

    It keeps the checksum of its pixels.
    """
    parts: dict[str, Any] = {name: getattr(data, name) for name in ("train", "validation", "test")}
    print(f"whitening {sum(data.sizes().values()):,} images", flush=True)
    made = whitening.fit(np.concatenate([parts["train"].images, parts["validation"].images]))
    white: dict[str, Any] = {name: Pixels(made.apply(part.images), part.labels) for name, part in parts.items()}
    return replace(data, name=f"{data.name}-whitened", statistics=None, **white)
