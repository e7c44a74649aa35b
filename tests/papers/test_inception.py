"""GoogLeNet and the Inception networks: parameters, auxiliary heads, and comparison with networks of other authors."""

import importlib.util
import itertools
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

import reproductions
from reproductions.lab.analysis.profile import profile_model, total, without_weights
from tests.helpers.networks import (
    BY_BUILDER,
    all_layers,
    assert_close,
    random_images,
    trainable_parameters,
    with_random_weights,
)


def test_parameters_are_those_of_the_releases_and_the_text():
    """With the statistics of batch normalization, and GoogLeNet with its auxiliary heads."""
    with without_weights():
        assert reproductions.build("inception-v3").count_params() == 23851784
        assert reproductions.build("googlenet", auxiliary=True).count_params() == 13378280
        assert reproductions.build("inception-resnet-v2-released").count_params() == 55873736
        assert reproductions.build("inception-v2").count_params() < 25e6


# Of the networks with auxiliary heads, whether these heads' convolutions, and their fully connected layers, have batch
# normalization. In Inception-v2 and v3 the fully connected layer is a convolution over the whole map.
HEADS = {
    "googlenet": {"conv": False, "fc": False},
    "bn-googlenet": {"conv": True, "fc": False},
    "inception-v2": {"conv1": True, "conv2": False},
    "inception-v2-sgd": {"conv1": True, "conv2": False},
    "inception-v3": {"conv1": True, "conv2": True},
}


@pytest.mark.parametrize("name", HEADS)
def test_auxiliary_heads_are_built_for_training_only(name):
    size = 75 if "googlenet" in name else 139
    model = reproductions.build(name, classes=10, input_size=size, auxiliary=True)
    outputs = model(random_images(model, 1))
    assert len(outputs) == (3 if "googlenet" in name else 2)
    assert all(output.shape == (1, 10) for output in outputs.values())
    names = {layer.name for layer in model.layers}
    for head in [name for name in outputs if name.startswith("auxiliary")]:
        assert all((f"{head}_{layer}_bn" in names) == normalized for layer, normalized in HEADS[name].items())


def test_the_rows_of_table_3_differ_in_one_thing_each():
    """From Inception-v2 to "factorized 7x7"; the next row, Inception-v3, is the released network."""
    names = ["inception-v2-sgd", "inception-v2-rmsprop", "inception-v2-label-smoothing", "inception-v2"]
    rows = [reproductions.find_network(name) for name in names]
    fields = [fields_that_differ(one.to_train(), other.to_train()) for one, other in itertools.pairwise(rows)]
    assert fields == [{"optimizer"}, {"loss"}, set()]
    assert all(row.build.func is rows[0].build.func for row in rows[:3])
    assert len({tuple({**row.build.keywords, "name": ""}.items()) for row in rows[:3]}) == 1
    with without_weights():
        models = [rows[0].model(), rows[3].model()]
    before, after = ({layer.name: layer.count_params() for layer in each.layers if layer.weights} for each in models)
    assert before.items() - after.items() == {("conv1", 7 * 7 * 3 * 64), ("conv1_bn", 4 * 64)}
    assert {name for name, _ in after.items() - before.items()} == {
        f"conv{number}{end}" for number in (1, 2, 3) for end in ("", "_bn")
    }


def fields_that_differ(one, other):
    one, other = one.as_data(), other.as_data()
    return {field for field in one if one[field] != other[field]}


def test_inputs_of_section_9_cost_nearly_the_same():
    """The third is slightly cheaper, says the paper, within 1% for the pooling that it does not have."""
    costs = []
    for name in ("inception-v2-sgd", "inception-v2-151", "inception-v2-79"):
        with without_weights():
            costs.append(total(profile_model(reproductions.build(name)), "multiply_adds"))
    assert costs[2] < min(costs[:2]) and max(costs) < 1.03 * costs[2]


def test_bn_googlenet_has_batch_normalization_for_dropout_and_lrn():
    with without_weights():
        models = [reproductions.build(name, auxiliary=True) for name in ("googlenet", "bn-googlenet")]
    plain, normalized = (list(all_layers(model)) for model in models)
    kinds = [{type(layer).__name__ for layer in each} for each in (plain, normalized)]
    assert kinds[0] - kinds[1] == {"LocalResponseNormalization", "Dropout"}
    assert kinds[1] - kinds[0] == {"BatchNormalization", "Activation"}
    convolutions = [
        sorted(layer.name for layer in each if isinstance(layer, keras.layers.Conv2D)) for each in (plain, normalized)
    ]
    assert convolutions[0] == convolutions[1]


