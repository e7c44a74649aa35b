"""Contrast normalization and ZCA whitening of a set of images, as Goodfellow et al. 2013 (Maxout Networks) have it.

Their numbers are those of their code, pylearn2. All at once and before training: whitening an image costs as much as a
fully connected layer from all of its values to as many. On one thread, since the last bits depend on their number: a
run that goes on must find the images that it left.
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
    """Each image less its mean, of Euclidean length 55: (n, height, width, channels) to (n, values) float32.

    An image of one colour becomes zeros.
    """
    values = images.reshape(len(images), -1).astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    divisors = np.linalg.norm(values, axis=1, keepdims=True) / LENGTH
    return values / np.where(divisors < SHORTEST, 1, divisors)


class Whitening(NamedTuple):
    """What `fit` found: the mean of all values (values,), and the symmetric matrix (values, values), float32."""

    mean: np.ndarray
    matrix: np.ndarray

    @threadpool_limits.wrap(limits=1)
    def apply(self, images: np.ndarray) -> np.ndarray:
        """Contrast normalized and whitened: (n, height, width, channels) in 0..255 to the same in float32."""
        white = np.empty(images.shape, np.float32)
        for part in blocks(images):
            white[part] = ((contrast_normalized(images[part]) - self.mean) @ self.matrix).reshape(images[part].shape)
        return white


def blocks(images: np.ndarray) -> Iterator[slice]:
    return (slice(first, first + BLOCK) for first in range(0, len(images), BLOCK))


@threadpool_limits.wrap(limits=1)
def fit(images: np.ndarray) -> Whitening:
    """ZCA of these images, contrast normalized: V diag((e + 0.1)^-1/2) V^T, of their covariance V diag(e) V^T."""
    size = images[0].size
    mean = sum((contrast_normalized(images[part]).sum(axis=0, dtype=np.float64) for part in blocks(images)),
               np.zeros(size)) / len(images)  # fmt: skip
    covariance = np.zeros((size, size))
    for part in blocks(images):
        centred = contrast_normalized(images[part]) - mean.astype(np.float32)
        covariance += centred.T @ centred
    eigenvalues, eigenvectors = np.linalg.eigh(covariance / len(images))
    matrix = (eigenvectors / np.sqrt(eigenvalues + BIAS)) @ eigenvectors.T
    return Whitening(mean.astype(np.float32), matrix.astype(np.float32))
