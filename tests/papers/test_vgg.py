"""VGG: initial weights, comparison with Keras' own networks, and the network made fully convolutional."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops

import reproductions
from reproductions.lab.analysis.profile import without_weights
from reproductions.lab.evaluation.fully_convolutional import fully_convolutional
from reproductions.vgg import vgg
from tests.helpers.networks import assert_close, random_images, small_network, with_random_weights


def test_the_published_standard_deviation_is_a_tenth():
    assert small_network("vgg-d").get_layer("conv5-3").get_weights()[0].std() == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize("name, keras_name", [("vgg-d", "VGG16"), ("vgg-e", "VGG19")])
def test_vgg_computes_what_the_network_of_keras_does(name, keras_name):
    size = 32
    model = with_random_weights(reproductions.build(name, classes=10, input_size=size))
    reference = getattr(keras.applications, keras_name)(
        weights=None, input_shape=(size, size, 3), classes=10, classifier_activation=None
    )
    reference.set_weights(model.get_weights())
    x = random_images(model)
    assert_close(ops.convert_to_numpy(model(x)), ops.convert_to_numpy(reference(x)))


@pytest.mark.parametrize("configuration", ["c", "d", "e"])
@pytest.mark.parametrize("suffix, scales", [("-384", (384, 384)), ("-256-512", (256, 512))])
def test_larger_scales_start_from_all_layers_at_a_lower_rate(configuration, suffix, scales):
    """Section 3.1. In everything else but the stored images, the recipe is that for S = 256."""
    network = reproductions.find_network(f"vgg-{configuration}{suffix}")
    own, base = network.to_train(), reproductions.find_network(f"vgg-{configuration}").to_train()
    with without_weights():
        assert own.init_layers == tuple(layer.name for layer in network.model().layers if layer.weights)
    assert own.learning_rate_at(1) == 0.001
    assert own.train_transforms[0] == (
        "scale_jittered_crop",
        {"smallest": scales[0], "largest": scales[1], "crop": 224},
    )
    assert own.train_transforms[1:] == base.train_transforms[1:]
    assert own.dataset == "imagenet-originals" and own.protocol == "dense at 384"
    fields = ("dataset", "train_transforms", "learning_rate", "init_layers", "protocol")
    assert replace(own, **{field: getattr(base, field) for field in fields}) == base


@pytest.mark.slow
def test_fully_convolutional_vgg_gives_the_same_logits():
    """For larger images it gives a map of logits."""
    model = vgg("A", classes=5, name="mine")
    convolutional = fully_convolutional(with_random_weights(model))
    x = random_images(model, 1)
    assert_close(ops.convert_to_numpy(convolutional(x))[:, 0, 0], ops.convert_to_numpy(model(x)))
    assert convolutional(np.zeros((1, 256, 320, 3), "float32")).shape == (1, 2, 4, 5)
