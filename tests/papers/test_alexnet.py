"""AlexNet: input sizes, order of layers, initial weights, and how its CIFAR-10 networks differ."""

from dataclasses import replace

import numpy as np
import pytest

import reproductions
from reports.paths import TUNED
from reproductions.lab.analysis.profile import without_weights
from reproductions.lab.results import trial_record
from tests.helpers.networks import output_shapes, small_network


def test_224_pixels_lead_to_55_too():
    shapes = reproductions.find_network("alexnet").shapes
    with without_weights():
        model = reproductions.build("alexnet", input_size=224)
    assert output_shapes(model, shapes) == dict(shapes)


@pytest.mark.parametrize("name, first", [("alexnet", "norm1"), ("alexnet-caffe", "pool1")])
def test_normalization_comes_first_except_in_caffe(name, first):
    with without_weights():
        names = [layer.name for layer in reproductions.build(name).layers]
    assert min(("norm1", "pool1"), key=names.index) == first


def test_one_gpu_has_half_of_conv1_to_conv4_and_is_ungrouped():
    with without_weights():
        two, one, ungrouped = map(reproductions.build, ("alexnet", "alexnet-one-gpu", "alexnet-ungrouped"))
    for layer in two.layers:
        half, full = one.get_layer(layer.name), ungrouped.get_layer(layer.name)
        assert full.output.shape == layer.output.shape
        if layer.name.startswith("conv"):
            assert half.filters * (2 if layer.name < "conv5" else 1) == layer.filters
            assert layer.groups == (2 if layer.name in ("conv2", "conv4", "conv5") else 1)
            assert half.groups == full.groups == 1
        elif layer.name.startswith("fc"):
            assert half.units == layer.units


def layers_of(name, **options):
    """Configurations of the layers by name, without what follows from other layers."""
    with without_weights():
        model = reproductions.build(name, **options)
    ignored = ("batch_shape", "input_shape", "build_config")
    configs = {layer.name: layer.get_config() for layer in model.layers}
    return {name: {key: config[key] for key in config if key not in ignored} for name, config in configs.items()}


@pytest.mark.parametrize(
    "name, removed",
    [("no-lrn", {"norm1", "norm2"}), ("no-conv3", {"conv3"}), ("no-conv4", {"conv4"}), ("no-colour-jitter", set())],
)
def test_a_network_without_a_part_differs_in_nothing_else(name, removed):
    whole, without = layers_of("alexnet"), layers_of(f"alexnet-{name}")
    assert set(whole) - set(without) == removed
    assert without == {layer: config for layer, config in whole.items() if layer not in removed}


def test_pooling_without_overlap_gives_the_same_sizes():
    """Section 3.4: s = 2, z = 2 "produces output of equivalent dimensions"."""
    whole, without = layers_of("alexnet"), layers_of("alexnet-no-overlap")
    different = {name for name in whole if whole[name] != without[name]}
    assert different == {"pool1", "pool2", "pool5"}
    for name in different:
        assert (without[name]["pool_size"], without[name]["strides"]) == ((2, 2), (2, 2))


def test_only_colours_are_missing_without_colour_jitter():
    whole, without = (reproductions.find_network(name).recipe for name in ("alexnet", "alexnet-no-colour-jitter"))
    (missing,) = set(map(str, whole.train_transforms)) - set(map(str, without.train_transforms))
    assert missing == "pca_colour"
    assert replace(without, train_transforms=whole.train_transforms) == whole


def test_initial_weights_are_those_of_section_5():
    model = small_network("alexnet")
    ones = {layer.name for layer in model.layers if layer.weights and np.all(layer.get_weights()[1] == 1)}
    zeros = {layer.name for layer in model.layers if layer.weights and np.all(layer.get_weights()[1] == 0)}
    assert ones == {"conv2", "conv4", "conv5", "fc6", "fc7"} and zeros == {"conv1", "conv3", "fc8"}
    assert model.get_layer("conv3").get_weights()[0].std() == pytest.approx(0.01, rel=0.02)


@pytest.mark.parametrize(
    "name", ["alexnet", "alexnet-caffe", "alexnet-one-gpu", "alexnet-ungrouped", "alexnet-no-overlap"]
)
def test_the_text_is_followed_where_the_original_code_differs(name):
    """Each difference is among the deviations."""
    network = reproductions.find_network(name)
    assert network.to_train().bias_learning_rate_multiplier == 1
    code = " ".join(each for each in network.deviations if "original code" in each)
    for word in ("biases", "divides images by 1.1", "alpha", "second time", "conv1 learns more slowly", "0.03"):
        assert word in code


@pytest.mark.parametrize("name", ["alexnet-cifar10", "alexnet-cifar10-first", "alexnet-cifar10-no-lrn"])
def test_initial_weights_for_cifar10_are_those_of_the_files(name):
    expected = {"conv1": 0.0001, "conv2": 0.01, "local3": 0.04, "local4": 0.04, "fc10": 0.01}
    found = {layer.name: layer.get_weights() for layer in small_network(name).layers if layer.weights}
    assert {layer: kernel.std() for layer, (kernel, _) in found.items()} == pytest.approx(expected, rel=0.05)
    assert not any(bias.any() for _, bias in found.values())


def test_the_first_version_differs_in_normalization_and_epochs():
    """From the network without normalization, it differs in nothing else."""
    first, without = (reproductions.find_network(f"alexnet-cifar10-{name}") for name in ("first", "no-lrn"))
    assert replace(first.recipe, learning_rate=(), epochs=1) == replace(without.recipe, learning_rate=(), epochs=1)
    names, names_without = ([layer.name for layer in small_network(each.name).layers] for each in (first, without))
    assert names[1:5] == ["conv1", "norm1", "pool1", "conv2"] and set(names) - set(names_without) == {"norm1", "norm2"}
    assert [name for name in names if "norm" not in name] == names_without


def test_the_networks_of_figure_1_share_their_recipe():
    """They differ only in learning rates, each the best of its committed search, and have no weight decay."""
    relu, tanh = (reproductions.find_network(f"alexnet-cifar10-{activation}") for activation in ("relu", "tanh"))
    assert replace(relu.recipe, learning_rate=()) == replace(tanh.recipe, learning_rate=())
    assert not relu.recipe.weight_decay
    for network in relu, tanh:
        trials = trial_record.read_all(TUNED / f"{network.name}-random")
        assert network.recipe.learning_rate_at(1) == trial_record.best_of(trials).settings["learning_rate"]


def test_the_networks_of_figure_1_differ_only_in_activation():
    one, other = (
        [getattr(layer, "activation", None) for layer in small_network(f"alexnet-cifar10-{activation}").layers]
        for activation in ("relu", "tanh")
    )
    pairs = {(relu.__name__, tanh.__name__) for relu, tanh in zip(one, other, strict=True) if relu}
    assert pairs == {("relu", "tanh"), ("linear", "linear")}
