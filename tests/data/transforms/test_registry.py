"""Transforms together: they depend on keys alone, work for any image, and report mistakes in recipes."""

import inspect
import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from reproductions.lab.data.transforms import context, decode, names
from reproductions.lab.data.transforms.context import bernoulli, fold_in
from reproductions.lab.data.transforms.registry import TRANSFORMS, TransformContext, compose
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


def test_every_transform_is_listed_as_random_or_not():
    plain = {
        "lenet_field", "grey_channel", "reduced_digit", "subtract_mean_image", "subtract_mean_colour",
        "subtract_colour", "standardize", "to_unit_range", "to_half_range",
    }  # fmt: skip
    assert set(TRANSFORMS) == plain | set(RANDOM)


@pytest.mark.parametrize("size", [28, 32])
def test_lenet_field_centres_the_digit_on_its_background(size):
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)
    (field,) = results(["lenet_field"], pixels, 1, size)
    margin = (size - 28) // 2
    expected = np.full((size, size), -0.1)
    expected[margin : margin + 28, margin : margin + 28] = pixels / 255 * 1.275 - 0.1
    np.testing.assert_allclose(field[..., 0], expected, atol=1e-6)


def test_grey_channel_keeps_the_values():
    image = np.random.default_rng(0).uniform(-1, 1, (16, 16)).astype(np.float32)
    (made,) = results(["grey_channel"], image, 1, 16)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made, image[..., np.newaxis])


def test_reduced_digit_equals_pillows():
    """A digit shrinks from 20 to 16 pixels about the centre."""
    pixels = photographs.hills(28, 28)[..., 0]
    (made,) = results(["reduced_digit"], pixels, 1)
    padded = Image.fromarray(np.pad(pixels, 4))  # 36 pixels, of which 35 become 28
    expected = padded.resize((28, 28), Image.Resampling.BILINEAR, box=(0.5, 0.5, 35.5, 35.5))
    ink = slice(4, 24)  # outside of it, at the edge, the background blends in
    np.testing.assert_allclose(made[ink, ink], np.asarray(expected, float)[ink, ink], atol=1)
    assert not made[:2].any() and not made[:, -2:].any()


