"""Tangent vectors compared with finite differences of deformed images, and tangent distances with least squares."""

import numpy as np
import pytest

from reproductions.lab.classifiers import tangent_distance
from reproductions.lab.classifiers.tangent_distance import TangentDistanceClassifier
from reproductions.lab.data import mnist

SIZE, SIGMA, STEP = 24, 1.0, 1e-4
Y, X = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2

# The derivatives of x and y with respect to the parameter of each deformation.
DEFORMATIONS = {
    "shift along x": (1, 0),
    "shift along y": (0, 1),
    "rotation": (Y, -X),
    "scaling": (X, Y),
    "stretching along an axis": (X, -Y),
    "stretching along a diagonal": (Y, X),
}


def drawing(x, y, smoothed=0.0):
    """Three blobs, far from the edges, as a function of the position; smoothed by a Gaussian, they are wider."""
    blobs = ((-2.0, 1.0, 2.2), (3.0, -1.5, 1.8), (0.5, 3.5, 2.0))
    total = 0
    for a, b, own in blobs:
        variance = own**2 + smoothed**2
        total = total + own**2 / variance * np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * variance))
    return total


@pytest.mark.parametrize("number, name", list(enumerate(DEFORMATIONS)))
def test_tangent_vectors_are_finite_differences_of_deformed_images(number, name):
    """The smoothed image is deformed by moving the positions that it is drawn at."""
    along_x, along_y = DEFORMATIONS[name]
    ahead, behind = (drawing(X + t * along_x, Y + t * along_y, SIGMA) for t in (STEP, -STEP))
    expected = (ahead - behind) / (2 * STEP)
    found = tangent_distance.tangent_vectors(drawing(X, Y)[np.newaxis], SIGMA)[1][0, ..., number]
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())


def test_the_last_tangent_vector_thickens_strokes():
    smooth, vectors = tangent_distance.tangent_vectors(drawing(X, Y)[np.newaxis], SIGMA)
    np.testing.assert_allclose(smooth[0], drawing(X, Y, SIGMA), atol=1e-4)
    by_x, by_y = ((drawing(X + dx, Y + dy, SIGMA) - drawing(X, Y, SIGMA)) / STEP for dx, dy in ((STEP, 0), (0, STEP)))
    np.testing.assert_allclose(vectors[0, ..., 6], by_x**2 + by_y**2, atol=0.01)


def test_tangent_distances_are_those_of_least_squares():
    images = mnist.subset().train.images[:12].astype(np.float32) / 255
    points, bases = tangent_distance.planes(images, 0.9)
    smooth, vectors = tangent_distance.tangent_vectors(images, 0.9)
    found = tangent_distance.squared_distances(points[0], bases[0], points[1:], bases[1:])
    own = vectors[0].reshape(-1, 7)
    for other in range(1, len(images)):
        both = np.column_stack([own, vectors[other].reshape(-1, 7)])
        difference = (smooth[other] - smooth[0]).ravel()
        steps = np.linalg.lstsq(both, difference, rcond=None)[0]
        assert found[other - 1] == pytest.approx(((difference - both @ steps) ** 2).sum(), rel=1e-3)


def test_a_deformed_image_is_near_in_tangent_distance():
    """A shift of a pixel costs less than a tenth of its Euclidean distance."""
    image = np.stack([drawing(X, Y), drawing(X + 1, Y)])
    points, bases = tangent_distance.planes(image, 0.9)
    (squared,) = tangent_distance.squared_distances(points[0], bases[0], points[1:], bases[1:])
    assert squared < 0.01 * ((points[1] - points[0]) ** 2).sum()


def test_the_nearest_of_all_training_images_wins():
    """With as many candidates as images; and of equally many votes that of the nearest."""
    data = mnist.subset().train
    images, labels = data.images[:80].astype(np.float32) / 255, data.labels[:80]
    tests = data.images[80:100].astype(np.float32) / 255
    model = TangentDistanceClassifier(n_neighbors=1, candidates=500).fit(images, labels)
    points, bases = tangent_distance.planes(np.concatenate([images, tests]), 0.9)
    for number, answer in enumerate(model.predict(tests), 80):
        squares = tangent_distance.squared_distances(points[number], bases[number], points[:80], bases[:80])
        assert answer == labels[squares.argmin()]
    one, three = (TangentDistanceClassifier(k, candidates=3).fit(images, np.arange(80)) for k in (1, 3))
    np.testing.assert_array_equal(three.predict(tests), one.predict(tests))
