"""Statistics of the training pictures: the mean picture, the mean colour, and the principal components of colour.

Sums are of whole numbers and so exact, in whatever order shards are added.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from reproductions.lab.data.imagenet.encode import SIDE


class Statistics(NamedTuple):
    """Of the central 256 x 256 pixels at a short side of 256, with values in 0..255.

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


class Sums:
    """Sums over pictures: of pixels, and of products of colours."""

    def __init__(self) -> None:
        self.pictures = 0
        self.pixels = np.zeros((SIDE, SIDE, 3), np.int64)
        self.products = np.zeros((3, 3), np.int64)

    def add(self, pixels: np.ndarray) -> None:
        """Adds a picture, (256, 256, 3) uint8."""
        self.pictures += 1
        self.pixels += pixels
        colours = pixels.reshape(-1, 3).astype(np.float64)  # exact: a picture's products stay below 2 ** 53
        self.products += (colours.T @ colours).astype(np.int64)

    def add_sums(self, pictures: int, pixels: np.ndarray, products: np.ndarray) -> None:
        self.pictures += int(pictures)
        self.pixels += pixels
        self.products += products

    def statistics(self) -> Statistics:
        mean_image = self.pixels / self.pictures
        count = self.pictures * SIDE * SIDE
        mean = self.pixels.sum(axis=(0, 1)) / count
        values, vectors = np.linalg.eigh(self.products / count - np.outer(mean, mean))
        values, vectors = values[::-1], vectors[:, ::-1]
        largest = vectors[np.abs(vectors).argmax(axis=0), range(3)]
        return Statistics(*(a.astype(np.float32) for a in (mean_image, mean, values, vectors * np.sign(largest))))


def read(path: Path) -> Statistics:
    with np.load(path, allow_pickle=False) as arrays:
        return Statistics(*(arrays[name] for name in Statistics._fields))
