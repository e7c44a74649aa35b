"""Crops of an image: where the papers take them, and how many."""

import numpy as np
import pytest
import tensorflow as tf

from reproductions.lab.data.transforms import decode, registry
from reproductions.lab.data.transforms.registry import TransformContext
from reproductions.lab.evaluation.crops import Preprocessing, crop_function
from reproductions.lab.spec.protocols import PROTOCOLS, find
from tests.helpers.small import crops_of, ramp

SIZE = 28  # an eighth of 224: 256 becomes 32


def photograph_crops(name: str, image: np.ndarray, *transforms: str) -> np.ndarray:
    return crops_of(tf.io.encode_png(image).numpy(), name, *transforms, size=SIZE)


def six(square: np.ndarray) -> list[np.ndarray]:
    """Section 7 of Szegedy et al. 2014, for one square: corners, centre, and the square resized."""
    n, side = SIZE, len(square)
    margin = (side - n) // 2
    return [
        square[:n, :n], square[:n, -n:], square[-n:, :n], square[-n:, -n:],
        square[margin : margin + n, margin : margin + n],
        decode.resize(square, n, n).numpy(),
    ]  # fmt: skip


def test_ten_crops_are_corners_and_centre_of_the_square():
    """The central square and its mirror image; the centre crop is one of them."""
    image = ramp(32, 50)
    square = image[:, 9:41].astype("float32")
    expected = six(square)[:5]
    expected += [crop[:, ::-1] for crop in expected]
    np.testing.assert_array_equal(photograph_crops("ten crops", image), expected)
    np.testing.assert_array_equal(photograph_crops("10 crops", image), expected)
    np.testing.assert_array_equal(photograph_crops("centre crop", image), expected[4:5])
    np.testing.assert_array_equal(photograph_crops("1 crop", image), expected[4:5])


def test_ten_patches_are_centre_and_corners_of_the_image():
    """The stored image and its mirror image; the centre patch is one of them."""
    image = ramp(32, 30)
    ten, centre = (crops_of(image, name, size=SIZE) for name in ("ten patches", "centre patch"))
    places = [(2, 1), (0, 0), (0, 2), (4, 0), (4, 2)]
    expected = [image[top : top + SIZE, left : left + SIZE] for top, left in places]
    np.testing.assert_array_equal(ten, expected + [patch[:, ::-1] for patch in expected])
    np.testing.assert_array_equal(centre, expected[:1])
    assert [find(name).crops_per_image for name in ("ten patches", "centre patch")] == [10, 1]


@pytest.mark.parametrize("shape", [(40, 70), (70, 40), (33, 33)])
def test_144_crops_are_those_of_section_7(shape):
    image = ramp(*shape)
    expected = []
    for side in (32, 36, 40, 44):
        resized = decode.short_side(image, side).numpy()
        spare = max(resized.shape[:2]) - side
        for start in (0, spare // 2, spare):
            across = resized.shape[1] > side
            square = resized[:, start : start + side] if across else resized[start : start + side]
            expected += six(square)
    expected += [crop[:, ::-1] for crop in expected]
    found = photograph_crops("144 crops", image)
    assert len(found) == PROTOCOLS["144 crops"].crops_per_image == 144
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_twelve_crops_are_those_of_one_square():
    """The six crops of section 7 of Szegedy et al. 2014, mirrored."""
    image = ramp(50, 32)
    expected = six(image[9:41].astype("float32"))
    found = photograph_crops("12 crops", image)
    np.testing.assert_allclose(found, expected + [crop[:, ::-1] for crop in expected], atol=1e-3)


def test_multi_crop_is_a_five_by_five_grid_at_three_scales():
    """Over the uncropped image, and mirrored."""
    image = ramp(32, 60)
    found = photograph_crops("multi-crop at 256, 384, 512", image)
    assert len(found) == 150
    rows, columns = np.linspace(0, 32 - SIZE, 5).round().astype(int), np.linspace(0, 60 - SIZE, 5).round().astype(int)
    first = [image[r : r + SIZE, c : c + SIZE] for r in rows for c in columns]
    np.testing.assert_array_equal(found[:25], first)
    np.testing.assert_array_equal(found[75:], found[:75, :, ::-1])


def test_one_crop_is_the_resized_central_part():
    image = ramp(32, 64)
    central = image[2:30, 4:60]
    np.testing.assert_allclose(photograph_crops("one crop", image), [decode.resize(central, SIZE, SIZE)], atol=1e-3)


def test_transforms_are_applied_before_crops_are_taken(monkeypatch):
    seen = []

    def spy(image, key, context):
        seen.append(image.shape)
        return image - 100

    monkeypatch.setitem(registry.TRANSFORMS, "spy", spy)
    image = ramp(40, 70)
    for name, shapes in ("ten crops", [(32, 32, 3)]), ("one crop", [(28, 28, 3)]), ("144 crops", [None] * 4):
        seen.clear()
        plain = photograph_crops(name, image)
        np.testing.assert_allclose(photograph_crops(name, image, "spy"), plain - 100, atol=1e-3)
        assert len(seen) == len(shapes) and (shapes[0] is None or seen == shapes)


def test_six_random_views_are_the_same_in_every_test(monkeypatch):
    """They differ from each other and from those of other images."""

    def shift(image, key, context):
        return tf.cast(image, tf.float32) + tf.random.stateless_uniform((), key)

    monkeypatch.setitem(registry.TRANSFORMS, "shift", shift)
    function = crop_function(Preprocessing(find("six random views"), ("shift",), TransformContext(4)))
    image = np.zeros((4, 4, 3), np.uint8)
    first, second, other = (function(image, tf.constant(i, tf.int64)).numpy() for i in (0, 0, 1))
    assert first.shape == (6, 4, 4, 3) and len(np.unique(first[:, 0, 0, 0])) == 6
    np.testing.assert_array_equal(first, second)
    assert not np.isin(other, first).any()


def test_the_number_of_crops_is_that_of_the_protocol():
    image = ramp(40, 52)
    for name, protocol in PROTOCOLS.items():
        if protocol.region != "stored" and not protocol.dense and not protocol.averages:
            assert len(photograph_crops(name, image)) == protocol.crops_per_image, name
