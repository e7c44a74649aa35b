"""Whitening compared with its formulas in float64, and with its purpose."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from reproductions.lab.data import whitening


def photographs(count: int, seed: int = 0) -> np.ndarray:
    """Return images with correlated neighbours, (count, 6, 6, 3) uint8."""
    random = np.random.default_rng(seed)
    rough = random.normal(0, 1, (count, 6, 6, 3))
    smooth = rough + np.roll(rough, 1, 1) + np.roll(rough, 1, 2) + rough.mean(axis=3, keepdims=True)
    return np.clip(128 + 40 * smooth, 0, 255).astype(np.uint8)


def normalized(images: np.ndarray) -> np.ndarray:
    values = images.reshape(len(images), -1).astype(np.float64)
    return np.stack([55 * (one - one.mean()) / np.sqrt(((one - one.mean()) ** 2).sum()) for one in values])


def test_contrast_is_normalized_over_the_whole_image():
    images = photographs(20)
    np.testing.assert_allclose(whitening.contrast_normalized(images), normalized(images), atol=1e-5)


def test_an_image_of_one_colour_becomes_zeros():
    assert not whitening.contrast_normalized(np.full((1, 4, 4, 3), 7, np.uint8)).any()


def test_whitening_uses_mean_and_covariance_of_training_images(monkeypatch):
    monkeypatch.setattr(whitening, "BLOCK", 128)  # several blocks, the last one shorter
    train, test = photographs(500), photographs(30, seed=1)
    x = normalized(train)
    covariance = sum(np.outer(one, one) for one in x - x.mean(axis=0)) / 500
    # The inverse square root, without eigenvectors: Newton's iteration.
    target = covariance + 0.1 * np.eye(len(covariance))
    scale = np.linalg.norm(target)
    root, inverse = target / scale, np.eye(len(target))
    for _ in range(60):
        step = (3 * np.eye(len(target)) - inverse @ root) / 2
        root, inverse = root @ step, step @ inverse
    expected = (normalized(test) - x.mean(axis=0)) @ inverse / np.sqrt(scale)
    white = whitening.fit(train).apply(test)
    assert white.dtype == np.float32 and white.shape == test.shape
    np.testing.assert_allclose(white.reshape(30, -1), expected, atol=1e-4)


def test_variance_of_whitened_images_along_eigenvectors():
    """It is e / (e + 0.1) for the eigenvalue e of the training images."""
    train = photographs(2000)
    white = whitening.fit(train).apply(train).reshape(2000, -1).astype(np.float64)
    eigenvalues, eigenvectors = np.linalg.eigh(np.cov(normalized(train).T, bias=True))
    along = np.cov((white @ eigenvectors).T, bias=True)
    np.testing.assert_allclose(along, np.diag(eigenvalues / (eigenvalues + 0.1)), atol=1e-4)
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-4)


@pytest.mark.parametrize("threads", [2, 3])
def test_bits_do_not_depend_on_the_number_of_threads(threads):
    train = np.random.default_rng(0).integers(0, 256, (800, 16, 16, 3)).astype(np.uint8)
    with threadpool_limits(1):
        one = whitening.fit(train)
    with threadpool_limits(threads):
        several = whitening.fit(train)
        np.testing.assert_array_equal(several.apply(train[:300]), one.apply(train[:300]))
    np.testing.assert_array_equal(several.matrix, one.matrix)
