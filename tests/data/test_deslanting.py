"""Deslanted digits: vertical axes, rows that are only shifted, and the data set made of them."""

import numpy as np
import pytest

from reproductions.lab.data import deslanting, mnist, registry


def stroke(slant: float, length: int = 17) -> np.ndarray:
    """Return a stroke three pixels wide with this slant, (28, 28) uint8."""
    y, x = np.mgrid[:28, :28] - 13.5
    return np.where((np.abs(x - slant * y) <= 1.5) & (np.abs(y) <= length / 2), 255, 0).astype(np.uint8)


@pytest.mark.parametrize("slant", [-0.6, -0.2, 0.0, 0.4, 1.0])
def test_the_slant_of_a_stroke_is_found_and_removed(slant):
    image = stroke(slant)[np.newaxis]
    assert deslanting.slants(image >= 128)[0] == pytest.approx(slant, abs=0.05)
    upright = deslanting.deslanted(image)
    assert abs(deslanting.slants(upright >= 128)[0]) < 0.05
    assert upright.shape == (1, 20, 20) and np.count_nonzero((upright[0] >= 128).any(axis=0)) <= 4


def test_the_slant_is_the_regression_of_x_on_y():
    """The covariance over the variance of y, here by numpy's own least squares over single pixels."""
    random = np.random.default_rng(0)
    ink = random.random((5, 12, 9)) < 0.3
    expected = [np.polyfit(*np.nonzero(each), 1)[0] for each in ink]
    np.testing.assert_allclose(deslanting.slants(ink), expected, atol=1e-9)


def test_images_without_a_slant_have_none():
    """Nothing, one row, and one pixel."""
    images = np.zeros((3, 28, 28), np.uint8)
    images[1, 5, 3:9] = 200
    images[2, 7, 7] = 255
    assert not deslanting.slants(images >= 128).any()
    assert [each.sum() for each in deslanting.deslanted(images)] == [0, 1200, 255]


def test_rows_are_shifted_with_their_ink_kept():
    image = np.zeros((1, 5, 6))
    image[0, :, 2] = 100
    sheared = deslanting.sheared_rows(image, np.array([0.5]))[0]
    np.testing.assert_allclose(sheared.sum(axis=1), 100)
    middles = (sheared * np.arange(sheared.shape[1])).sum(axis=1) / 100
    np.testing.assert_allclose(np.diff(middles), -0.5)


def test_squares_are_centred_on_all_ink():
    random = np.random.default_rng(1)
    for _ in range(20):
        image = np.zeros((28, 28), np.uint8)
        top, left, height, width = (*random.integers(0, 8, 2), *random.integers(1, 20, 2))
        image[top : top + height, left : left + width] = 9
        rows, columns = np.nonzero(deslanting.centred(image[np.newaxis], 20)[0])
        assert len(rows) == height * width
        for low, high in ((rows.min(), rows.max()), (columns.min(), columns.max())):
            assert abs(low - (19 - high)) <= 1


def test_the_deslanted_data_keep_labels_splits_and_checksum():
    original = mnist.subset()
    data = mnist.deslant(original)
    assert (data.name, data.sha256) == ("mnist-subset-deslanted", original.sha256)
    assert data.train.images.shape == (3500, 20, 20) and data.test.images.dtype == np.uint8
    for split in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(data, split).labels, getattr(original, split).labels)
    both = np.concatenate([data.train.images, data.validation.images])
    np.testing.assert_allclose(data.statistics.mean_image, both.mean(axis=0), atol=1e-3)
    assert (
        np.abs(deslanting.slants(both >= 128)).mean()
        < 0.1 * np.abs(deslanting.slants(original.train.images >= 128)).mean()
    )
    assert "mnist-deslanted" in registry.LOADERS
