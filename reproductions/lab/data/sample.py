"""A folder of images with a list of labels: a sample that somebody chose, in place of ImageNet's validation images."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from reproductions.lab import files
from reproductions.lab.data.base import Dataset
from reproductions.lab.data.imagenet import classes
from reproductions.lab.errors import UsageError, file_errors

NAME = "sample"
LARGEST = 1 << 26  # bytes of a list or an image
DIGITS = 4  # of a label


@dataclass(eq=False)
class ImageFiles:
    """Images in files of their own, as `base.EncodedImages`.

    Attributes:
        paths: The files.
        labels: (n,) int64.
        filenames: (n,) names of the images.
    """

    paths: Sequence[Path]
    labels: np.ndarray
    filenames: np.ndarray

    def read(self, index: int) -> bytes:
        """Return the encoded image."""
        return read_image(self.paths[int(index)])

    def concatenate(self, other: ImageFiles) -> ImageFiles:
        """Return these images followed by the others."""
        arrays = (np.concatenate(both) for both in ((self.labels, other.labels), (self.filenames, other.filenames)))
        return ImageFiles([*self.paths, *other.paths], *arrays)


def image_files(paths: Sequence[Path], labels: Sequence[int]) -> ImageFiles:
    """Return images with their labels."""
    return ImageFiles(paths, np.array(labels, np.int64), np.array([path.name for path in paths], np.str_))


def read_image(path: Path) -> bytes:
    """Return the content of a JPEG or PNG file.

    Raises:
        UsageError: If the file is missing or damaged, or is not a JPEG or PNG.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name the JPEG or PNG files in it")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is a pipe or device: name a JPEG or PNG file")
    with file_errors(path, "replace it by a JPEG or PNG file"):
        content = files.read_bytes(path, LARGEST)
        try:
            image = Image.open(io.BytesIO(content))
        except UnidentifiedImageError:  # whose text names a Python object
            raise ValueError("it is not an image") from None
        with image:
            if image.format not in ("JPEG", "PNG"):
                raise ValueError(f"it is {image.format}")
            image.load()  # TensorFlow's error for a truncated file does not name it
        return content


def load(folder: Path, labels: Path) -> Dataset:
    """Return a sample as a data set with test images only.

    Args:
        folder: Folder of the images.
        labels: List of them, with lines "FILE, CLASS" or "FILE CLASS"; a class is a WNID, or its number from 0 among
            ImageNet's sorted WNIDs.

    Raises:
        UsageError: If a file is missing or damaged, or a line of the list is wrong.
    """
    if not folder.is_dir():
        raise UsageError(f"--images: {folder} is not a folder")
    entries = read_labels(labels)
    paths = [folder / name for name in entries]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise UsageError(
            f"{labels} lists {missing[0].name}, but {missing[0]} is not a file; {len(missing)} are missing"
        )
    sha256 = hashlib.sha256()
    for path, label in zip(paths, entries.values()):
        sha256.update(f"{path.name} {label} {files.sha256(path)}\n".encode())
    test, none = image_files(paths, list(entries.values())), image_files([], [])
    source = f"{len(paths):,} images that somebody chose, listed in {labels.name}"
    return Dataset(NAME, source, str(folder), sha256.hexdigest(), none, none, test)


def read_labels(path: Path) -> dict[str, int]:
    """Return the labels in a list of images, by file name; see `load`."""
    try:
        lines = files.read_bytes(path, LARGEST).decode().splitlines()
    except (OSError, ValueError) as error:
        raise UsageError(f"--labels: {path} cannot be read: {error}") from None
    found: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        name, _, text = line.strip().rpartition("," if "," in line else " ")
        if not name.strip():
            raise UsageError(f"{path}, line {number}: expected FILE, CLASS; got {line.strip()!r}")
        if name.strip() in found:
            raise UsageError(f"{path}, line {number}: {name.strip()} is listed twice")
        found[name.strip()] = label_of(text.strip(), f"{path}, line {number}")
    if not found:
        raise UsageError(f"{path} lists no images: expected lines such as ILSVRC2012_val_00000001.JPEG, 65")
    return found


def label_of(text: str, place: str) -> int:
    """Return the label of a class that is given by number or WNID; UsageError if it does not exist."""
    labels = classes.labels()
    if text in labels:
        return labels[text]
    if not text.isdecimal() or len(text) > DIGITS or int(text) >= len(labels):
        first, last = next(iter(labels)), len(labels) - 1
        raise UsageError(f"{place}: expected a class from 0 to {last}, or a WNID such as {first}; got {text[:40]!r}")
    return int(text)
