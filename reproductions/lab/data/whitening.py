"""Contrast normalization and ZCA whitening of images: Goodfellow et al. 2013, Maxout Networks.

The constants are those of the authors' code, pylearn2. A data set is whitened once, before training: whitening an image
costs as much as a fully connected layer between all its values. It runs on one thread because the last bits depend on
the number of threads, and a resumed run must see the same images.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

LENGTH = 55.0
SHORTEST = 1e-8
BIAS = 0.1
BLOCK = 5000  # images at a time


def contrast_normalized(images: np.ndarray) -> np.ndarray:
    """Subtract the mean of each image and scale it to the Euclidean length 55.

    Args:
        images: (n, height, width, channels).

    Returns:
        (n, values) float32; zeros for an image of one colour.
    """
    values = images.reshape(len(images), -1).astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    divisors = np.linalg.norm(values, axis=1, keepdims=True) / LENGTH
    return values / np.where(divisors < SHORTEST, 1, divisors)


class Whitening(NamedTuple):
    """Whitening transform fitted to images.

    Attributes:
        mean: Mean of the contrast-normalized images, (values,) float32.
        matrix: Symmetric matrix, (values, values) float32.
    """

    mean: np.ndarray
    matrix: np.ndarray

    @threadpool_limits.wrap(limits=1)
    def apply(self, images: np.ndarray) -> np.ndarray:
        """Normalize the contrast of images in 0..255 and whiten them.

        Args:
            images: (n, height, width, channels).

        Returns:
            Array of the same shape, float32.
        """
        white = np.empty(images.shape, np.float32)
        for block in blocks(images):
            white[block] = ((contrast_normalized(images[block]) - self.mean) @ self.matrix).reshape(images[block].shape)
        return white


def blocks(images: np.ndarray) -> Iterator[slice]:
    """Yield slices that cover the images, to limit the memory in use."""
    return (slice(first, first + BLOCK) for first in range(0, len(images), BLOCK))


@threadpool_limits.wrap(limits=1)
def fit(images: np.ndarray) -> Whitening:
    """Fit ZCA whitening to images in 0..255.

    The matrix is V diag((e + 0.1)^-1/2) V^T for the covariance V diag(e) V^T of the contrast-normalized images.

    Args:
        images: (n, height, width, channels).
    """
    size = images[0].size
    total = np.zeros(size)
    for block in blocks(images):
        total = total + contrast_normalized(images[block]).sum(axis=0, dtype=np.float64)
    mean = total / len(images)
    covariance = np.zeros((size, size))
    for block in blocks(images):
        centred = contrast_normalized(images[block]) - mean.astype(np.float32)
        covariance += centred.T @ centred
    eigenvalues, eigenvectors = np.linalg.eigh(covariance / len(images))
    matrix = (eigenvectors / np.sqrt(eigenvalues + BIAS)) @ eigenvectors.T
    return Whitening(mean.astype(np.float32), matrix.astype(np.float32))