@pytest.mark.parametrize("name", RANDOM)
def test_results_depend_on_the_key_alone(name):
    transforms, stored = [(name, RANDOM[name])], stored_for(name)
    first, second = (results(transforms, stored, 20) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert len({image.tobytes() for image in first}) > 1, "other keys give other images"


def test_the_same_transform_twice_draws_independently():
    """The key of a transform depends on its position."""
    pixels = photographs.noise(4, 4)
    once, twice = (results(["random_flip"] * times, pixels, 400) for times in (1, 2))
    flips = [[np.array_equal(image, pixels) for image in made] for made in (once, twice)]
    assert evenly(np.bincount(2 * np.array(flips[0]) + np.array(flips[1]), minlength=4))


@pytest.mark.parametrize("transforms", [*IMAGENET.values(), *PIXELS.values()])
def test_results_do_not_depend_on_parallel_calls(transforms):
    stored = (
        photographs.noise(32, 32) if transforms in PIXELS.values() else photographs.encode(photographs.noise(60, 80))
    )
    size = 32 if transforms in IMAGENET.values() else 24
    one, many = (results(transforms, stored, 12, size, parallel=calls) for calls in (1, 8))
    np.testing.assert_array_equal(one, many)


# --- Recipes


def inputs(transforms, files, size):
    """Return a data set of the transformed images, each with its own key."""
    prepare = compose(transforms, TransformContext(size, STATISTICS))
    images = tf.data.Dataset.from_tensor_slices(files).enumerate()
    return images.map(lambda number, file: prepare(file, tf.stack([number, number])), num_parallel_calls=2)


@pytest.mark.parametrize("transforms", IMAGENET.values(), ids=IMAGENET)
@pytest.mark.parametrize("size", [227, 299, 64])
def test_every_recipe_works_for_any_input_size(transforms, size):
    made = inputs(transforms, [photographs.encode(photographs.noise(90, 120))] * 2, size)
    assert made.element_spec == tf.TensorSpec((size, size, 3), tf.float32), "networks need a static shape"
    assert all(np.isfinite(image).all() for image in made)


@pytest.mark.parametrize("transforms", IMAGENET.values(), ids=IMAGENET)
def test_every_recipe_works_for_odd_images(transforms):
    sizes = [(1, 1), (1, 200), (200, 1), (3, 400), (50, 40)]
    files = [photographs.encode(photographs.noise(*size), mode) for size in sizes for mode in photographs.MODES]
    images = list(inputs(transforms, files * 3, 24))
    assert len(images) == 3 * len(files) and all(np.isfinite(image).all() for image in images)


@pytest.mark.skipif(not DATA.is_dir(), reason="REPRODUCTIONS_DATA has no imagenet/train")
@pytest.mark.parametrize("transforms", IMAGENET.values(), ids=IMAGENET)
def test_every_recipe_works_for_real_photographs(transforms):
    files = sorted(DATA.glob("*/*.JPEG"))[:400]
    images = [image.numpy() for image in inputs(transforms, [file.read_bytes() for file in files], 112)]
    assert len(images) == len(files)
    assert all(np.isfinite(image).all() and image.std() > 0 for image in images)


# --- Normalization


def test_means_are_subtracted():
    pixels = photographs.noise(256, 256)
    np.testing.assert_array_equal(results(["subtract_mean_image"], pixels, 1)[0], pixels - STATISTICS.mean_image)
    np.testing.assert_array_equal(results(["subtract_mean_colour"], pixels, 1)[0], pixels - STATISTICS.mean_colour)


def test_colours_are_subtracted_and_scaled():
    pixels = photographs.noise(3, 4)
    mean, std = (123.0, 117.0, 104.0), (50.0, 60.0, 40.0)
    [subtracted] = results([("subtract_colour", {"colour": mean})], pixels, 1)
    np.testing.assert_array_equal(subtracted, pixels - np.float32(mean))
    [standardized] = results([("standardize", {"mean": mean, "std": std})], pixels, 1)
    np.testing.assert_allclose(standardized[..., 1], (pixels[..., 1] - 117.0) / 60.0, rtol=1e-6)


def test_mean_image_is_resized_to_the_image():
    made = results(["subtract_mean_image"], np.zeros((128, 128, 3), np.uint8), 1)[0]
    np.testing.assert_allclose(made, -decode.resize(STATISTICS.mean_image, 128, 128), atol=1e-4)


def test_ends_of_ranges_are_exact():
    ends = np.array([[[0, 255, 51]]], np.uint8)
    np.testing.assert_allclose(results(["to_unit_range"], ends, 1)[0], [[[-1, 1, -0.6]]], atol=1e-6)
    np.testing.assert_allclose(results(["to_half_range"], ends, 1)[0], [[[-0.5, 0.5, -0.3]]], atol=1e-6)


# --- Mistakes in a recipe


@pytest.mark.parametrize(
    "transforms, statistics, message",
    [
        (
            ["random_corp"],
            STATISTICS,
            r"is not a transform. Did you mean 'random_crop'\? Choose from: random_crop, one_of_ten_crops",
        ),
        (
            [("random_crop", {"off": 3})],
            STATISTICS,
            "'random_crop' has no option 'off'; its options are: of, crop, subtract",
        ),
        ([("random_flip", {"p": 0.3})], STATISTICS, "'random_flip' has no option 'p'; its options are: none"),
        (["shift"], STATISTICS, "'shift' requires the option 'pixels'"),
        (["pca_colour"], None, "the training set's 'eigenvalues', which this data set does not have"),
        ([("random_crop", {"subtract": "mean_image"})], None, "the training set's 'mean_image'"),
    ],
)
def test_mistakes_in_recipes_are_usage_errors(transforms, statistics, message):
    """They are raised before any image is transformed."""
    with pytest.raises(UsageError, match=message) as error:
        compose(transforms, TransformContext(224, statistics))
    assert "\n" not in str(error.value)


def test_random_numbers_keep_their_bounds():
    key = tf.constant([1, 2], tf.int64)
    numbers = context.uniform(key, -2, 3, (1000,)).numpy()
    assert uniform(numbers, -2, 3)
    assert bool(bernoulli(key, 1.0)) and not bool(bernoulli(key, 0.0))
    assert len({tuple(fold_in(key, number).numpy()) for number in range(100)}) == 100


def test_all_transforms_are_known_without_importing_them():
    assert set(names.options_by_name()) == set(TRANSFORMS)
    for name, transform in TRANSFORMS.items():
        parameters = inspect.signature(transform).parameters.values()
        required = {p.name: p.default is p.empty for p in parameters if p.kind is p.KEYWORD_ONLY}
        assert names.options_by_name()[name] == required
