"""Occlusion sensitivity: the class scores as a square moves over the image (Zeiler and Fergus 2013, section 4.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

BATCH = 32  # images per forward pass

ScoreFunction = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Square:
    """The square that covers a part of the image, and how it moves.

    Attributes:
        side: Height and width, in pixels.
        stride: Distance between neighbouring positions of its centre.
    """

    side: int
    stride: int

    def centres(self, size: int) -> range:
        """Return the rows or columns of the centres in an image of this height or width; the square may stick out."""
        return range(0, size, self.stride)

    def window(self, centre: int) -> slice:
        """Return the rows or columns that the square covers around a centre."""
        first = centre - self.side // 2
        return slice(max(first, 0), first + self.side)


def square_for(size: int) -> Square:
    """Return the square for an image of this height: about a fifth of it, in steps of about a twenty-fifth."""
    return Square(max(3, round(size / 5)), max(1, round(size / 25)))


def occluded(image: np.ndarray, cover: np.ndarray, square: Square) -> Iterator[np.ndarray]:
    """Yield the image with each square of it covered, row by row.

    Args:
        image: (height, width, channels).
        cover: Pixels to put in place of those of the image, of its shape.
        square: The square.
    """
    height, width = image.shape[:2]
    for row in square.centres(height):
        for column in square.centres(width):
            covered = image.copy()
            window = square.window(row), square.window(column)
            covered[window] = cover[window]
            yield covered


def occlusion_scores(scores: ScoreFunction, image: np.ndarray, cover: np.ndarray, square: Square) -> np.ndarray:
    """Return the scores of all classes for each position of the square.

    Args:
        scores: Function from images (n, height, width, channels) to scores (n, classes).
        image: (height, width, channels), as the network sees it.
        cover: Image of this shape whose pixels the square shows instead.
        square: The square.

    Returns:
        (rows, columns, classes).
    """
    rows, columns = (len(square.centres(size)) for size in image.shape[:2])
    found, batch = [], []
    for number, covered in enumerate(occluded(image, cover, square), 1):
        batch.append(covered)
        if len(batch) == BATCH or number == rows * columns:
            found.append(scores(np.stack(batch)))
            batch = []
    return np.concatenate(found).reshape(rows, columns, -1)
