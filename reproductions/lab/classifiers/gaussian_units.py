"""Radial basis functions about the K-means centres of each class: LeCun et al. 1998, section III-C."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.metrics.pairwise import euclidean_distances


class GaussianUnits(TransformerMixin, BaseEstimator):
    """Gaussian units exp(-d^2 / (2 s^2)) of the distance d to a centre.

    The centres of a class are those that K-means finds for its training vectors. The width s is `width` times the root
    mean square distance of all training vectors from the nearest centre of their class.

    Args:
        per_class: Number of centres of each class.
        width: Width of the Gaussians.
        random_state: Seed of K-means.
    """

    def __init__(self, per_class: int = 100, width: float = 1.0, random_state: int | None = None) -> None:
        self.per_class = per_class
        self.width = width
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> GaussianUnits:
        """Find the centres.

        Args:
            X: Vectors (n, d).
            y: Labels (n,).
        """
        found = [KMeans(self.per_class, n_init=1, random_state=self.random_state).fit(X[y == k]) for k in np.unique(y)]
        self.centres_ = np.concatenate([each.cluster_centers_ for each in found])
        self.scale_ = self.width * float(np.sqrt(sum(each.inertia_ for each in found) / len(X)))
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the outputs of all units (n, classes * per_class), those of the first class first."""
        distances = euclidean_distances(np.asarray(X, np.float64), self.centres_, squared=True)
        outputs: np.ndarray = np.exp(-distances / (2 * self.scale_**2))
        return outputs
