"""Every network against what its paper prints of it, and against Keras' own where Keras has it."""

import importlib.util
import math
import os
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops

import reproductions
from reproductions import alexnet, bn_inception, googlenet, inception_v3, inception_v4, lenet5, vgg, zfnet
from reproductions.lab.analysis.profile import connections, without_weights
from reproductions.lab.results import trial_record

NAMES = [network.name for study in reproductions.studies().values() for network in study.networks]

# Parameters: of the papers, or of the networks' own releases where the paper prints none.
PARAMETERS = {
    "lenet5": 60000, "lenet5-sdlm": 60000, "lenet5-distorted": 60000, "lenet4": 50698, "lenet1": 2578,
    "linear-classifier": 7850, "alexnet": 60965224, "alexnet-caffe": 60965224, "alexnet-one-tower": 62378344,
    "alexnet-cifar10": 2112970, "alexnet-cifar10-first": 1116490, "alexnet-cifar10-no-lrn": 1116490,
    "alexnet-cifar10-relu": 89578, "alexnet-cifar10-tanh": 89578,
    "vgg-a": 132863336, "vgg-a-lrn": 132863336, "vgg-b": 133047848, "vgg-c": 133638952, "vgg-d": 138357544,
    "vgg-e": 143667240, "googlenet": 6998552, "inception-v4": 42679816, "convnetjs-cifar10": 22466,
    "all-cnn-a": 1254250, "all-cnn-b": 1300618, "all-cnn-c": 1369738,
    "convpool-cnn-a": 1254250, "convpool-cnn-b": 1300618, "convpool-cnn-c": 1369738,
    "strided-cnn-a": 839242, "strided-cnn-b": 885610, "strided-cnn-c": 954730,
    "base-cnn-a": 839242, "base-cnn-b": 885610, "base-cnn-c": 954730,
}  # fmt: skip

SHAPES = {
    "lenet5": lenet5.SHAPES, "alexnet": alexnet.SHAPES, "alexnet-caffe": alexnet.SHAPES,
    "alexnet-one-tower": alexnet.SHAPES, "alexnet-cifar10": alexnet.CIFAR10_SHAPES,
    "alexnet-cifar10-relu": alexnet.FIGURE1_SHAPES, "alexnet-cifar10-tanh": alexnet.FIGURE1_SHAPES,
    "zfnet": zfnet.SHAPES, "vgg-a": vgg.SHAPES, "vgg-a-lrn": vgg.SHAPES,
    "vgg-b": vgg.SHAPES, "vgg-c": vgg.SHAPES, "vgg-d": vgg.SHAPES, "vgg-e": vgg.SHAPES,
    "googlenet": googlenet.SHAPES, "bn-inception": bn_inception.SHAPES, "inception-v2": inception_v3.SHAPES_V2,
    "inception-v3": inception_v3.SHAPES_V3, "inception-v4": inception_v4.SHAPES,
}  # fmt: skip

# Inputs as small as a network takes, so that a test of each takes seconds.
SMALL = {"alexnet": 67, "zfnet": 64, "vgg": 32, "googlenet": 32, "bn-": 32, "inception": 75}


CROSS_ENTROPY = {"class_name": "SparseCategoricalCrossentropy", "config": {"from_logits": True}}


def small(name, **options):
    """The network with ten classes and an input as small as may be."""
    size = next((side for start, side in SMALL.items() if name.startswith(start) and "cifar" not in name), None)
    if name.startswith("lenet") or name == "linear-classifier":
        return reproductions.build(name, **options)
    return reproductions.build(name, classes=10, **({"input_size": size} if size else {}), **options)


def trainable(model):
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def images(model, number=2):
    return np.random.default_rng(0).normal(size=(number, *model.input_shape[1:])).astype("float32")


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_are_exactly_those_known(name):
    with without_weights():
        assert trainable(reproductions.build(name)) == PARAMETERS[name]


def test_lenet4_sees_every_pair_of_subsampling_maps_as_often_and_no_map_of_c1_twice():
    rows = lenet5.TABLE_OF_LENET4
    assert len(rows) == len(set(map(frozenset, rows))) == 16
    assert {sum(source in row for row in rows) for source in range(8)} == {6}
    assert all(len({source % 4 for source in row}) == 3 for row in rows)  # S2 maps m and m + 4 are of C1 map m


def test_inception_v3_has_the_released_network_s_parameters_and_googlenet_its_heads():
    with without_weights():
        assert reproductions.build("inception-v3").count_params() == 23851784
        assert reproductions.build("googlenet", auxiliary=True).count_params() == 13378280
        assert reproductions.build("inception-v2").count_params() < 25e6


