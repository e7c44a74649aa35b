"""Image steps together: keys decide alone, recipes make inputs of any picture, mistakes are told in a sentence."""

import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from reproductions.lab.data.transforms import decode
from reproductions.lab.data.transforms.context import between, chance, part
from reproductions.lab.data.transforms.registry import STEPS, TransformContext, compose
from reproductions.lab.errors import UsageError
from tests.helpers import photographs
from tests.helpers.photographs import STATISTICS, evenly, results, uniform

DATA = Path(os.environ.get("REPRODUCTIONS_DATA", "nowhere")) / "imagenet" / "train"

IMAGENET = {
    "alexnet": (("random_crop", {"subtract": "mean_image"}), "random_flip", "pca_colour"),
    "zfnet": (("one_of_ten_crops", {"subtract": "mean_image"}),),
    "vgg": ("scale_jittered_crop", "random_flip", "subtract_mean_colour", "pca_colour"),
    "vgg, one scale": (("scale_jittered_crop", {"smallest": 384, "largest": 384}), "random_flip"),
    "googlenet": ("area_and_aspect_crop", "random_flip", "photometric_distortion", "pca_colour", "to_unit_range"),
}
PIXELS = {
    "convnetjs": ("to_half_range", ("shift", {"pixels": 2}), "random_flip"),
    "all_cnn": (("shift", {"pixels": 5}), "random_flip"),
    "alexnet": ("subtract_mean_image", "random_patch", "random_flip"),
}
RANGES = {"shift": 2.0, "scale": 0.2, "squeeze": 0.15, "shear": 0.3}


# --- Keys


RANDOM = {
    "random_crop": {}, "one_of_ten_crops": {}, "scale_jittered_crop": {}, "area_and_aspect_crop": {},
    "random_flip": {}, "random_patch": {}, "shift": {"pixels": 4}, "pca_colour": {}, "photometric_distortion": {},
    "affine_distortion": RANGES,
}  # fmt: skip


def stored_for(name):
    if name.endswith("crop") or name.endswith("crops"):
        return photographs.encode(photographs.noise(64, 90))
    return photographs.noise(28, 28)[..., 0] if name == "affine_distortion" else photographs.noise(20, 24)


def test_every_step_is_known_to_be_random_or_not():
    plain = {
        "lenet_field", "reduced_digit", "subtract_mean_image", "subtract_mean_colour", "to_unit_range",
        "to_half_range",
    }  # fmt: skip
    assert set(STEPS) == plain | set(RANDOM)


@pytest.mark.parametrize("size", [28, 32])
def test_a_digit_stands_in_the_middle_of_the_field_on_its_background(size):
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)
    (field,) = results(["lenet_field"], pixels, 1, size)
    margin = (size - 28) // 2
    expected = np.full((size, size), -0.1)
    expected[margin : margin + 28, margin : margin + 28] = pixels / 255 * 1.275 - 0.1
    np.testing.assert_allclose(field[..., 0], expected, atol=1e-6)


def test_a_digit_is_reduced_from_20_pixels_to_16_about_the_centre_as_pillow_reduces_it():
    pixels = photographs.hills(28, 28)[..., 0]
    (made,) = results(["reduced_digit"], pixels, 1)
    around = Image.fromarray(np.pad(pixels, 4))  # 36 pixels, of which 35 make 28
    expected = around.resize((28, 28), Image.Resampling.BILINEAR, box=(0.5, 0.5, 35.5, 35.5))
    ink = slice(4, 24)  # outside of it, at the edge, the background blends in
    np.testing.assert_allclose(made[ink, ink], np.asarray(expected, float)[ink, ink], atol=1)
    assert not made[:2].any() and not made[:, -2:].any()


