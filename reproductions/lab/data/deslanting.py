"""Deslanting of digits: LeCun et al. 1998, section III-A."""

from __future__ import annotations

import numpy as np

SIZE = 20  # pixels
INK = 128  # lowest grey level of the foreground
BLOCK = 5000  # images at a time, to limit the memory in use


def deslanted(images: np.ndarray) -> np.ndarray:
    """Shear digits until their principal axes are vertical, and cut them to 20x20 pixels about their centres.

    Args:
        images: (n, height, width) uint8, with a background of 0.

    Returns:
        (n, 20, 20) uint8.
    """
    blocks = [images[first : first + BLOCK] for first in range(0, len(images), BLOCK)]
    sheared = [np.rint(sheared_rows(block, slants(block >= INK))).astype(np.uint8) for block in blocks]
    return np.concatenate([centred(block, SIZE) for block in sheared])


def slants(ink: np.ndarray) -> np.ndarray:
    """Return the slant of each digit, in pixels along x per pixel along y.

    It is the covariance of x and y over the foreground divided by the variance of y, the second moments of inertia.
    Shearing the rows by it makes the covariance zero.

    Args:
        ink: (n, height, width), whether a pixel is of the foreground.

    Returns:
        (n,) float64; 0 where the foreground is empty or within one row.
    """
    weight = ink.astype(np.float64)
    total = np.maximum(weight.sum(axis=(1, 2)), 1)
    x, y = np.arange(ink.shape[2]), np.arange(ink.shape[1])
    columns, rows = weight.sum(axis=1), weight.sum(axis=2)
    mean_x, mean_y = columns @ x / total, rows @ y / total
    variance = rows @ y**2 / total - mean_y**2
    covariance = (weight @ x) @ y / total - mean_x * mean_y
    slant: np.ndarray = np.where(variance > 1e-9, covariance / np.where(variance > 1e-9, variance, 1), 0)
    return slant


def sheared_rows(images: np.ndarray, slant: np.ndarray) -> np.ndarray:
    """Shift each row horizontally against the slant, about the middle row, with linear interpolation.

    Args:
        images: (n, height, width).
        slant: (n,), pixels along x per pixel along y.

    Returns:
        (n, height, width + 2 margin) float64: all ink is kept.
    """
    height, width = images.shape[1:]
    margin = int(np.ceil(np.abs(slant).max(initial=0) * height / 2)) + 1
    padded = np.pad(images.astype(np.float64), [(0, 0), (0, 0), (margin, margin)])
    shift = slant[:, np.newaxis, np.newaxis] * (np.arange(height) - (height - 1) / 2)[:, np.newaxis]
    source = np.clip(np.arange(width + 2 * margin) + shift, 0, width + 2 * margin - 1)
    left = np.minimum(source.astype(np.int64), width + 2 * margin - 2)
    fraction = source - left
    values = (np.take_along_axis(padded, left + right, axis=2) for right in (0, 1))
    sheared: np.ndarray = next(values) * (1 - fraction) + next(values) * fraction
    return sheared


def centred(images: np.ndarray, size: int) -> np.ndarray:
    """Return the square of each image about the centre of the smallest rectangle with all ink.

    Args:
        images: (n, height, width) with a background of 0.
        size: Height and width of the square, in pixels.

    Returns:
        (n, size, size) of the same type; ink outside is cut off.
    """
    padded = np.pad(images, [(0, 0), (size, size), (size, size)])
    starts = []
    for axis in (2, 1):  # whether each row, then each column, has ink
        ink = np.asarray(images.any(axis=axis))
        first, last = ink.argmax(axis=1), ink.shape[1] - 1 - ink[:, ::-1].argmax(axis=1)
        starts.append((first + last + 1 - size) // 2 + size)
    rows, columns = (start[:, np.newaxis] + np.arange(size) for start in starts)
    square: np.ndarray = padded[
        np.arange(len(images))[:, np.newaxis, np.newaxis], rows[:, :, np.newaxis], columns[:, np.newaxis]
    ]
    return square