@pytest.mark.parametrize("name", SHAPES)
def test_maps_have_the_printed_shapes(name):
    with without_weights():
        model = reproductions.build(name)
    found = {layer: model.get_layer(layer).output.shape[1:] for layer in SHAPES[name]}
    assert found == SHAPES[name]


def test_alexnet_makes_55_maps_of_224_pixels_too():
    with without_weights():
        model = reproductions.build("alexnet", input_size=224)
    assert {layer: model.get_layer(layer).output.shape[1:] for layer in alexnet.SHAPES} == alexnet.SHAPES


def test_pooling_comes_after_normalization_but_in_caffe_s_alexnet():
    for name, first in ("alexnet", "norm1"), ("alexnet-caffe", "pool1"):
        with without_weights():
            names = [layer.name for layer in reproductions.build(name).layers]
        assert min(("norm1", "pool1"), key=names.index) == first


def test_biases_of_alexnet_start_as_section_5_says():
    model = small("alexnet")
    ones = {layer.name for layer in model.layers if layer.weights and np.all(layer.get_weights()[1] == 1)}
    zeros = {layer.name for layer in model.layers if layer.weights and np.all(layer.get_weights()[1] == 0)}
    assert ones == {"conv2", "conv4", "conv5", "fc6", "fc7"} and zeros == {"conv1", "conv3", "fc8"}
    assert model.get_layer("conv3").get_weights()[0].std() == pytest.approx(0.01, rel=0.02)


def test_alexnet_for_cifar_10_starts_as_the_authors_files_say():
    deviations = {"conv1": 0.0001, "conv2": 0.01, "local3": 0.04, "local4": 0.04, "fc10": 0.01}
    for name in "alexnet-cifar10", "alexnet-cifar10-first", "alexnet-cifar10-no-lrn":
        model = small(name)
        found = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
        assert {layer: kernel.std() for layer, (kernel, _) in found.items()} == pytest.approx(deviations, rel=0.05)
        assert not any(bias.any() for _, bias in found.values())


def test_the_first_version_of_the_four_layers_differs_in_normalization_and_passes_alone():
    first, without = (reproductions.find_network(f"alexnet-cifar10-{name}") for name in ("first", "no-lrn"))
    assert replace(first.recipe, learning_rate=(), epochs=1) == replace(without.recipe, learning_rate=(), epochs=1)
    layers = [[layer.name for layer in small(network.name).layers] for network in (first, without)]
    assert layers[0][1:5] == ["conv1", "norm1", "pool1", "conv2"] and set(layers[0]) - set(layers[1]) == {
        "norm1",
        "norm2",
    }
    assert [name for name in layers[0] if "norm" not in name] == layers[1]


def test_the_networks_of_figure_1_differ_in_their_units_and_the_rates_found_for_them_alone():
    relu, tanh = (reproductions.find_network(f"alexnet-cifar10-{unit}") for unit in ("relu", "tanh"))
    assert (
        replace(relu.recipe, learning_rate=()) == replace(tanh.recipe, learning_rate=())
        and not relu.recipe.weight_decay
    )
    for network in relu, tanh:
        searched = trial_record.read_all(reproductions.RUNS.parent / "tuned" / f"{network.name}-random")
        assert network.recipe.learning_rate_at(1) == trial_record.best_of(searched).settings["learning_rate"]
    units = {unit: [getattr(layer, "activation", None) for layer in small(f"alexnet-cifar10-{unit}").layers]
             for unit in ("relu", "tanh")}  # fmt: skip
    pairs = {(one.__name__, other.__name__) for one, other in zip(*units.values()) if one}
    assert pairs == {("relu", "tanh"), ("linear", "linear")}