@pytest.mark.parametrize(
    ("name", "changes", "differences"),
    [
        ("bn-inception-x5", {"learning_rate"}, set()),
        ("bn-inception-x5-sigmoid", {"learning_rate"}, {"relu", "sigmoid"}),
        (
            "bn-inception-baseline",
            {"learning_rate", "epochs", "weight_decay", "train_transforms"},
            {"Dropout", "LocalResponseNormalization"},
        ),
        (
            "inception",
            {"learning_rate", "epochs", "weight_decay", "train_transforms"},
            {"Dropout", "LocalResponseNormalization", "BatchNormalization", "Activation"},
        ),
    ],
)
def test_variants_of_bn_inception_differ_as_section_4_says(name, changes, differences):
    network, own = (reproductions.find_network(each) for each in (name, "bn-inception"))
    assert fields_that_differ(network.to_train(), own.to_train()) == changes
    with without_weights():
        models = [list(all_layers(each.model())) for each in (network, own)]
    kinds = [{type(layer).__name__ for layer in each} for each in models]
    activations = [
        {getattr(layer, "activation", keras.activations.linear).__name__ for layer in each} for each in models
    ]
    assert (kinds[0] ^ kinds[1]) | (activations[0] ^ activations[1]) == differences


# The branches of a block in the order in which Keras' own InceptionV3, and timm's inception_v4, create them.
REFERENCE_ORDER = {
    "5x5": ["1x1", "5x5_reduce", "5x5", "double_3x3_reduce", "double_3x3_1", "double_3x3_2", "pool_proj"],
    "7x7": ["1x1", "7x7_reduce", "1x7", "7x1", "double_7x7_reduce", "double_7x7_1", "double_7x7_2", "double_7x7_3",
            "double_7x7_4", "pool_proj"],
    "fan": ["1x1", "3x3_reduce", "3x3_1x3", "3x3_3x1", "double_3x3_reduce", "double_3x3_1", "double_3x3_1x3",
            "double_3x3_3x1", "pool_proj"],
    "v4 a": ["1x1", "3x3_reduce", "3x3", "double_3x3_reduce", "double_3x3_1", "double_3x3_2", "pool_proj"],
    "v4 c": ["1x1", "3x3_reduce", "3x3_1x3", "3x3_3x1", "double_3x3_reduce", "double_3x3_1", "double_3x3_2",
             "double_3x3_1x3", "double_3x3_3x1", "pool_proj"],
}  # fmt: skip


def number_in_name(layer):
    """12 of "conv2d_12": the order in which Keras created its layers."""
    end = layer.name.rsplit("_", 1)[-1]
    return int(end) if end.isdigit() else 0


def convolutions_and_normalizations(model):
    """The convolutions of the suite's network in the order of the reference, and the normalizations after them."""
    convolutions, normalizations = [], []
    outside = {layer.name: layer for layer in model.layers}
    for layer in model.layers:
        inside = {each.name: each for each in getattr(layer, "layers", [layer])}
        names = [name for name in inside if isinstance(inside[name], keras.layers.Conv2D) and name != "expansion"]
        names = next((order for order in REFERENCE_ORDER.values() if set(order) == set(names)), sorted(names))
        convolutions += [inside[name] for name in names]
        normalizations += [{**outside, **inside}[f"{name}_bn"] for name in names]
    return convolutions, normalizations


def test_inception_v3_computes_what_the_network_of_keras_does():
    model = with_random_weights(reproductions.build("inception-v3", classes=10, input_size=75))
    reference = keras.applications.InceptionV3(
        weights=None, input_shape=(75, 75, 3), classes=10, classifier_activation=None
    )
    kinds = keras.layers.Conv2D, keras.layers.BatchNormalization
    for layers, kind in zip(convolutions_and_normalizations(model), kinds):
        references = sorted((each for each in reference.layers if isinstance(each, kind)), key=number_in_name)
        for layer, other in zip(layers, references, strict=True):
            other.set_weights(layer.get_weights())
    reference.layers[-1].set_weights(model.layers[-1].get_weights())
    x = random_images(model)
    assert_close(ops.convert_to_numpy(model(x)), ops.convert_to_numpy(reference(x)))


def test_released_inception_resnet_v2_computes_what_the_network_of_keras_does():
    model = with_random_weights(reproductions.build("inception-resnet-v2-released", classes=10, input_size=75))
    reference = keras.applications.InceptionResNetV2(
        weights=None, input_shape=(75, 75, 3), classes=10, classifier_activation=None
    )
    last = [reference.get_layer("conv_7b")], [reference.get_layer("conv_7b_bn")]
    for found, end, name in zip(convolutions_and_normalizations(model), last, ("conv2d", "batch_normalization")):
        numbered = [each for each in reference.layers if each.name.startswith(name)]
        for layer, other in zip(found, sorted(numbered, key=number_in_name) + end, strict=True):
            other.set_weights(layer.get_weights())
    blocks = {"block35": "inception_resnet_a", "block17": "inception_resnet_b", "block8": "inception_resnet_c"}
    expansions = [layer for layer in reference.layers if layer.name.startswith("block") and layer.weights]
    assert len(expansions) == 10 + 20 + 10
    for other in expansions:
        kind, number, _ = other.name.split("_")
        inside = {each.name: each for each in model.get_layer(f"{blocks[kind]}{number}").layers}
        other.set_weights(inside["expansion"].get_weights())
    reference.layers[-1].set_weights(model.layers[-1].get_weights())
    x = random_images(model)
    assert_close(ops.convert_to_numpy(model(x)), ops.convert_to_numpy(reference(x)), 1e-5)


