"""Random transforms: distributions and results of flips, shifts, warps and colour distortions."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageEnhance
from scipy import ndimage, stats

from reproductions.lab.data.transforms import augment
from reproductions.lab.data.transforms.augment import AffineParameters
from reproductions.lab.data.transforms.registry import TransformContext
from tests.helpers import photographs
from tests.helpers.photographs import STATISTICS, evenly, results, uniform

RANGES = {"shift": 2.0, "scale": 0.2, "squeeze": 0.15, "shear": 0.3}


def test_half_of_the_images_are_mirrored():
    pixels = photographs.noise(6, 8)
    made = results(["random_flip"], pixels, 400)
    mirrored = sum(np.array_equal(image, pixels[:, ::-1]) for image in made)
    plain = sum(np.array_equal(image, pixels) for image in made)
    assert mirrored + plain == 400 and evenly([mirrored, plain])


def test_patch_positions_are_uniform():
    pixels = photographs.noise(9, 10)
    positions = {
        pixels[y : y + 6, x : x + 6].tobytes(): number
        for number, (y, x) in enumerate(itertools.product(range(4), range(5)))
    }
    found = [positions[image.tobytes()] for image in results(["random_patch"], pixels, 1000, 6)]
    assert evenly(np.bincount(found, minlength=20))


def test_shifts_are_uniform_with_zeros_from_outside():
    """Shifts are whole pixels in each direction."""
    pixels = photographs.noise(6, 7)
    padded = np.pad(pixels, [(2, 2), (2, 2), (0, 0)])
    shifts = {
        padded[y : y + 6, x : x + 7].tobytes(): number
        for number, (y, x) in enumerate(itertools.product(range(5), range(5)))
    }
    found = [shifts[image.tobytes()] for image in results([("shift", {"pixels": 2})], pixels, 1000)]
    assert evenly(np.bincount(found, minlength=25))


def test_pca_colour_is_normal_along_the_components():
    """The colour added is a draw along the principal components."""
    image = photographs.noise(5, 6).astype(np.float32)
    added = results(["pca_colour"], image, 800) - image
    np.testing.assert_allclose(added, np.broadcast_to(added[:, :1, :1], added.shape), atol=1e-4)
    draws = added[:, 0, 0] @ STATISTICS.eigenvectors / np.sqrt(STATISTICS.eigenvalues)
    for component in draws.T:
        assert stats.ks_1samp(component, stats.norm(0, 0.1).cdf).pvalue > 1e-3
    assert np.abs(np.corrcoef(draws.T) - np.eye(3)).max() < 0.15


def test_pca_colour_is_the_papers_sum():
    key, image = tf.constant([3, 4], tf.int64), np.zeros((2, 2, 3), np.float32)
    alphas = tf.random.stateless_normal((3,), key).numpy() * 0.2
    expected = sum(STATISTICS.eigenvectors[:, i] * alphas[i] * STATISTICS.eigenvalues[i] ** 0.5 for i in range(3))
    made = augment.pca_colour(image, key, TransformContext(2, STATISTICS), stddev=0.2)
    np.testing.assert_allclose(made[0, 1], expected, rtol=1e-4)


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.5])
def test_photometric_distortions_equal_pillows_in_all_orders(factor):
    pixels = photographs.hills(24, 30)
    expected = []
    for order in itertools.permutations((ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)):
        distorted = Image.fromarray(pixels)
        for enhancer in order:
            distorted = enhancer(distorted).enhance(factor)
        expected.append(np.asarray(distorted, np.float32))
    made = results([("photometric_distortion", {"low": factor, "high": factor})], pixels, 300)
    distances = np.array([[np.abs(image - other).max() for other in expected] for image in made])
    assert distances.min(1).max() < 4, "Pillow rounds after each of the three distortions"
    if factor > 1:
        assert set(distances.argmin(1)) == set(range(6)), "all orders, which differ if pixels are clipped at 255"


def test_photometric_factors_are_uniform():
    grey = np.full((4, 4, 3), 100, np.uint8)  # contrast and colour distortions do not change it
    made = results(["photometric_distortion"], grey, 800)
    assert uniform(made[:, 0, 0, 0], 50, 150)
    np.testing.assert_allclose(made, np.broadcast_to(made[:, :1, :1, :1], made.shape), atol=0.01)


def test_a_photometric_factor_of_one_changes_nothing():
    pixels = photographs.noise(9, 9)
    made = results([("photometric_distortion", {"low": 1.0, "high": 1.0})], pixels, 5)
    np.testing.assert_allclose(made, np.broadcast_to(pixels, made.shape), atol=1e-3)


NONE = dict.fromkeys(RANGES, 0.0)
DIGIT = photographs.hills(28, 28)[..., 2] * (np.hypot(*np.mgrid[-14:14, -14:14]) < 9)


def test_affine_distortion_without_ranges_changes_nothing():
    np.testing.assert_allclose(results([("affine_distortion", NONE)], DIGIT, 3), np.stack([DIGIT] * 3), atol=1e-3)


def test_affine_matrix_inverts_the_distortion():
    """The matrix inverts the distortion about the centre."""
    x, y, scale, squeeze, shear = 1.5, -0.7, 1.2, 0.9, 0.25
    parameters = AffineParameters(shift=(x, y), scale=scale, squeeze=squeeze, shear=shear)
    a0, a1, a2, b0, b1, b2 = augment.affine_matrix(28, 28, parameters)
    back = np.array([[a0, a1, a2], [b0, b1, b2], [0, 0, 1]])
    to_centre = np.array([[1, 0, -13.5], [0, 1, -13.5], [0, 0, 1]])
    forward = np.array([[scale * squeeze, shear, x], [0, scale / squeeze, y], [0, 0, 1]])
    np.testing.assert_allclose(back @ np.linalg.inv(to_centre) @ forward @ to_centre, np.eye(3), atol=1e-12)


def test_warp_equals_scipys():
    parameters = AffineParameters(shift=(1.5, -0.7), scale=1.1, squeeze=0.9, shear=0.25)
    a0, a1, a2, b0, b1, b2 = matrix = augment.affine_matrix(28, 28, parameters)
    y, x = np.mgrid[:28, :28]
    coordinates = [b0 * x + b1 * y + b2, a0 * x + a1 * y + a2]
    expected = ndimage.map_coordinates(DIGIT.astype(np.float64), coordinates, order=1, mode="constant")
    np.testing.assert_allclose(augment.warp(DIGIT.astype(np.float32), matrix), expected, atol=0.01)


def moments(images):
    """Return centre (x, y), width and height (standard deviations) and slant of each image's ink."""
    y, x = np.mgrid[:28, :28]
    mass = images / images.sum((1, 2), keepdims=True)
    mean_x, mean_y = (mass * x).sum((1, 2)), (mass * y).sum((1, 2))
    dx, dy = x - mean_x[:, None, None], y - mean_y[:, None, None]
    wide, tall, both = ((mass * product).sum((1, 2)) for product in (dx * dx, dy * dy, dx * dy))
    return mean_x, mean_y, np.sqrt(wide), np.sqrt(tall), both / tall


