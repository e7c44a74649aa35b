"""The images that a network can be shown: those of the suite, test images of its data set, and files of the user."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from reproductions.lab.data import registry, sample
from reproductions.lab.data.base import InMemoryImages
from reproductions.lab.errors import UsageError, file_errors, unknown
from reproductions.lab.results.picture_record import ImageSource

FOLDER = Path(__file__).parent / "images"
CC0 = "CC0 1.0"
PHOTOGRAPHS = {
    "cat": ImageSource("a cat", "Chelsea the cat by Stefan van der Walt, skimage.data.chelsea of scikit-image", CC0),
    "coffee": ImageSource("a cup of coffee", "Coffee by Rachel Michetti, skimage.data.coffee of scikit-image", CC0),
}
DIGIT = 4  # number of the test image that networks for digits are shown
LICENCES = {"mnist": "CC BY-SA 3.0", "cifar10": None}
# Pillow's mode, width and height of the images in memory of each data set, and the smallest and largest stored value.
MODES = {"mnist": ("L", 28), "usps": ("L", 16), "cifar10": ("RGB", 32)}
USPS_RANGE = -1.0, 1.0
MNIST_MARGIN = 4  # around the 20 x 20 pixels of a digit, whereas digits of USPS fill their images


@dataclass(frozen=True)
class Stored:
    """An image as those of a data set are stored.

    Attributes:
        image: Array of pixels, or the content of a JPEG or PNG file.
        cover: What a square covers it with: an image of the same size, grey, or for digits black.
        source: Where it comes from.
    """

    image: np.ndarray | bytes
    cover: np.ndarray | bytes
    source: ImageSource


def check_choice(choice: str | None, dataset: str) -> None:
    """Check that an image can be shown to a network, as far as that can be known without the data; see `load`.

    Raises:
        UsageError: If it cannot.
    """
    photographs = dataset.startswith("imagenet")
    if choice is None or choice in PHOTOGRAPHS:
        return
    if choice.isdecimal():
        if photographs:
            raise UsageError(
                f"--image {choice}: test images by number are those of MNIST, USPS and CIFAR-10; for a network of "
                f"{dataset} name a file, or {' or '.join(PHOTOGRAPHS)}"
            )
        return
    if not Path(choice).exists() and not Path(choice).suffix:
        raise unknown("file, number of a test image, or image of the suite", choice, PHOTOGRAPHS)
    sample.read_image(Path(choice))


def load(choice: str | None, dataset: str, data_dir: Path | None = None) -> Stored:
    """Return an image as those of a data set are stored.

    Args:
        choice: JPEG or PNG file; "cat" or "coffee"; or the number of a test image. By default the cat for photographs
            and for CIFAR-10, and a test image of MNIST for digits.
        dataset: Name of the data set that the network was trained on.
        data_dir: Folder of the data.

    Raises:
        UsageError: If a file is missing or damaged, or the data are.
    """
    check_choice(choice, dataset)
    base = dataset.partition("-")[0]
    if choice is None:
        choice = "cat" if base in ("imagenet", "cifar10") else str(DIGIT)
        if base == "usps":
            return usps_digit(int(choice), data_dir)
    if choice.isdecimal():
        return test_image(int(choice), dataset, data_dir)
    path = FOLDER / f"{choice}.jpg" if choice in PHOTOGRAPHS else Path(choice)
    source = PHOTOGRAPHS.get(choice, ImageSource(path.name, "a file of the user", None))
    if base == "imagenet":
        content = sample.read_image(path)
        return Stored(content, grey_photograph(content), source)
    if dataset != base:
        raise UsageError(
            f"images cannot be brought into the form of {dataset}, which is computed from the whole set: name the "
            "number of a test image, such as --image 0"
        )
    mode, side = MODES[base]
    with file_errors(path), Image.open(path) as image:
        pixels = np.asarray(image.convert(mode).resize((side, side), Image.Resampling.BILINEAR), np.uint8)
    return in_memory(to_usps(pixels) if base == "usps" else pixels, source)


def test_image(number: int, dataset: str, data_dir: Path | None) -> Stored:
    """Return a test image of a data set in memory; UsageError if it has no such image."""
    data = registry.load(dataset, data_dir)
    images = data.test
    assert isinstance(images, InMemoryImages)
    if number >= len(images.labels):
        raise UsageError(f"--image {number}: {data.name} has only {len(images.labels)} test images, from 0")
    source = ImageSource(f"test image {number} of {data.name}", data.source, LICENCES.get(dataset.partition("-")[0]))
    return in_memory(np.asarray(images.images[number]), source)


def usps_digit(number: int, data_dir: Path | None) -> Stored:
    """Return a test image of MNIST as one of USPS, whose own images may not be published."""
    stored = test_image(number, "mnist", data_dir)
    inside = slice(MNIST_MARGIN, -MNIST_MARGIN)
    digit = Image.fromarray(np.asarray(stored.image)[inside, inside])
    side = MODES["usps"][1]
    source = replace(stored.source, source=f"{stored.source.source}, its digit resized to {side} x {side} pixels")
    return in_memory(to_usps(np.asarray(digit.resize((side, side), Image.Resampling.BILINEAR))), source)


def to_usps(pixels: np.ndarray) -> np.ndarray:
    """Return pixels in 0..255 in the range of USPS."""
    low, high = USPS_RANGE
    return (low + (high - low) * pixels / 255).astype(np.float32)


def in_memory(image: np.ndarray, source: ImageSource) -> Stored:
    """Return an image in memory; a digit is covered by its background, a coloured image by grey."""
    low, high = (0, 255) if image.dtype == np.uint8 else (image.min(), image.max())
    return Stored(image, np.full_like(image, (low + high) / 2 if image.ndim == 3 else image.min()), source)


def grey_photograph(content: bytes) -> bytes:
    """Return a grey image of the size of another one, as a PNG file."""
    with Image.open(io.BytesIO(content)) as image:
        grey = Image.new("RGB", image.size, (128, 128, 128))
    file = io.BytesIO()
    grey.save(file, "png")
    return file.getvalue()
