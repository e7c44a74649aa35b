"""Profiles of models."""

import keras
import numpy as np
import pytest
from keras import ops

import reproductions
from reproductions.lab.analysis.profile import depth, profile_model, total, without_weights


def visible_pixels(model, layer):
    """Return the side of the square of input pixels that reach the middle position of a layer, trying each row."""
    part = keras.Model(model.inputs, model.get_layer(layer).output)
    side = model.input_shape[1]
    x = np.zeros((side + 1, side, side, 1), "float32")
    for row in range(side):
        x[row, row] = 1
    y = ops.convert_to_numpy(part(x))
    middle = y[:, y.shape[1] // 2, y.shape[2] // 2]
    return int((np.abs(middle[:-1] - middle[-1]).max(-1) > 1e-12).sum())


def test_receptive_fields_are_the_pixels_that_matter():
    images = keras.Input((41, 41, 1))
    options = {"kernel_initializer": "ones", "padding": "same"}
    x = keras.layers.Conv2D(2, 5, strides=2, **options, name="a")(images)
    x = keras.layers.AveragePooling2D(3, 2, "same", name="b")(x)
    left = keras.layers.Conv2D(2, 3, **options, name="c")(x)
    x = keras.layers.Concatenate(name="d")([left, keras.layers.Conv2D(2, 1, **options, name="e")(x)])
    model = keras.Model(images, keras.layers.Conv2D(1, 3, **options, name="f")(x))
    layers = {layer.name: layer for layer in profile_model(model)}
    for name in "abcdef":
        assert layers[name].receptive_field == visible_pixels(model, name), name
    assert [layers[name].jump for name in "abcdef"] == [2, 4, 4, 4, 4, 4]


def test_counts_of_a_small_network_by_hand():
    images = keras.Input((6, 6, 2))
    x = keras.layers.Conv2D(4, 3, padding="same", groups=2, name="conv")(images)
    x = keras.layers.Flatten()(keras.layers.MaxPooling2D(2, name="pool")(x))
    model = keras.Model(images, keras.layers.Dense(5, name="fc")(x))
    layers = {layer.name: layer for layer in profile_model(model)}
    conv, fc = layers["conv"], layers["fc"]
    assert (conv.weights, conv.parameters, conv.multiply_adds, conv.activations) == (36, 40, 36 * 36, 144)
    assert (fc.weights, fc.parameters, fc.multiply_adds, fc.connections) == (180, 185, 180, 185)
    assert layers["pool"].multiply_adds == 0 and layers["pool"].output_shape == (3, 3, 4)
    assert conv.forward_bytes == 4 * 144 and conv.backward_bytes == 2 * conv.forward_bytes


@pytest.mark.parametrize("name", ["googlenet", "inception-v3", "alexnet", "lenet5"])
def test_layers_add_up_to_the_model(name):
    with without_weights():
        model = reproductions.build(name)
        layers = profile_model(model)
    assert total(layers, "parameters") == model.count_params()
    assert len({layer.name for layer in layers}) == len(layers)
    if name == "googlenet":
        assert any(layer.name == "inception_4a/3x3_reduce" for layer in layers)


def test_building_without_weights_allocates_none():
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with without_weights():
        assert total(profile_model(reproductions.build("vgg-e")), "parameters") == 143667240
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < 143667240 * 4 / 2


@pytest.mark.parametrize(("name", "layers"), [("alexnet", 8), ("vgg-e", 19), ("googlenet", 22)])
def test_depth_is_that_of_the_longest_path(name, layers):
    with without_weights():
        assert depth(reproductions.build(name)) == layers
