"""CIFAR-10, from the file formats that cannot run code, in one fixed order."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from reproductions.lab.data import base, whitening
from reproductions.lab.data.base import ARRAYS, SPLITS, Arrays, Dataset, InMemoryImages
from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.files import read_bytes

SHA256 = "6d98175bc324572ef05bcbafcbc0832768a2892d937e137cd995d8b47607001e"  # of the arrays sorted by `sort_by_hash`
SHAPES = {"x_train": (50000, 32, 32, 3), "y_train": (50000,), "x_test": (10000, 32, 32, 3), "y_test": (10000,)}
VALIDATION = 5000  # the last training images in that order

NPZ = "cifar10.npz"
FOLDER, ARCHIVE = "cifar-10-batches-bin", "cifar-10-binary.tar.gz"
PICKLED = ("cifar-10-batches-py", "cifar-10-python.tar.gz")
TRAINING = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST = "test_batch.bin"
IMAGES = 10000  # in a file of the binary version
UNPACKED = 1 << 28  # bytes of the archive, decompressed; it has some 190 million
BYTES = 1 + 3 * 32 * 32  # of an image in it, the label first

DOWNLOAD = f"download https://www.cs.toronto.edu/~kriz/{ARCHIVE} (162 MB)"


# --- Files


def locate(folder: Path) -> Path | None:
    """Return the file or folder in `folder` that CIFAR-10 is read from; None if there is none."""
    paths = (folder / NPZ, folder / FOLDER, folder / ARCHIVE)
    return next((path for path in paths if path.exists()), None)


def locate_pickles(folder: Path) -> Path | None:
    """Return the Python version of CIFAR-10 in `folder`, which contains pickles; None if there is none."""
    return next((folder / name for name in PICKLED if (folder / name).exists()), None)


def read_folder(folder: Path) -> Arrays:
    """Return the four arrays of the extracted binary version."""

    def read(name: str) -> bytes:
        if not (folder / name).is_file():
            raise ValueError(f"it lacks {name}")
        return read_bytes(folder / name, UNPACKED)

    with file_errors(folder):
        return decode_batches(read)


def read_archive(path: Path) -> Arrays:
    """Return the four arrays of the archive of the binary version, which is read in memory and never extracted."""
    with file_errors(path), tarfile.open(fileobj=io.BytesIO(read_bytes(path, UNPACKED)), mode="r:") as archive:
        members = {Path(member.name).name: member for member in archive if member.isfile()}

        def read(name: str) -> bytes:
            if name not in members:
                raise ValueError(f"it lacks {name}")
            file = archive.extractfile(members[name])
            return file.read(IMAGES * BYTES + 1) if file else b""

        return decode_batches(read)


def decode_batches(read: Callable[[str], bytes]) -> Arrays:
    """Return the four arrays of the binary version.

    Each image is stored as its label and 1,024 bytes each of red, green and blue.

    Args:
        read: Function from the name of a file to its content.

    Raises:
        ValueError: If a file has the wrong size.
    """

    def batch(name: str) -> np.ndarray:
        data = read(name)
        if len(data) != IMAGES * BYTES:
            raise ValueError(f"{name} must contain {IMAGES * BYTES} bytes")
        return np.frombuffer(data, np.uint8).reshape(IMAGES, BYTES)

    rows = np.concatenate([batch(name) for name in TRAINING]), batch(TEST)
    images = [each[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1) for each in rows]
    return dict(zip(ARRAYS, (images[0], rows[0][:, 0], images[1], rows[1][:, 0])))


# --- From the arrays to the data set


def sort_by_hash(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return images and labels as uint8 in the order of the SHA-256 of each image's label and pixels.

    Copies of CIFAR-10 differ in their order. Sorted, they are equal, and every range of images has all classes.
    """
    labels, images = labels.astype(np.uint8), np.ascontiguousarray(images, np.uint8)
    digests = [hashlib.sha256(bytes([label]) + image.tobytes()).digest() for label, image in zip(labels, images)]
    order = sorted(range(len(labels)), key=digests.__getitem__)
    return images[order], labels[order]


def make_dataset(arrays: Arrays, source: str, path: Path) -> Dataset:
    """Return the data set with these arrays; see `Dataset` for the other arguments.

    Raises:
        UsageError: If shapes or values are not those of CIFAR-10.
    """
    arrays = base.check_arrays("CIFAR-10", arrays, SHAPES, dict.fromkeys(ARRAYS, path))
    train, test = (sort_by_hash(arrays[f"x_{split}"], arrays[f"y_{split}"]) for split in ("train", "test"))
    arrays = dict(zip(ARRAYS, (*train, *test)))
    sha256 = base.checksum(arrays)
    name = "cifar10" if sha256 == SHA256 else "cifar10-altered"
    return Dataset(name, source, str(path), sha256, *base.split_off_validation(arrays, VALIDATION))


def find(folder: Path) -> Dataset | None:
    """Return CIFAR-10 from a folder; None if the folder has no file of it."""
    path = locate(folder)
    if path is None:
        return None
    if path.name == NPZ:
        return make_dataset(base.read_npz(path, SHAPES), NPZ, path)
    if path.name == FOLDER:
        return make_dataset(read_folder(path), "the binary version", path)
    return make_dataset(read_archive(path), "the binary version's archive", path)


def download() -> Dataset | None:
    """Return CIFAR-10 as Keras downloads it, with a verified checksum; None if the download fails."""
    arrays = base.download("CIFAR-10", "cifar10")
    if arrays is None:
        return None
    flat = {name: array[:, 0] if name.startswith("y") else array for name, array in arrays.items()}
    return make_dataset(flat, "Keras' download", base.keras_cache())


def load(data_dir: Path | None) -> Dataset:
    """Return CIFAR-10 from a folder, Keras' cache or the network.

    Args:
        data_dir: Folder with the files; by default REPRODUCTIONS_DATA, then the other sources.

    Raises:
        UsageError: If it is not found, with instructions how to get it; if a file is damaged; if there are only
            pickles.
    """
    folder = base.data_folder(data_dir)
    found = find(folder) if folder else None
    if found:
        return found
    if folder and (pickles := locate_pickles(folder)):
        raise UsageError(
            f"{pickles} contains Python objects (pickles), which are not loaded because they can run code: {DOWNLOAD} "
            f"and put it into {folder}"
        )
    if data_dir:
        raise UsageError(
            f"{folder} does not contain CIFAR-10: {DOWNLOAD} and put it there without extracting it; {NPZ} works too"
        )
    found = find(base.keras_cache()) or download()
    if found is None:
        searched = " and ".join(str(each) for each in (folder, base.keras_cache()) if each)
        raise UsageError(
            f"CIFAR-10 was not found in {searched}: {DOWNLOAD}, and give its folder by --data-dir or REPRODUCTIONS_DATA"
        )
    return found


def whiten(data: Dataset) -> Dataset:
    """Return the data set with contrast-normalized and whitened images, float32.

    The transform is fitted to the training and validation images. The checksum stays that of the original pixels.
    """
    originals: dict[str, InMemoryImages] = {split: getattr(data, split) for split in SPLITS}
    print(f"whitening {sum(data.sizes().values()):,} images", flush=True)
    transform = whitening.fit(np.concatenate([originals["train"].images, originals["validation"].images]))
    train, validation, test = (InMemoryImages(transform.apply(each.images), each.labels) for each in originals.values())
    return replace(data, name=f"{data.name}-whitened", statistics=None, train=train, validation=validation, test=test)
