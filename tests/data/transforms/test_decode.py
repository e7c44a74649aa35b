"""Decoding: windows equal those of the whole image, and resizing equals Pillow's."""

import io
from fractions import Fraction
from math import floor

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from reproductions.lab.data.transforms import decode
from tests.helpers import photographs

SCALAR = tf.TensorSpec((), tf.int32)
decode_window = tf.function(decode.decode_window, input_signature=[tf.TensorSpec((), tf.string), *[SCALAR] * 4])


@pytest.mark.parametrize("mode", photographs.MODES)
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_decoded_window_equals_that_of_the_whole_image(mode, subsampling):
    encoded = photographs.encode(photographs.noise(50, 70), mode, subsampling)
    whole = decode.decode_rgb(encoded).numpy()
    assert whole.shape == (50, 70, 3)
    random = np.random.default_rng(1)
    sides = [(1, 1), (50, 70), (50, 1), (1, 70), (16, 16), *zip(random.integers(1, 51, 40), random.integers(1, 71, 40))]
    for height, width in sides:
        top, left = random.integers(0, 51 - height), random.integers(0, 71 - width)
        window = decode_window(encoded, top, left, height, width).numpy()
        np.testing.assert_array_equal(window, whole[top : top + height, left : left + width])


@pytest.mark.parametrize("mode", photographs.MODES)
def test_size_is_read_without_decoding(mode):
    encoded = photographs.encode(photographs.noise(300, 41), mode)
    assert [int(side) for side in decode.jpeg_size(encoded)] == [300, 41]
    headless = encoded[:1000]
    assert [int(side) for side in decode.jpeg_size(headless)] == [300, 41]
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode.decode_rgb(headless)


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_colours_equal_pillows(mode):
    encoded = photographs.encode(photographs.hills(64, 80), mode, subsampling=0)
    seen = np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB"), np.float32)
    np.testing.assert_allclose(decode.decode_rgb(encoded), seen, atol=3)


@pytest.mark.parametrize("height, width", [(32, 24), (33, 100), (200, 150), (64, 48), (1, 1)])
def test_resizing_equals_pillows_bilinear(height, width):
    pixels = photographs.noise(64, 48)
    planes = [Image.fromarray(pixels[..., colour].astype(np.float32)) for colour in range(3)]
    expected = np.stack([plane.resize((width, height), Image.Resampling.BILINEAR) for plane in planes], -1)
    resized = decode.resize(pixels, height, width)
    assert resized.dtype == tf.float32 and resized.shape == (height, width, 3)
    np.testing.assert_allclose(resized, expected, atol=0.01)


def test_an_image_of_the_right_size_keeps_its_pixels():
    pixels = photographs.noise(20, 30)
    same = decode.resize(pixels, 20, 30)
    assert same.dtype == tf.float32
    np.testing.assert_array_equal(same, pixels)


@pytest.mark.parametrize("height, width", [(375, 500), (500, 333), (256, 256), (7, 1000), (1000, 3), (1, 1)])
def test_shorter_side_is_exact_and_longer_side_is_rounded(height, width):
    for short in (64, 256, 301, 512):
        exact = [Fraction(side * short, min(height, width)) for side in (height, width)]
        sides = [int(side) for side in decode.size_at(height, width, short)]
        assert sides == [floor(side + Fraction(1, 2)) for side in exact]
        assert min(sides) == short


def test_short_side_keeps_the_aspect_ratio():
    assert decode.short_side(photographs.noise(30, 45), 20).shape == (20, 30, 3)
    assert decode.short_side(photographs.noise(45, 30), 40).shape == (60, 40, 3)


def test_centre_with_an_odd_margin_is_up_and_left():
    pixels = photographs.noise(10, 13)
    np.testing.assert_array_equal(decode.centre(pixels, 7), pixels[1:8, 3:10])


@pytest.mark.parametrize("mode", photographs.MODES)
def test_window_at_the_stored_scale_is_exact(mode):
    """It has the pixels of the whole image."""
    encoded = photographs.encode(photographs.noise(64, 90), mode)
    window = decode.window_at(encoded, 64, 5, 21, 50)
    np.testing.assert_array_equal(window, decode.decode_rgb(encoded)[5:55, 21:71])


@pytest.mark.parametrize("short", [32, 45, 128, 150])
def test_window_at_another_scale_is_close_to_resizing(short):
    """It is close to the same window of the resized image."""
    encoded = photographs.encode(photographs.hills(100, 160), subsampling=0)
    resized = decode.short_side(decode.decode_rgb(encoded), short)
    slope = 255 / 160 * max(1, 100 / short)  # between neighbours, in the stored image or the resized one
    for top, left in [(0, 0), (3, 8), (short - 24, resized.shape[1] - 24)]:
        window = decode.window_at(encoded, short, top, left, 24)
        difference = np.abs(window - resized[top : top + 24, left : left + 24])
        assert difference[..., :2].max() < 1.5 * slope + 2, "no more than rounding to pixels, and the compression"


@pytest.mark.parametrize("height, width", [(1, 1), (1, 40), (40, 1), (3, 500), (333, 7), (50, 51)])
def test_windows_in_every_corner_lie_inside_odd_images(height, width):
    encoded = photographs.encode(photographs.noise(height, width))
    for short in (32, 57):
        tall, wide = (int(side) for side in decode.size_at(height, width, short))
        for top in (0, tall - 32):
            for left in (0, wide - 32):
                assert decode.window_at(encoded, short, top, left, 32).shape == (32, 32, 3)
