"""Networks without their classifier, and networks built with the weights of others."""

import keras
import numpy as np
import pytest

import reproductions
from reproductions.lab.errors import UsageError
from reproductions.lab.spec.provenance import Provenance
from reproductions.lab.weights import imported

# Feature maps for small images: rows, columns and filters, from the papers' tables.
MAPS = {
    "alexnet": ({"input_size": 227}, (6, 6, 256)),
    "googlenet": ({"input_size": 64}, (2, 2, 1024)),
    "vgg-a": ({"input_size": 64}, (2, 2, 512)),
    "zfnet": ({"input_size": 225}, (6, 6, 256)),
    "bn-inception": ({"input_size": 64}, (2, 2, 1024)),
    "inception-v3": ({"input_size": 299}, (8, 8, 2048)),
    "inception-resnet-v1": ({"input_size": 299}, (8, 8, 1792)),
    "all-cnn-c": ({}, (6, 6, 192)),
    "convnetjs-cifar10": ({}, (4, 4, 20)),
    "lenet5": ({}, (1, 1, 120)),
}


@pytest.mark.parametrize("name", MAPS)
def test_features_are_the_maps_that_the_classifier_takes(name):
    options, shape = MAPS[name]
    features = reproductions.build(name, include_top=False, **options)
    assert features.output_shape == (None, *shape)
    assert features.input_shape == reproductions.build(name, **options).input_shape


def test_features_are_those_inside_the_whole_network():
    whole = reproductions.build("convnetjs-cifar10")
    features = reproductions.build("convnetjs-cifar10", include_top=False)
    features.set_weights(whole.get_weights()[:-2])
    images = np.random.default_rng(1).normal(size=(2, 32, 32, 3)).astype("float32")
    flat = keras.ops.reshape(features(images), (2, -1))
    kernel, bias = whole.get_weights()[-2:]
    np.testing.assert_allclose(flat @ kernel + bias, whole(images), atol=1e-5)


@pytest.mark.parametrize("name", ["fully-connected-300", "linear-classifier"])
def test_a_network_that_is_a_classifier_has_no_features(name):
    with pytest.raises(UsageError, match="has no features without its top: its fully connected layers take the images"):
        reproductions.build(name, include_top=False)


def test_features_have_no_auxiliary_heads():
    with pytest.raises(UsageError, match="leave out its auxiliary heads"):
        reproductions.build("googlenet", include_top=False, auxiliary=True, input_size=128)


@pytest.fixture
def published(tmp_path):
    """GoogLeNet with three classes as somebody could have published it, and the file."""
    model, path = reproductions.build("googlenet", classes=3, caffe=True, input_size=64), tmp_path / "a.keras"
    options = {"classes": 3, "caffe": True, "input_size": 64}
    imported.write(path, model, Provenance("googlenet", "demo", "somebody", "a", "0" * 64, options))
    return model, path


def test_a_network_is_built_with_published_weights(published):
    model, path = published
    for name in ("googlenet", "googlenet-quick"):
        built = reproductions.build(name, weights=path)
        assert built.output_shape == (None, 3) and built.get_layer("conv1").padding == model.get_layer("conv1").padding
        for own, other in zip(built.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(own, other)
    features = reproductions.build("googlenet", weights=path, include_top=False, input_size=96, classes=7)
    assert features.output_shape == (None, 3, 3, 1024)
    for own, other in zip(features.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(own, other)


def test_options_that_weights_do_not_fit_are_refused(published):
    with pytest.raises(UsageError, match=r"linear/kernel of googlenet has the shape \(1024, 7\), but the trained"):
        reproductions.build("googlenet", weights=published[1], classes=7)
    with pytest.raises(UsageError, match="has weights of googlenet, not of vgg-a"):
        reproductions.build("vgg-a", weights=published[1])
