"""USPS ZIP code digits, from the files of The Elements of Statistical Learning."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from reproductions.lab.data import base
from reproductions.lab.data.base import ARRAYS, Arrays, Dataset
from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.files import read_bytes

SHA256 = "4559d0301a6231aba2f2c51d092391f64b8f8bd2adb1173b363410747e4d6d98"
NAMES = {"train": "zip.train", "test": "zip.test"}
COUNTS = {"train": 7291, "test": 2007}
SIZE = 16  # pixels
COLUMNS = 1 + SIZE * SIZE  # numbers in a line, the label first
BYTES = 2**24  # more than either file has, decompressed
FOLDER = "usps"
VALIDATION = 1000  # the last training images

DOWNLOAD = "download zip.train.gz and zip.test.gz (2 MB) from https://hastie.su.domains/ElemStatLearn/data.html"


# --- Files


def locate(folder: Path) -> dict[str, Path]:
    """Return the files by split that are in a folder or else in its subfolder `usps`, plain before gzipped."""
    for parent in (folder, folder / FOLDER):
        candidates = {split: [parent / f"{name}{end}" for end in ("", ".gz")] for split, name in NAMES.items()}
        found = {split: path for split, paths in candidates.items() for path in paths[::-1] if path.is_file()}
        if found:
            return found
    return {}


def missing(files: dict[str, Path]) -> list[str]:
    """Return the names of the files that `locate` did not find."""
    return [name for split, name in NAMES.items() if split not in files]


def read(path: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images (count, 16, 16) float32 in -1..1, and labels (count,) uint8.

    Args:
        path: File with a line for each image: the label and 256 grey values, row by row. Plain or gzipped.
        count: Expected number of images.

    Raises:
        UsageError: If the file is damaged. No more than `BYTES` of it are read or decompressed.
    """
    with file_errors(path):
        text = read_bytes(path, BYTES)
        if not text.strip():
            raise ValueError("it is empty")
        rows = np.loadtxt(io.BytesIO(text), comments=None, ndmin=2)
        if rows.shape != (count, COLUMNS):
            raise ValueError(f"expected {count:,} lines of {COLUMNS} numbers, got {rows.shape[0]:,} of {rows.shape[1]}")
        labels, values = rows[:, 0], rows[:, 1:]
        if not np.isin(labels, range(10)).all():
            raise ValueError("a line does not begin with a label in 0..9")
        if not (np.abs(values) <= 1).all():
            raise ValueError("expected grey values in -1..1")
    images = values.astype(np.float32) + 0  # -0.0000 becomes 0
    return images.reshape(-1, SIZE, SIZE), labels.astype(np.uint8)


# --- From the arrays to the data set


def make_dataset(arrays: Arrays, folder: Path) -> Dataset:
    """Return the data set with these arrays, read from this folder."""
    sha256 = base.checksum(arrays)
    name = "usps" if sha256 == SHA256 else "usps-altered"
    train, validation, test, _ = base.split_off_validation(arrays, VALIDATION)
    return Dataset(name, "zip.train and zip.test", str(folder), sha256, train, validation, test)


def load(data_dir: Path | None) -> Dataset:
    """Return the digits from a folder, or from its subfolder `usps`.

    Args:
        data_dir: Folder with the files; by default REPRODUCTIONS_DATA.

    Raises:
        UsageError: If they are not found, with instructions how to get them; if a file is missing or damaged.
    """
    folder = base.data_folder(data_dir)
    files = locate(folder) if folder else {}
    if folder is None:
        raise UsageError(
            f"the USPS ZIP code digits are not downloaded automatically: {DOWNLOAD}, and give their folder by "
            "--data-dir or REPRODUCTIONS_DATA"
        )
    if not files:
        raise UsageError(f"{folder} does not contain the USPS ZIP code digits: {DOWNLOAD}, and put them there")
    parent = next(iter(files.values())).parent
    if lacking := missing(files):
        raise UsageError(f"{parent} has one file of the USPS ZIP code digits but lacks {lacking[0]} (plain or .gz)")
    arrays = [each for split in NAMES for each in read(files[split], COUNTS[split])]
    return make_dataset(dict(zip(ARRAYS, arrays)), parent)
