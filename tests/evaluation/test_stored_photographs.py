"""Protocols that take a photograph as it is stored, and weights of networks that Keras saved."""

import numpy as np
import pytest

import reproductions
from reproductions.lab.errors import UsageError
from reproductions.lab.weights import own, tensor_file
from reproductions.lab.weights.others import OTHERS, check
from reproductions.lab.weights.tensor_file import TensorFile
from tests.helpers.small import classifier, crops_of, photographs, ramp, scores


def encoded(image):
    import tensorflow as tf

    return tf.io.encode_png(image).numpy()


def test_the_centre_of_a_stored_photograph_is_not_resized():
    image = ramp(31, 40)
    (crop,) = crops_of(encoded(image), "centre patch", size=28)
    np.testing.assert_array_equal(crop, image[1:29, 6:34])


def test_a_stored_photograph_of_the_input_size_is_whole():
    image = ramp(28, 28)
    (crop,) = crops_of(encoded(image), "whole image", size=28)
    np.testing.assert_array_equal(crop, image)


@pytest.mark.parametrize(
    "protocol, sizes, message",
    [
        ("whole image", [(28, 28), (28, 29)], "of 28 x 28 pixels, but val_001.JPEG has 28 x 29"),
        ("centre patch", [(40, 40), (27, 60)], "of at least 28 x 28 pixels, but val_001.JPEG has 27 x 60"),
    ],
)
def test_a_photograph_that_does_not_fit_is_named(protocol, sizes, message):
    with pytest.raises(UsageError, match=message):
        scores(classifier(), photographs(sizes), protocol)


# --- Keras' files


@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
@pytest.mark.parametrize("name", ["lenet5", "alexnet-cifar10", "inception-v3"])
def test_a_saved_network_is_read_again(name, ending, tmp_path):
    options = {"input_size": 75, "classes": 3} if name == "inception-v3" else {}
    saved, new = reproductions.build(name, **options), reproductions.build(name, **options)
    path = tmp_path / f"a{ending}"
    saved.save(path) if ending == ".keras" else saved.save_weights(path)
    own.load(path, new)
    for one, other in zip(saved.weights, new.weights):
        np.testing.assert_array_equal(one.numpy(), other.numpy(), one.path)


def test_weights_of_other_shapes_change_nothing(tmp_path):
    path, model = tmp_path / "a.weights.h5", classifier(classes=12)
    classifier(classes=11).save_weights(path)
    before = model.get_weights()
    with pytest.raises(UsageError, match=r"fc7/kernel has the shape \(10, 12\)"):
        own.load(path, model)
    for one, other in zip(before, model.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_layers_of_a_file_are_found_by_name(tmp_path):
    model = classifier()
    model.save(tmp_path / "a.keras")
    found = own.weights_by_layer(tmp_path / "a.keras")
    np.testing.assert_array_equal(found["fc7"][0], model.get_layer("fc7").kernel.numpy())
    assert {name for name, weights in found.items() if weights} == {"conv1", "conv2", "fc6", "fc7"}


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: other.name)
def test_networks_of_one_name_are_told_apart(other, tmp_path):
    file = TensorFile(tmp_path / "a.safetensors", {other.tensor: np.zeros(other.shape)})
    with pytest.raises(UsageError, match=rf"is of {other.name}, .* nearest one is {other.nearest};"):
        check(file)
    check(TensorFile(tmp_path / "a.safetensors", {other.tensor: np.zeros(3)}))
    assert reproductions.find_network(other.nearest)
    assert ".safetensors" in tensor_file.FORMATS
