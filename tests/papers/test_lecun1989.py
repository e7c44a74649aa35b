"""The ZIP code network: the counts of LeCun et al. 1989, its border, and a forward pass in numpy."""

import math

import numpy as np
import pytest
from keras import ops

import reproductions
from reproductions import lecun1989
from reproductions.lab.analysis.profile import connections, profile_model
from tests.helpers.networks import random_images, trainable_parameters


@pytest.fixture(scope="module")
def model():
    """The network with random trainable weights."""
    built, random = reproductions.build("lecun1989"), np.random.default_rng(0)
    for weight in built.trainable_weights:
        weight.assign(random.normal(size=weight.shape) / max(math.prod(weight.shape[:-1]), 1) ** 0.5)
    return built


def test_units_connections_and_parameters_are_published(model):
    rows = {row.name: row for row in profile_model(model)}
    parts = {"H1": ("H1-kernels", "H1"), "H2": ("H2-kernels", "H2"), "H3": ("H3",), "output": ("output",)}
    assert {name: rows[name].activations for name in parts} == {"H1": 768, "H2": 192, "H3": 30, "output": 10}
    assert sum(rows[name].activations for name in ("images", *parts)) == 1256
    links = {part: sum(connections(model)[name] for name in names) for part, names in parts.items()}
    assert links == {"H1": 19968, "H2": 38592, "H3": 5790, "output": 310} and sum(links.values()) == 64660
    trained = {part: sum(rows[name].trainable for name in names) for part, names in parts.items()}
    assert trained == {"H1": 1068, "H2": 2592, "H3": 5790, "output": 310}
    assert trainable_parameters(model) == sum(trained.values()) == 9760


def test_h2_maps_see_eight_h1_maps_in_three_groups():
    table = lecun1989.H2_TABLE
    assert len(table) == 12 and {len(set(row)) for row in table} == {8}
    assert [sum(channel in row for row in table) for channel in range(12)] == [8] * 12
    groups = [set(range(8)), set(range(4, 12)), {0, 1, 2, 3, 8, 9, 10, 11}]
    assert [set(row) for row in table] == [group for group in groups for _ in range(4)]


def weighted_sums(maps, kernels):
    """Sums at every other position of a plane of -1; `kernels` by output map and input map, None if not connected."""
    rows, columns, _ = maps.shape
    plane = np.full((rows + 8, columns + 8, maps.shape[2]), -1.0)
    plane[4:-4, 4:-4] = maps
    sums = np.zeros((rows // 2, columns // 2, len(kernels)))
    for i, j, m in np.ndindex(sums.shape):
        for channel, kernel in enumerate(kernels[m]):
            if kernel is not None:  # centred on the first of each two by two units
                sums[i, j, m] += (plane[2 * i + 2 : 2 * i + 7, 2 * j + 2 : 2 * j + 7, channel] * kernel).sum()
    return sums


def squashed(a):
    return 1.7159 * np.tanh(2 * a / 3)


def forward(image, weights):
    """Outputs of the ten units for one image, (16, 16, 1), in float64."""
    first, first_bias, second, second_bias, third, third_bias, fourth, fourth_bias = weights
    h1 = squashed(weighted_sums(image, [[first[:, :, 0, m]] for m in range(12)]) + first_bias)
    numbers = iter(range(96))
    by_map = [{channel: second[..., next(numbers)] for channel in row} for row in lecun1989.H2_TABLE]
    kernels = [[own.get(channel) for channel in range(12)] for own in by_map]
    h2 = squashed(weighted_sums(h1, kernels) + second_bias)
    h3 = squashed(h2.reshape(-1) @ third + third_bias)
    return squashed(h3 @ fourth + fourth_bias)


def test_the_forward_pass_is_that_of_the_paper(model):
    images = random_images(model, 3)
    weights = [np.asarray(weight, float) for weight in model.trainable_weights]
    targets = 2 * np.eye(10) - 1
    expected = [((forward(image.astype(float), weights) - targets) ** 2).sum(axis=1) for image in images]
    np.testing.assert_allclose(ops.convert_to_numpy(model(images)), expected, rtol=1e-6)


def test_background_beyond_the_edge_is_like_that_within(model):
    """All units of an H1 map have the same weighted sum if the whole plane is background."""
    sums = model.get_layer("H1-kernels")(model.get_layer("H1-border")(-np.ones((1, 16, 16, 1), "float32")))
    sums = ops.convert_to_numpy(sums)[0]
    np.testing.assert_allclose(sums, np.broadcast_to(sums[0, 0], sums.shape), rtol=1e-5)
    assert model.get_layer("H2-border").value == -1


def test_initial_weights_are_uniform_by_fan_in():
    weights = reproductions.build("lecun1989").trainable_weights
    for weight, fan_in in zip(weights[::2], (25, 200, 192, 30), strict=True):
        values = np.abs(ops.convert_to_numpy(weight))
        assert 0.95 * 2.4 / fan_in < values.max() <= 2.4 / fan_in
        assert values.mean() == pytest.approx(1.2 / fan_in, rel=0.15)
    assert not any(ops.convert_to_numpy(bias).any() for bias in weights[1::2])


def test_training_without_the_digits_says_where_to_get_them(reproduce):
    done = reproduce("train", "lecun1989", "--run-dir", "run")
    assert done.returncode == 2 and "hastie.su.domains/ElemStatLearn/data.html" in done.stderr
    assert "--data-dir or REPRODUCTIONS_DATA" in done.stderr


def test_both_networks_are_trained_on_one_pattern_per_update():
    newton, sgd = (reproductions.find_network(name).to_train() for name in ("lecun1989", "lecun1989-sgd"))
    assert newton.dataset == sgd.dataset == "usps"
    assert newton.batch_size == sgd.batch_size == 1 and newton.epochs == sgd.epochs == 23
    assert newton.curvature and newton.optimizer["class_name"] == "layers>StochasticDiagonalLevenbergMarquardt"
    assert not sgd.curvature and sgd.optimizer == {"class_name": "SGD", "config": {}}