NORMALIZED = [
    "bn-googlenet", "bn-inception", "bn-inception-baseline", "bn-inception-x5", "bn-inception-x5-sigmoid",
    "inception-v2", "inception-v2-label-smoothing", "inception-v2-rmsprop", "inception-v2-sgd", "inception-v3",
    "inception-v4", "inception-v4-released", "inception-resnet-v1", "inception-resnet-v2",
    "inception-resnet-v2-released",
]  # fmt: skip


@pytest.mark.parametrize("name", [each for each in BY_BUILDER if each.values[0] in NORMALIZED])
def test_batch_normalization_has_the_constants_that_are_deviations(name):
    with without_weights():
        layers = list(all_layers(reproductions.find_network(name).model()))
    constants = {
        (layer.momentum, layer.epsilon) for layer in layers if isinstance(layer, keras.layers.BatchNormalization)
    }
    assert constants == {(0.99, 0.001)}


@pytest.mark.parametrize("name", NORMALIZED)
def test_constants_that_the_papers_do_not_give_are_deviations(name):
    """Momentum and epsilon of batch normalization, and the first mean square of RMSProp."""
    network = reproductions.find_network(name)
    assert any("batch normalization" in each and "0.99 and 0.001" in each for each in network.deviations)
    optimizer = keras.optimizers.get(dict(network.to_train().optimizer))
    if isinstance(optimizer, keras.optimizers.RMSprop):
        weight = keras.Variable([1.0])
        optimizer.build([weight])
        velocity = next(each for each in optimizer.variables if "velocity" in each.path)
        assert (optimizer.momentum, float(velocity[0])) == (0, 0)
        assert any("mean squares begin at 1" in each and "begin at 0" in each for each in network.deviations)


# Kernels of the factorized convolutions, in the order in which they are applied: in the stem, and in the longest
# branches of Figures 5 and 6.
FACTORIZED = {
    "inception-v4": {
        "stem": [(7, 1), (1, 7)],
        "inception_b1": [(1, 7), (7, 1), (1, 7), (7, 1)],
        "inception_c1": [(1, 3), (3, 1)],
    },
    "inception-v4-released": {
        "stem": [(1, 7), (7, 1)],
        "inception_b1": [(7, 1), (1, 7), (7, 1), (1, 7)],
        "inception_c1": [(3, 1), (1, 3)],
    },
}


@pytest.mark.parametrize("name", FACTORIZED)
def test_inception_v4_has_its_kernels_in_the_published_order(name):
    """The paper's figures have the height first: "7x1" is seven rows high."""
    with without_weights():
        model = reproductions.build(name)
    found = {
        "stem": [each.kernel_size for each in model.layers if each.name in ("stem2_7x1", "stem2_1x7")],
        "inception_b1": kernels(model.get_layer("inception_b1"), "double_7x7_", 4),
        "inception_c1": kernels(model.get_layer("inception_c1"), "double_3x3_", 2),
    }
    assert found == FACTORIZED[name]
    middle = {each.name: each for each in model.get_layer("inception_b1").layers}
    assert [middle[each].kernel_size for each in ("1x7", "7x1")] == [(1, 7), (7, 1)]


def kernels(block, prefix, count):
    inside = {each.name: each for each in block.layers}
    return [inside[f"{prefix}{number}"].kernel_size for number in range(1, count + 1)]


TIMM = Path(__file__).parents[1] / "helpers/timm_inception_v4.py"

# The convolutions of the stem in the order in which timm creates them.
STEM = [
    "conv1", "conv2", "conv3", "stem1_3x3", "stem2_3x3_reduce", "stem2_3x3", "stem2_7x7_reduce", "stem2_1x7",
    "stem2_7x1", "stem2_7x7_3x3", "stem3_3x3",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("timm"), reason="timm, of the extra slow, is not installed")
def test_released_inception_v4_equals_timm_s(tmp_path):
    """Timm's batch normalization has a scale, 1 in the release. With it both networks have as many parameters."""
    model = with_random_weights(reproductions.build("inception-v4-released", classes=10, input_size=139))
    stem = [model.get_layer(name) for name in STEM], [model.get_layer(f"{name}_bn") for name in STEM]
    blocks = keras.Model(model.get_layer("stem3").output, model.output)
    units = zip(*(one + other for one, other in zip(stem, convolutions_and_normalizations(blocks))), strict=True)
    layers = [*(layer for unit in units for layer in unit), model.get_layer("logits")]
    weights = {f"weight{number}": each for number, each in enumerate(w for one in layers for w in one.get_weights())}
    np.savez(tmp_path / "weights.npz", images=random_images(model), **weights)
    done = subprocess.run([sys.executable, TIMM, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / "outputs.npz")
    assert_close(ops.convert_to_numpy(model(random_images(model))), found["outputs"], 1e-5)
    with without_weights():
        assert found["parameters"] == trainable_parameters(reproductions.build("inception-v4", classes=10))
