"""The kernels of layers as images."""

import keras
import numpy as np
import pytest

import layers
from reproductions.lab.errors import UsageError
from reproductions.lab.visualization.graph import graph_of
from reproductions.lab.visualization.kernels import balanced, first_layer, kernels_of
from reproductions.lab.visualization.maps import stages


def network(*chain: keras.layers.Layer, shape: tuple[int, ...] = (12, 12, 3)) -> keras.Model:
    x = images = keras.Input(shape)
    for layer in chain:
        x = layer(x)
    return keras.Model(images, x, name="chain")


CONV = network(
    keras.layers.ZeroPadding2D(1),
    keras.layers.Conv2D(6, 3, activation="relu", name="conv1"),
    keras.layers.MaxPooling2D(2, name="pool1"),
    layers.GroupedConv2D(4, 3, groups=2, name="conv2"),
    layers.LocalResponseNormalization(name="norm2"),
    keras.layers.MaxPooling2D(2, name="pool2"),
    layers.PartiallyConnectedConv2D(((0, 2), (1,), (0, 3)), 2, name="partial"),
    keras.layers.Flatten(name="flatten"),
    keras.layers.Dense(5, name="fc"),
)


def test_the_first_layer_is_shown_with_a_tile_for_each_filter():
    kernels = kernels_of(graph_of(CONV))
    assert (kernels.layer, kernels.towers, kernels.of_maps) == ("conv1", 2, False)
    kernel = CONV.get_layer("conv1").get_weights()[0]
    for number, tile in enumerate(kernels.tiles):
        np.testing.assert_allclose(tile, kernel[..., number])


def test_filters_of_maps_are_a_table():
    kernels = kernels_of(graph_of(CONV), "conv2")
    kernel = CONV.get_layer("conv2").get_weights()[0]
    assert kernels.of_maps and kernels.tiles.shape == (4, 3, 3, 3)
    np.testing.assert_allclose(kernels.tiles[2, 1], kernel[:, :, 1, 2])


def test_a_partially_connected_layer_has_gaps():
    tiles = kernels_of(graph_of(CONV), "partial").tiles
    kernel = CONV.get_layer("partial").get_weights()[0]
    assert np.isnan(tiles).all(axis=(2, 3)).tolist() == [
        [False, True, False, True],
        [True, False, True, True],
        [False, True, True, False],
    ]
    np.testing.assert_allclose(tiles[2, 3], kernel[..., 4])
    np.testing.assert_allclose(tiles[1, 1], kernel[..., 2])


def test_units_that_see_the_image_are_shown_as_images():
    model = network(keras.layers.Flatten(), keras.layers.Dense(4, name="units"), shape=(5, 7, 1))
    kernels = kernels_of(graph_of(model))
    kernel = model.get_layer("units").get_weights()[0]
    assert kernels.tiles.shape == (4, 5, 7, 1)
    np.testing.assert_allclose(kernels.tiles[3, 2, 6, 0], kernel[2 * 7 + 6, 3])


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("fc", "fully connected to other units, so that its weights are not images: show the filters of conv1"),
        ("pool1", "pool1 of chain has no kernel; these have: conv1, conv2, partial, fc"),
        ("conv9", "'conv9' is not a layer of chain. Did you mean 'conv2'"),
    ],
)
def test_what_is_not_an_image_is_refused(layer, message):
    with pytest.raises(UsageError, match=message):
        kernels_of(graph_of(CONV), layer)


def test_kernels_of_single_positions_are_refused():
    model = network(layers.LocallyConnected2D(2, 3, name="local"))
    with pytest.raises(UsageError, match="local of chain has a kernel at each position"):
        kernels_of(graph_of(model))


def test_a_network_without_kernels_is_refused():
    with pytest.raises(UsageError, match="has no layer with a kernel"):
        first_layer(graph_of(network(keras.layers.Flatten())))


def test_weights_are_balanced_around_zero():
    tiles = np.array([[[-2.0, 1.0]], [[0.5, np.nan]], [[0.0, 0.0]]])
    np.testing.assert_allclose(balanced(tiles, (1, 2)), [[[-1, 0.5]], [[1, np.nan]], [[0, 0]]])
    assert balanced(np.arange(101.0)[None], (1,), 50)[0, [25, 50, 100]].tolist() == [0.5, 1, 1]


def test_a_stage_is_the_last_layer_of_a_size():
    assert stages(graph_of(CONV), CONV) == ["conv1", "conv2"]  # of "partial", maps have one position
    flat = network(keras.layers.Flatten(), keras.layers.Dense(3))
    assert stages(graph_of(flat), flat) == []
