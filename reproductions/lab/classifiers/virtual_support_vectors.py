"""Support vector machine trained on shifted support vectors: Schölkopf, Burges and Vapnik 1996."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import normalize
from sklearn.svm import SVC

SHIFTS = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))  # along y and x, in pixels


class VirtualSVC(ClassifierMixin, BaseEstimator):
    """Polynomial support vector machine that is trained twice.

    The second time it sees the support vectors of the first, and virtual ones: these images shifted by one pixel in
    each of four directions. All images are vectors of length 1.

    Args:
        degree: Degree d of the kernel (gamma x^T y + coef0)^d.
        gamma: Factor of the scalar product.
        coef0: Constant of the kernel.
        C: Weight of the errors.
        cache_size: Memory for the kernel's values, in MB.
    """

    def __init__(
        self, degree: int = 9, gamma: float = 0.01, coef0: float = 1.0, C: float = 10.0, cache_size: float = 200
    ) -> None:
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.C = C
        self.cache_size = cache_size

    def fit(self, X: np.ndarray, y: np.ndarray) -> VirtualSVC:
        """Find the support vectors, and train on them and their shifts.

        Args:
            X: Images (n, height, width) with a background of 0.
            y: Labels (n,).
        """
        support = SVC(kernel="poly", **self.get_params()).fit(vectors(X), y).support_
        images = np.concatenate([shifted(X[support], *shift) for shift in SHIFTS])
        self.machine_ = SVC(kernel="poly", **self.get_params()).fit(vectors(images), np.tile(y[support], len(SHIFTS)))
        self.classes_ = self.machine_.classes_
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the class of each image (n,)."""
        labels: np.ndarray = self.machine_.predict(vectors(X))
        return labels


def vectors(images: np.ndarray) -> np.ndarray:
    """Return images (n, height, width) as vectors (n, height * width) of length 1."""
    unit: np.ndarray = normalize(images.reshape(len(images), -1))
    return unit


def shifted(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """Return images (n, height, width) shifted by up to one pixel in each direction, with zeros from outside."""
    height, width = images.shape[1:]
    padded = np.pad(images, [(0, 0), (1, 1), (1, 1)])
    return padded[:, 1 - down : 1 - down + height, 1 - right : 1 - right + width]
