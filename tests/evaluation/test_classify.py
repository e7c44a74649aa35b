"""Images of one's own are classified as images of the data set are."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import reproductions
from reproductions.lab.evaluation import classify, tested


@pytest.mark.parametrize(("dataset", "low", "high"), [("mnist", 0, 255), ("usps", -1, 1), ("cifar10", 0, 255)])
def test_pixels_have_the_range_of_the_data_set(dataset, low, high, tmp_path):
    _, width, height = classify.STORED[dataset]
    for name, grey in (("black", 0), ("white", 255)):
        Image.new("L", (width, height), grey).save(tmp_path / f"{name}.png")
    images = classify.read_images([tmp_path / "black.png", tmp_path / "white.png"], dataset)
    assert np.all(images.images[0] == low) and np.all(images.images[1] == high)


def test_a_digit_is_classified_as_the_array_is(tmp_path):
    grey = np.zeros((16, 16), np.uint8)
    grey[2:14, 7:9] = 255
    Image.fromarray(grey).save(tmp_path / "one.png")
    found = tested.find(Path("lecun1989"), None, reproductions.networks())
    trained = tested.Trained(tested.load(found), found.network, tested.recipe_of(found))
    (answers,) = classify.classify(trained, [tmp_path / "one.png"])
    model = reproductions.load("lecun1989")
    outputs = np.asarray(model((grey / 127.5 - 1).astype(np.float32)[np.newaxis, :, :, np.newaxis]))[0]
    assert answers[0].label == np.argmin(outputs) == 1