def test_vgg_starts_with_a_deviation_of_a_tenth():
    assert small("vgg-d").get_layer("conv5-3").get_weights()[0].std() == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_a_few_steps_on_one_batch_lower_the_loss(name):
    network = reproductions.find_network(name)
    keras.utils.set_random_seed(0)
    model = small(name)
    loss = keras.losses.get(dict(network.to_train().loss if network.outputs == "penalties" else CROSS_ENTROPY))
    # The papers' rates are for their own batches; what is asked here is that gradients reach every layer.
    model.compile(keras.optimizers.Adam(0.0001), loss, run_eagerly=True)
    x, y = images(model, 4) / 10, np.arange(4)
    normalized = any("_bn" in weight.path for weight in model.weights)

    def loss_now():
        """With the statistics of this batch where there is normalization, and without dropout where there is none."""
        return float(ops.convert_to_numpy(ops.mean(loss(y, model(x, training=normalized)))))

    before, start = loss_now(), [ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    model.fit(x, y, batch_size=4, epochs=4, verbose=0)
    after = loss_now()
    moved = [np.abs(ops.convert_to_numpy(w) - s).max() for w, s in zip(model.trainable_weights, start)]
    keras.backend.clear_session()
    assert np.isfinite(after) and after < before
    assert min(moved) > 0


@pytest.mark.parametrize("name", ["googlenet", "inception-v2", "inception-v3"])
def test_the_heads_are_for_training_only(name):
    size = 75 if name == "googlenet" else 139
    model = reproductions.build(name, classes=10, input_size=size, auxiliary=True)
    outputs = model(images(model, 1))
    assert len(outputs) == (3 if name == "googlenet" else 2)
    assert all(output.shape == (1, 10) for output in outputs.values())


OTHER_BACKEND = {"tensorflow": "jax", "jax": "tensorflow"}[keras.backend.backend()]
CHECK = """
import sys, keras, layers, numpy as np
for name in sys.argv[1:]:
    model = keras.models.load_model(f"{name}.keras")
    outputs = np.asarray(keras.ops.convert_to_numpy(model(np.load(f"{name}-x.npy"), training=False)))
    expected = np.load(f"{name}-y.npy")
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max(), err_msg=name)
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Every network in its file, with an input and what it makes of it."""
    folder = tmp_path_factory.mktemp("saved")
    for name in NAMES:
        model = small(name)
        x = images(model)
        model.save(folder / f"{name}.keras")
        np.save(folder / f"{name}-x.npy", x)
        np.save(folder / f"{name}-y.npy", ops.convert_to_numpy(model(x, training=False)))
        keras.backend.clear_session()
    return folder


def run_check(folder, backend):
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run([sys.executable, "-c", CHECK, *NAMES], cwd=folder, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


def test_saved_networks_load_in_a_new_process(saved):
    run_check(saved, keras.backend.backend())


@pytest.mark.skipif(not importlib.util.find_spec(OTHER_BACKEND), reason=f"{OTHER_BACKEND} is not installed")
def test_the_other_backend_gives_the_same_outputs(saved):
    run_check(saved, OTHER_BACKEND)


@pytest.mark.parametrize("name", NAMES)
def test_networks_compute_in_bfloat16(name):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = small(name)
        outputs = ops.convert_to_numpy(ops.cast(model(images(model, 1)), "float32"))
    finally:
        keras.config.set_dtype_policy(policy)
        keras.backend.clear_session()
    assert np.isfinite(outputs).all()


def with_random_weights(model):
    """Weights that keep signals alive through nineteen layers, so that a comparison means something."""
    random = np.random.default_rng(0)
    for weight in model.weights:
        fan_in = max(math.prod(weight.shape[:-1]), 1)
        values = random.normal(size=weight.shape) * (2 / fan_in) ** 0.5
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.path else values)
    return model


@pytest.mark.parametrize("name, theirs", [("vgg-d", "VGG16"), ("vgg-e", "VGG19")])
def test_vgg_computes_what_keras_own_does(name, theirs):
    size = 32
    ours = with_random_weights(reproductions.build(name, classes=10, input_size=size))
    reference = getattr(keras.applications, theirs)(
        weights=None, input_shape=(size, size, 3), classes=10, classifier_activation=None
    )
    reference.set_weights(ours.get_weights())
    x = images(ours)
    expected = ops.convert_to_numpy(reference(x))
    np.testing.assert_allclose(ops.convert_to_numpy(ours(x)), expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


# The branches of a block in the order in which Keras' own InceptionV3 makes them.
KERAS_ORDER = {
    "5x5": ["1x1", "5x5_reduce", "5x5", "double_3x3_reduce", "double_3x3_1", "double_3x3_2", "pool_proj"],
    "7x7": ["1x1", "7x7_reduce", "1x7", "7x1", "double_7x7_reduce", "double_7x7_1", "double_7x7_2", "double_7x7_3",
            "double_7x7_4", "pool_proj"],
    "fan": ["1x1", "3x3_reduce", "3x3_1x3", "3x3_3x1", "double_3x3_reduce", "double_3x3_1", "double_3x3_1x3",
            "double_3x3_3x1", "pool_proj"],
}  # fmt: skip


def number_in_name(layer):
    """12 of "conv2d_12": the order in which Keras made its layers."""
    end = layer.name.rsplit("_", 1)[-1]
    return int(end) if end.isdigit() else 0


def test_inception_v3_computes_what_keras_own_does():
    ours = with_random_weights(reproductions.build("inception-v3", classes=10, input_size=75))
    reference = keras.applications.InceptionV3(
        weights=None, input_shape=(75, 75, 3), classes=10, classifier_activation=None
    )
    convolutions, normalizations = [], []
    outside = {layer.name: layer for layer in ours.layers}
    for layer in ours.layers:
        inside = {each.name: each for each in getattr(layer, "layers", [layer])}
        names = [name for name in inside if isinstance(inside[name], keras.layers.Conv2D)]
        names = next((order for order in KERAS_ORDER.values() if set(order) == set(names)), sorted(names))
        convolutions += [inside[name] for name in names]
        normalizations += [{**outside, **inside}[f"{name}_bn"] for name in names]
    for mine, kind in (convolutions, keras.layers.Conv2D), (normalizations, keras.layers.BatchNormalization):
        theirs = sorted((each for each in reference.layers if isinstance(each, kind)), key=number_in_name)
        for here, there in zip(mine, theirs, strict=True):
            there.set_weights(here.get_weights())
    reference.layers[-1].set_weights(ours.layers[-1].get_weights())
    x = images(ours)
    expected = ops.convert_to_numpy(reference(x))
    np.testing.assert_allclose(ops.convert_to_numpy(ours(x)), expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_lenet5_has_its_parameters_and_connections_layer_by_layer():
    model = reproductions.build("lenet5")
    printed = {"C1": 156, "S2": 12, "C3": 1516, "S4": 32, "C5": 48120, "F6": 10164}
    found = {layer.name: sum(math.prod(w.shape) for w in layer.trainable_weights) for layer in model.layers}
    assert {name: count for name, count in found.items() if count} == printed
    printed = {"C1": 122304, "S2": 5880, "C3": 151600, "S4": 2000, "C5": 48120, "F6": 10164, "RBF": 840}
    assert connections(model) == printed and sum(printed.values()) == 340908


def test_table_1_has_60_kernels_and_each_s2_map_feeds_ten_c3_maps():
    assert sum(map(len, lenet5.TABLE_I)) == 60
    assert [sum(m in maps for maps in lenet5.TABLE_I) for m in range(6)] == [10] * 6
    assert [len(maps) for maps in lenet5.TABLE_I] == [3] * 6 + [4] * 9 + [6]
    assert len(set(lenet5.TABLE_I)) == 16


def test_the_ten_bitmaps_are_84_dots_and_all_different():
    centres = np.array(lenet5.digit_centres())
    assert centres.shape == (10, 84) and set(np.unique(centres)) == {-1, 1}
    distances = (centres[:, None] != centres[None]).sum(-1) + 84 * np.eye(10)
    assert distances.min() >= 6


@pytest.mark.parametrize(
    "name, options, says",
    [
        ("lenet-5", {}, r"'lenet-5' is not a network. Did you mean 'lenet5'\? Choose from: lenet5, lenet5-lecture"),
        ("vgg-a", {"classes": 0}, "classes must be at least 1, and a whole number; got 0"),
        (
            "vgg-a",
            {"clases": 3},
            r"'clases' is not an option of vgg-a. Did you mean 'classes'\? Choose from: classes, input_size",
        ),
        ("vgg-a", {"classes": True}, "got True"),
        ("vgg-a", {"input_size": "224"}, "input_size must be at least 1, and a whole number; got '224'"),
        ("alexnet", {"towers": 3, "input_size": 227}, "alexnet cannot be built with .*'towers': 3"),
        ("googlenet", {"input_size": 16}, "an input_size of 16 is too small for googlenet"),
        ("bn-inception", {"input_size": 16}, "an input_size of 16 is too small for bn-inception"),
        ("alexnet", {"input_size": 20}, "an input_size of 20 is too small for alexnet"),
        ("inception-v3", {"input_size": 60}, "an input_size of 60 is too small for inception-v3"),
        ("vgg-d", {"input_size": 16}, "an input_size of 16 is too small for vgg-d"),
    ],
)
def test_bad_arguments_get_one_sentence(name, options, says):
    with pytest.raises(reproductions.UsageError, match=says):
        reproductions.build(name, **options)


@pytest.mark.slow
def test_vgg_made_convolutional_gives_the_same_logits_and_maps_of_them_for_larger_images():
    from reproductions.lab.evaluation.fully_convolutional import fully_convolutional

    model = vgg.vgg("A", classes=5, name="mine")
    wide = fully_convolutional(with_random_weights(model))
    x = images(model, 1)
    expected = ops.convert_to_numpy(model(x))
    np.testing.assert_allclose(
        ops.convert_to_numpy(wide(x))[:, 0, 0], expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max()
    )
    assert wide(np.zeros((1, 256, 320, 3), "float32")).shape == (1, 2, 4, 5)