DISC = np.clip(8 - np.hypot(*np.mgrid[-13.5:14, -13.5:14]), 0, 1) * 255


def distorted(**ranges):
    made = results([("affine_distortion", {**NONE, **ranges, "undistorted": 0.0})], DISC.astype(np.float32), 300)
    return moments(made), [float(value[0]) for value in moments(DISC[np.newaxis])]


def test_affine_shifts_are_uniform_and_independent():
    """Digits are shifted in each direction by up to the range."""
    (x, y, *_), (x0, y0, *_) = distorted(shift=2.0)
    assert uniform(x - x0, -2, 2) and uniform(y - y0, -2, 2)
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.2


def test_affine_scaling_keeps_the_aspect_ratio():
    (_, _, wide, tall, _), (_, _, wide0, tall0, _) = distorted(scale=0.2)
    np.testing.assert_allclose(wide / wide0, tall / tall0, rtol=0.01)
    assert uniform(wide / wide0, 0.79, 1.21)


def test_squeezing_keeps_the_area():
    """A squeezed digit is wider by the factor by which it is less tall."""
    (_, _, wide, tall, _), (_, _, wide0, tall0, _) = distorted(squeeze=0.15)
    np.testing.assert_allclose(wide / wide0 * tall / tall0, 1, rtol=0.03)
    assert uniform(wide / wide0, 0.84, 1.16)


def test_shear_is_horizontal_and_uniform():
    (x, y, _, tall, slant), (x0, y0, _, tall0, _) = distorted(shear=0.3)
    assert uniform(slant, -0.3, 0.3)
    np.testing.assert_allclose([x, y, tall / tall0], [[x0] * 300, [y0] * 300, [1] * 300], atol=0.02)


def test_a_tenth_of_the_digits_is_undistorted():
    made = results([("affine_distortion", RANGES)], DIGIT, 1000)
    same = sum(np.array_equal(image, DIGIT) for image in made)
    assert stats.binomtest(same, 1000, 0.1).pvalue > 1e-3


def test_distorted_digits_go_through_lenet_field():
    made = results([("affine_distortion", RANGES), "lenet_field"], DIGIT, 4, size=32)
    assert made.shape == (4, 32, 32, 1) and made.min() == np.float32(-0.1) and made.max() <= 1.175