@pytest.mark.parametrize("name", RANDOM)
def test_the_key_alone_decides(name):
    steps, stored = [(name, RANDOM[name])], stored_for(name)
    first, again = (results(steps, stored, 20) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert len({image.tobytes() for image in first}) > 1, "other keys, other pictures"


def test_a_step_draws_by_its_place_so_that_two_alike_are_independent():
    pixels = photographs.noise(4, 4)
    once, twice = (results(["random_flip"] * times, pixels, 400) for times in (1, 2))
    flips = [[np.array_equal(image, pixels) for image in made] for made in (once, twice)]
    assert evenly(np.bincount(2 * np.array(flips[0]) + np.array(flips[1]), minlength=4))


@pytest.mark.parametrize("steps", [*IMAGENET.values(), *PIXELS.values()])
def test_pictures_are_the_same_however_many_are_made_at_a_time(steps):
    stored = photographs.noise(32, 32) if steps in PIXELS.values() else photographs.encode(photographs.noise(60, 80))
    size = 32 if steps in IMAGENET.values() else 24
    one, many = (results(steps, stored, 12, size, parallel=calls) for calls in (1, 8))
    np.testing.assert_array_equal(one, many)


# --- Recipes


def inputs(steps, files, size):
    """What a recipe makes of encoded pictures, each with a key of its own: a data set."""
    prepare = compose(steps, TransformContext(size, STATISTICS))
    pictures = tf.data.Dataset.from_tensor_slices(files).enumerate()
    return pictures.map(lambda number, file: prepare(file, tf.stack([number, number])), num_parallel_calls=2)


@pytest.mark.parametrize("steps", IMAGENET.values(), ids=IMAGENET)
@pytest.mark.parametrize("size", [227, 299, 64])
def test_every_recipe_makes_inputs_of_any_size(steps, size):
    made = inputs(steps, [photographs.encode(photographs.noise(90, 120))] * 2, size)
    assert made.element_spec == tf.TensorSpec((size, size, 3), tf.float32), "networks need the shape beforehand"
    assert all(np.isfinite(image).all() for image in made)


@pytest.mark.parametrize("steps", IMAGENET.values(), ids=IMAGENET)
def test_every_recipe_takes_odd_pictures(steps):
    sizes = [(1, 1), (1, 200), (200, 1), (3, 400), (50, 40)]
    files = [photographs.encode(photographs.noise(*size), mode) for size in sizes for mode in photographs.MODES]
    images = list(inputs(steps, files * 3, 24))
    assert len(images) == 3 * len(files) and all(np.isfinite(image).all() for image in images)


@pytest.mark.skipif(not DATA.is_dir(), reason="REPRODUCTIONS_DATA holds no imagenet/train")
@pytest.mark.parametrize("steps", IMAGENET.values(), ids=IMAGENET)
def test_real_photographs_go_through_every_recipe(steps):
    files = sorted(DATA.glob("*/*.JPEG"))[:400]
    images = [image.numpy() for image in inputs(steps, [file.read_bytes() for file in files], 112)]
    assert len(images) == len(files)
    assert all(np.isfinite(image).all() and image.std() > 0 for image in images)


# --- Normalization


def test_means_are_subtracted():
    canvas = photographs.noise(256, 256)
    np.testing.assert_array_equal(results(["subtract_mean_image"], canvas, 1)[0], canvas - STATISTICS.mean_image)
    np.testing.assert_array_equal(results(["subtract_mean_colour"], canvas, 1)[0], canvas - STATISTICS.mean_colour)


def test_the_mean_image_is_resized_to_the_canvas():
    made = results(["subtract_mean_image"], np.zeros((128, 128, 3), np.uint8), 1)[0]
    np.testing.assert_allclose(made, -decode.resize(STATISTICS.mean_image, 128, 128), atol=1e-4)


def test_ranges_end_where_they_say():
    ends = np.array([[[0, 255, 51]]], np.uint8)
    np.testing.assert_allclose(results(["to_unit_range"], ends, 1)[0], [[[-1, 1, -0.6]]], atol=1e-6)
    np.testing.assert_allclose(results(["to_half_range"], ends, 1)[0], [[[-0.5, 0.5, -0.3]]], atol=1e-6)


# --- Mistakes in a recipe


@pytest.mark.parametrize(
    "steps, statistics, says",
    [
        (["random_corp"], STATISTICS, "no image step 'random_corp'; choose from: random_crop, one_of_ten_crops"),
        ([("random_crop", {"off": 3})], STATISTICS, "'random_crop' has no option 'off'; it takes: of, crop, subtract"),
        ([("random_flip", {"p": 0.3})], STATISTICS, "'random_flip' has no option 'p'; it takes: no options"),
        (["shift"], STATISTICS, "'shift' needs the option 'pixels'"),
        (["pca_colour"], None, "the training set's 'eigenvalues', which this data set lacks"),
        ([("random_crop", {"subtract": "mean_image"})], None, "the training set's 'mean_image'"),
    ],
)
def test_a_mistake_is_told_in_one_sentence_before_any_image_is_made(steps, statistics, says):
    with pytest.raises(UsageError, match=says) as mistake:
        compose(steps, TransformContext(224, statistics))
    assert "\n" not in str(mistake.value)


def test_numbers_drawn_keep_their_bounds():
    key = tf.constant([1, 2], tf.int64)
    numbers = between(key, -2, 3, (1000,)).numpy()
    assert uniform(numbers, -2, 3)
    assert bool(chance(key, 1.0)) and not bool(chance(key, 0.0))
    assert len({tuple(part(key, number).numpy()) for number in range(100)}) == 100
