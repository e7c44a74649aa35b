"""Nearest neighbours by tangent distance: Simard, LeCun and Denker 1993."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neighbors import NearestNeighbors

TANGENTS = 7
SINGULAR = 1e-6  # added to the diagonal of a system whose planes may share a direction
BLOCK = 5000  # images at a time, to limit the memory in use


class TangentDistanceClassifier(ClassifierMixin, BaseEstimator):
    """Classifier by the nearest of the training images, in tangent distance.

    The tangent distance of two images is the smallest Euclidean distance between their tangent planes. The plane of an
    image approximates what small shifts, rotations and other deformations make of it; see `tangent_vectors`.

    Args:
        n_neighbors: Number of neighbours that vote; of equally many votes, the digit of the nearest one wins.
        candidates: Number of Euclidean nearest neighbours among which these are searched.
        sigma: Standard deviation in pixels of the Gaussian by which images are smoothed.
    """

    def __init__(self, n_neighbors: int = 1, candidates: int = 200, sigma: float = 0.9) -> None:
        self.n_neighbors = n_neighbors
        self.candidates = candidates
        self.sigma = sigma

    def fit(self, X: np.ndarray, y: np.ndarray) -> TangentDistanceClassifier:
        """Compute the tangent planes of the training images.

        Args:
            X: Images (n, height, width).
            y: Labels (n,).
        """
        self.classes_, self.labels_ = np.unique(y, return_inverse=True)
        self.points_, self.planes_ = planes(X, self.sigma)
        self.neighbours_ = NearestNeighbors(n_neighbors=min(self.candidates, len(X)), algorithm="brute")
        self.neighbours_.fit(self.points_)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the class of each image (n,)."""
        answers = []
        for first in range(0, len(X), BLOCK):
            points, bases = planes(X[first : first + BLOCK], self.sigma)
            candidates = self.neighbours_.kneighbors(points, return_distance=False)
            answers += [self.vote(*each) for each in zip(points, bases, candidates)]
        return self.classes_[np.array(answers, np.int64)]

    def vote(self, point: np.ndarray, basis: np.ndarray, candidates: np.ndarray) -> int:
        """Return the number of the class of an image, given its plane and the indices of the candidates."""
        squares = squared_distances(point, basis, self.points_[candidates], self.planes_[candidates])
        nearest = self.labels_[candidates[np.argsort(squares, kind="stable")[: self.n_neighbors]]]
        votes = np.bincount(nearest, minlength=len(self.classes_))
        return int(next(label for label in nearest if votes[label] == votes.max()))


def tangent_vectors(images: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Smooth images and return the derivatives of each with respect to seven deformations.

    These are shifts along x and y, rotation, scaling, and stretching along an axis and along a diagonal, all about the
    centre, and thickening, whose derivative is the square of the gradient.

    Args:
        images: (n, height, width).
        sigma: Standard deviation of the Gaussian, in pixels.

    Returns:
        Smoothed images (n, height, width), and tangent vectors (n, height, width, 7), both float64.
    """
    exact = np.asarray(images, np.float64)
    smooth, by_y, by_x = (
        gaussian_filter(exact, (0, sigma, sigma), order, mode="constant") for order in ((0, 0, 0), (0, 1, 0), (0, 0, 1))
    )
    height, width = exact.shape[1:]
    y = (np.arange(height) - (height - 1) / 2)[:, np.newaxis]
    x = np.arange(width) - (width - 1) / 2
    vectors = (
        by_x,
        by_y,
        y * by_x - x * by_y,
        x * by_x + y * by_y,
        x * by_x - y * by_y,
        y * by_x + x * by_y,
        by_x**2 + by_y**2,
    )
    return smooth, np.stack(vectors, axis=-1)


def planes(images: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the tangent planes of images: smoothed images (n, pixels), and bases (n, pixels, 7), float32.

    The columns of a basis are orthonormal.
    """
    points, bases = [], []
    for first in range(0, len(images), BLOCK):
        smooth, vectors = tangent_vectors(images[first : first + BLOCK], sigma)
        points.append(smooth.reshape(len(smooth), -1).astype(np.float32))
        bases.append(np.linalg.qr(vectors.reshape(len(smooth), -1, TANGENTS))[0].astype(np.float32))
    return np.concatenate(points), np.concatenate(bases)


def squared_distances(point: np.ndarray, basis: np.ndarray, points: np.ndarray, bases: np.ndarray) -> np.ndarray:
    """Return the squared tangent distances of one image from others.

    The distance is what remains of the difference of two images when its projection on the span of both bases is
    subtracted. With orthonormal bases A and B of u = A^T d and v = B^T d, the projection has the squared length
    |u|^2 + w^T (I - C^T C)^-1 w, where C = A^T B and w = v - C^T u.

    Args:
        point: The image (pixels,).
        basis: Its orthonormal tangent vectors (pixels, 7).
        points: The other images (n, pixels).
        bases: Their orthonormal tangent vectors (n, pixels, 7).

    Returns:
        (n,) float64.
    """
    difference = points - point
    own = difference @ basis
    other = np.matmul(difference[:, np.newaxis], bases)[:, 0]
    between = np.matmul(basis.T, bases).astype(np.float64)
    left = other - np.matmul(own[:, np.newaxis], between)[:, 0]
    system = (1 + SINGULAR) * np.eye(between.shape[2]) - between.transpose(0, 2, 1) @ between
    solved = np.linalg.solve(system, left[..., np.newaxis])[..., 0]
    projected = (own**2).sum(axis=1) + (left * solved).sum(axis=1)
    squares: np.ndarray = (difference.astype(np.float64) ** 2).sum(axis=1) - projected
    return squares
