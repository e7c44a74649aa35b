"""Crops: their positions, how often each is drawn, and how they are resized."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from reproductions.lab.data.transforms import crops, decode
from reproductions.lab.data.transforms.registry import TransformContext
from tests.helpers import photographs
from tests.helpers.photographs import STATISTICS, evenly, results, uniform


def positions(windows: np.ndarray, whole: np.ndarray) -> list[tuple[int, int]]:
    """Return top and left of each window in the whole image, compared pixel by pixel."""
    size = windows.shape[1]
    offsets = itertools.product(range(whole.shape[0] - size + 1), range(whole.shape[1] - size + 1))
    at = {whole[y : y + size, x : x + size].tobytes(): (y, x) for y, x in offsets}
    return [at[window.astype(np.uint8).tobytes()] for window in windows]


def test_random_crop_positions_are_uniform():
    """All positions in the central square are equally likely."""
    encoded = photographs.encode(photographs.noise(20, 31))
    windows = results([("random_crop", {"of": 20, "crop": 16})], encoded, 1000)
    found = positions(windows, decode.decode_rgb(encoded).numpy())
    counts = [found.count((top, 5 + left)) for top, left in itertools.product(range(5), range(5))]
    assert sum(counts) == 1000 and evenly(counts)


def test_mean_image_is_subtracted_at_the_crops_position():
    encoded = photographs.encode(photographs.noise(256, 300))
    square = decode.decode_rgb(encoded).numpy()[:, 22:278].astype(np.float32)
    options = {"of": 256, "crop": 250}
    plain = results([("random_crop", options)], encoded, 5, 250)
    less = results([("random_crop", {**options, "subtract": "mean_image"})], encoded, 5, 250)
    for window, (top, left) in zip(less, positions(plain, square.astype(np.uint8))):
        expected = (square - STATISTICS.mean_image)[top : top + 250, left : left + 250]
        np.testing.assert_array_equal(window, expected)


@pytest.mark.parametrize("size, square", [(227, 256), (224, 253), (64, 72), (454, 512)])
def test_square_scales_with_the_input_size(size, square, monkeypatch):
    seen = []
    monkeypatch.setattr(crops, "window_at", lambda encoded, short, *position: seen.append(short) or tf.zeros((1, 1, 3)))
    key = tf.constant([1, 2], tf.int64)
    crops.random_crop(photographs.encode(photographs.noise(9, 9)), key, TransformContext(size))
    assert seen == [square]


def test_all_ten_crops_are_equally_likely():
    """They are the corners, the centre and their mirror images."""
    encoded = photographs.encode(photographs.noise(32, 40))
    square = decode.decode_rgb(encoded).numpy()[:, 4:36].astype(np.float32)
    corners = [(0, 0), (0, 4), (4, 0), (4, 4), (2, 2)]
    crop = {"of": 32, "crop": 28}
    five = [square[y : y + 28, x : x + 28] for y, x in corners]
    ten = [each.tobytes() for each in (*five, *[each[:, ::-1] for each in five])]
    made = results([("one_of_ten_crops", crop)], encoded, 600, 28)
    found = [ten.index(image.tobytes()) for image in made]
    assert evenly(np.bincount(found, minlength=10))


def test_mean_image_is_mirrored_with_its_crop():
    encoded = photographs.encode(photographs.noise(256, 256))
    options = {"of": 256, "crop": 240}
    plain = results([("one_of_ten_crops", options)], encoded, 12, 240)
    less = results([("one_of_ten_crops", {**options, "subtract": "mean_image"})], encoded, 12, 240)
    means = {
        (mirrored, corner): STATISTICS.mean_image[corner[0] : corner[0] + 240, corner[1] : corner[1] + 240][:, ::way]
        for mirrored, way in ((False, 1), (True, -1))
        for corner in [(0, 0), (0, 16), (16, 0), (16, 16), (8, 8)]
    }
    whole = decode.decode_rgb(encoded).numpy()
    seen = set()
    for one, other in zip(plain, less):
        for (mirrored, (y, x)), mean in means.items():
            if np.array_equal(one, whole[y : y + 240, x : x + 240][:, :: -1 if mirrored else 1]):
                np.testing.assert_array_equal(other, one - mean)
                seen.add(mirrored)
    assert seen == {False, True}


def test_jittered_scales_and_positions_are_uniform():
    """Scales are uniform integers, and crops are taken from the whole image."""
    height, width, size = 128, 160, 28
    ramp = np.zeros((height, width, 3), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(width), np.arange(height)[:, np.newaxis]
    made = results(["scale_jittered_crop"], photographs.encode(ramp, "PNG"), 1000, size)
    inner = made[:, 6:-6, 6:-6]  # away from the edges a linear ramp stays one
    slopes = (inner[:, 0, -1, 0] - inner[:, 0, 0, 0]) / (inner.shape[2] - 1)
    sides = np.round(size * slopes)  # of the windows, in the stored image
    assert np.abs(sides - size * slopes).max() < 0.2
    assert (sides.min(), sides.max()) == (56, 112), "224 of a short side from 256 to 512, in an image of 128"
    assert uniform(224 * height / sides, 256, 512)
    middle = made[:, size // 2 - 1 : size // 2 + 1, size // 2 - 1 : size // 2 + 1].mean((1, 2))
    shorts, random = size * height / sides, np.random.default_rng(0)
    for colour, side in [(0, width), (1, height)]:
        offsets = np.round((middle[:, colour] + 0.5 - sides / 2) * shorts / height)
        most = np.round(side * shorts / height) - size
        assert offsets.min() == 0 and (offsets <= most).all()
        assert uniform((offsets + random.uniform(size=1000)) / (most + 1), 0, 1)


def test_crops_at_the_stored_scale_are_exact():
    """With one scale, crops are exact windows of the image."""
    encoded = photographs.encode(photographs.noise(32, 40))
    options = {"smallest": 32, "largest": 32, "crop": 28}
    windows = results([("scale_jittered_crop", options)], encoded, 700, 28)
    found = positions(windows, decode.decode_rgb(encoded).numpy())
    assert evenly([found.count(each) for each in itertools.product(range(5), range(13))])


def areas_and_aspects(height, width, area, aspect, draws=1500):
    keys = tf.data.Dataset.range(draws).map(lambda number: tf.stack([tf.constant(5, tf.int64), number]))
    made = keys.map(lambda key: tf.stack(crops.area_and_aspect_window(key, height, width, area, aspect)))
    return next(iter(made.batch(draws))).numpy().T


def test_areas_and_aspects_are_uniform_if_all_draws_fit():
    top, left, rows, columns = areas_and_aspects(1200, 1200, (0.08, 0.5), (3 / 4, 4 / 3))
    assert uniform(rows * columns / 1200**2, 0.08, 0.5)
    assert uniform(columns / rows, 3 / 4, 4 / 3)
    assert uniform(top / (1200 - rows), 0, 1) and uniform(left / (1200 - columns), 0, 1)


@pytest.mark.parametrize("height, width, fallbacks", [(300, 400, 0.01), (500, 300, 0.02), (100, 700, 0.5)])
def test_areas_and_aspects_keep_their_bounds(height, width, fallbacks):
    top, left, rows, columns = areas_and_aspects(height, width, (0.08, 1.0), (3 / 4, 4 / 3))
    assert (top >= 0).all() and (left >= 0).all() and (top + rows <= height).all() and (left + columns <= width).all()
    share, aspect = rows * columns / (height * width), columns / rows
    assert share.min() > 0.078 and aspect.min() > 0.74 and aspect.max() < 1.35
    shorter = min(height, width)
    central = (rows == shorter) & (columns == shorter) & (top == (height - shorter) // 2)
    assert central.mean() < fallbacks, "of ten draws, one almost always fits unless the image is very wide"
    assert share.max() > 0.9 * min(1, height / width * 4 / 3, width / height * 4 / 3), "almost the largest that fits"


def test_window_is_the_central_square_if_no_draw_fits():
    windows = areas_and_aspects(100, 900, (1.0, 1.0), (3 / 4, 4 / 3), draws=20)
    assert {tuple(window) for window in windows.T} == {(0, 400, 100, 100)}


def test_interpolations_are_equally_likely_and_in_range():
    encoded = photographs.encode(photographs.noise(40, 40), "PNG")
    whole = {"area": (1.0, 1.0), "aspect": (1.0, 1.0)}
    by_one = {
        name: results([("area_and_aspect_crop", {**whole, "interpolations": (name,)})], encoded, 1)[0].tobytes()
        for name in crops.INTERPOLATIONS
    }
    assert len(set(by_one.values())) == 4
    made = results([("area_and_aspect_crop", whole)], encoded, 600)
    counts = [[image.tobytes() for image in made].count(each) for each in by_one.values()]
    assert sum(counts) == 600 and evenly(counts)
    assert made.min() >= 0 and made.max() <= 255


@pytest.mark.parametrize(
    "name, pillow", [("bilinear", Image.Resampling.BILINEAR), ("nearest", Image.Resampling.NEAREST)]
)
def test_window_is_enlarged_as_by_pillow(name, pillow):
    pixels = photographs.noise(8, 8)
    options = {"area": (1.0, 1.0), "aspect": (1.0, 1.0), "interpolations": (name,)}
    made = results([("area_and_aspect_crop", options)], photographs.encode(pixels, "PNG"), 1, 24)[0]
    planes = [Image.fromarray(pixels[..., colour].astype(np.float32)).resize((24, 24), pillow) for colour in range(3)]
    np.testing.assert_allclose(made, np.stack(planes, -1), atol=0.01)
