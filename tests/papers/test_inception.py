"""GoogLeNet and the Inception networks: parameters, auxiliary heads, and comparison with Keras' own Inception-v3."""

import keras
import pytest
from keras import ops

import reproductions
from reproductions.lab.analysis.profile import without_weights
from tests.helpers.networks import assert_close, random_images, with_random_weights


def test_parameters_are_those_of_the_releases_and_the_text():
    """With the statistics of batch normalization, and GoogLeNet with its auxiliary heads."""
    with without_weights():
        assert reproductions.build("inception-v3").count_params() == 23851784
        assert reproductions.build("googlenet", auxiliary=True).count_params() == 13378280
        assert reproductions.build("inception-v2").count_params() < 25e6


@pytest.mark.parametrize("name", ["googlenet", "inception-v2", "inception-v3"])
def test_auxiliary_heads_are_built_for_training_only(name):
    size = 75 if name == "googlenet" else 139
    model = reproductions.build(name, classes=10, input_size=size, auxiliary=True)
    outputs = model(random_images(model, 1))
    assert len(outputs) == (3 if name == "googlenet" else 2)
    assert all(output.shape == (1, 10) for output in outputs.values())


# The branches of a block in the order in which Keras' own InceptionV3 creates them.
KERAS_ORDER = {
    "5x5": ["1x1", "5x5_reduce", "5x5", "double_3x3_reduce", "double_3x3_1", "double_3x3_2", "pool_proj"],
    "7x7": ["1x1", "7x7_reduce", "1x7", "7x1", "double_7x7_reduce", "double_7x7_1", "double_7x7_2", "double_7x7_3",
            "double_7x7_4", "pool_proj"],
    "fan": ["1x1", "3x3_reduce", "3x3_1x3", "3x3_3x1", "double_3x3_reduce", "double_3x3_1", "double_3x3_1x3",
            "double_3x3_3x1", "pool_proj"],
}  # fmt: skip


def number_in_name(layer):
    """12 of "conv2d_12": the order in which Keras created its layers."""
    end = layer.name.rsplit("_", 1)[-1]
    return int(end) if end.isdigit() else 0


def convolutions_and_normalizations(model):
    """The convolutions of the suite's network in the order of Keras' own, and the normalizations after them."""
    convolutions, normalizations = [], []
    outside = {layer.name: layer for layer in model.layers}
    for layer in model.layers:
        inside = {each.name: each for each in getattr(layer, "layers", [layer])}
        names = [name for name in inside if isinstance(inside[name], keras.layers.Conv2D)]
        names = next((order for order in KERAS_ORDER.values() if set(order) == set(names)), sorted(names))
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


def test_bn_inception_computes_what_the_network_of_onnx_does():
    """With 96 filters in the pool projections of 4c and 4d; with 128 the weights would not fit."""
    pytest.importorskip("onnx", reason="the network comes with onnx, of the extra test")
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnx networks run in onnxruntime, of the extra test")
    from tests.helpers.light_onnx import LightNetwork

    light = LightNetwork()
    model = reproductions.build("bn-inception")
    light.copy_to(model)
    x = random_images(model, 1)
    session = onnxruntime.InferenceSession(light.model.SerializeToString(), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"data_0": x.transpose(0, 3, 1, 2)})
    assert_close(ops.convert_to_numpy(model(x)), expected, 1e-5)
