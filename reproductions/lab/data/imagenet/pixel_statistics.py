"""Statistics of the training images: the mean image, the mean colour, and the principal components of colour.

Sums are of integers and therefore exact in any order of shards.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from reproductions.lab import npz_files
from reproductions.lab.data.imagenet.encode import SIDE


class ImageNetStatistics(NamedTuple):
    """Statistics of the central 256 x 256 pixels at a short side of 256, in units of 0..255.

    Attributes:
        mean_image: (256, 256, 3) float32.
        mean_colour: (3,) float32, of RGB.
        eigenvalues: (3,) float32, of the covariance (3, 3) of RGB over all pixels, the largest first.
        eigenvectors: (3, 3) float32, `eigenvectors[:, i]` for `eigenvalues[i]`, its largest entry positive.
    """

    mean_image: np.ndarray
    mean_colour: np.ndarray
    eigenvalues: np.ndarray
    eigenvectors: np.ndarray


class PixelSums:
    """Sums over images.

    Attributes:
        count: Number of images.
        pixels: Sum of the images, (256, 256, 3) int64.
        products: Sum of products of two colours over all pixels, (3, 3) int64.
    """

    def __init__(self) -> None:
        self.count = 0
        self.pixels = np.zeros((SIDE, SIDE, 3), np.int64)
        self.products = np.zeros((3, 3), np.int64)

    def add(self, pixels: np.ndarray) -> None:
        """Add an image, (256, 256, 3) uint8."""
        self.count += 1
        self.pixels += pixels
        colours = pixels.reshape(-1, 3).astype(np.float64)  # exact: the products of an image stay below 2 ** 53
        self.products += (colours.T @ colours).astype(np.int64)

    def add_sums(self, count: int, pixels: np.ndarray, products: np.ndarray) -> None:
        """Add the sums over other images."""
        self.count += int(count)
        self.pixels += pixels
        self.products += products

    def add_other(self, other: PixelSums) -> None:
        """Add the sums over other images."""
        self.add_sums(other.count, other.pixels, other.products)

    def statistics(self) -> ImageNetStatistics:
        """Return the statistics of all images added."""
        mean_image = self.pixels / self.count
        pixels = self.count * SIDE * SIDE
        mean = self.pixels.sum(axis=(0, 1)) / pixels
        values, vectors = np.linalg.eigh(self.products / pixels - np.outer(mean, mean))
        values, vectors = values[::-1], vectors[:, ::-1]
        largest = vectors[np.abs(vectors).argmax(axis=0), range(3)]
        arrays = (mean_image, mean, values, vectors * np.sign(largest))
        return ImageNetStatistics(*(array.astype(np.float32) for array in arrays))


def read(path: Path) -> ImageNetStatistics:
    """Return the statistics in a file; UsageError if it is missing or damaged."""
    shapes = ((SIDE, SIDE, 3), (3,), (3,), (3, 3))
    with npz_files.open_npz(path, f"run `reproduce data verify {path.parent}`") as file:
        arrays = [file.array(name, npz_files.FLOATS, shape) for name, shape in zip(ImageNetStatistics._fields, shapes)]
        if not all(np.isfinite(array).all() for array in arrays):
            raise ValueError("it has values that are not finite")
        return ImageNetStatistics(*arrays)
