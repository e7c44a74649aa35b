"""The deconvnet and guided backpropagation, compared with plain numpy and with the backend's gradient."""

import keras
import numpy as np
import pytest
from keras import ops

import layers
from reproductions.lab.errors import UsageError
from reproductions.lab.visualization.graph import forward, graph_of
from reproductions.lab.visualization.projection import Projection, check_rectified, project, strongest
from tests.helpers import numpy_deconvnet
from tests.helpers.gradients import gradient
from tests.helpers.numpy_deconvnet import Conv, FullyConnected, MaxPool

SIZE = (15, 13, 3)
LAYERS = ("conv1", "pool1", "conv2", "conv3", "pool3", "fc4", "scores")


def small_network() -> keras.Model:
    """Strides, padding, windows that overlap and stick out, and odd sizes, in float64."""
    keras.utils.set_random_seed(3)
    images = keras.Input(SIZE, dtype="float64")
    x = images
    for layer in (
        keras.layers.Conv2D(4, 3, 2, "same", activation="relu", name="conv1"),
        keras.layers.MaxPooling2D(3, 2, "same", name="pool1"),
        keras.layers.Conv2D(5, (3, 2), padding="same", activation="relu", name="conv2"),
        keras.layers.Conv2D(4, 2, activation="relu", name="conv3"),
        keras.layers.MaxPooling2D((3, 2), 1, name="pool3"),
        keras.layers.Flatten(name="flatten"),
        keras.layers.Dense(6, activation="relu", name="fc4"),
        keras.layers.Dense(3, name="scores"),
    ):
        layer.dtype_policy = keras.DTypePolicy("float64")
        x = layer(x)
    model = keras.Model(images, x, name="small")
    random = np.random.default_rng(4)
    model.set_weights([random.normal(scale=0.4, size=weight.shape) for weight in model.get_weights()])
    return model


MODEL = small_network()
IMAGE = np.random.default_rng(5).normal(size=SIZE)


def in_numpy() -> list:
    """The same network in plain numpy."""
    names = ("conv1", "conv2", "conv3", "fc4", "scores")
    conv1, conv2, conv3, fc4, scores = (MODEL.get_layer(name).get_weights() for name in names)
    return [
        Conv(*conv1, (2, 2), "same"),
        MaxPool((3, 3), (2, 2), "same"),
        Conv(*conv2, (1, 1), "same"),
        Conv(*conv3, (1, 1), "valid"),
        MaxPool((3, 2), (1, 1), "valid"),
        FullyConnected(*fc4, relu=True),
        FullyConnected(*scores, relu=False),
    ]


@pytest.mark.parametrize("rule", ["deconv", "guided", "gradient"])
@pytest.mark.parametrize("depth", range(len(LAYERS)))
def test_projections_are_those_of_plain_numpy(rule, depth):
    graph = graph_of(MODEL)
    values = forward(graph, IMAGE[None])
    output = ops.convert_to_numpy(values[graph.key(LAYERS[depth])])[0]
    compared = 0
    for channel in range(output.shape[-1]):
        expected = numpy_deconvnet.project(in_numpy(), IMAGE, depth, channel, rule)
        found = project(graph, values, LAYERS[depth], channel, rule)
        assert found.activation == pytest.approx(output[..., channel].max(), abs=1e-12)
        np.testing.assert_allclose(found.pixels, expected, rtol=0, atol=1e-12 * max(1, np.abs(expected).max()))
        compared += bool(np.abs(expected).max() > 0)
    assert compared >= 2  # not all of them are zero


def test_the_rules_differ():
    graph = graph_of(MODEL)
    values = forward(graph, IMAGE[None])
    [channel] = strongest(ops.convert_to_numpy(values[graph.key("conv3")])[0])[:1]
    found = {rule: project(graph, values, "conv3", channel, rule).pixels for rule in ("deconv", "guided", "gradient")}
    assert np.abs(found["deconv"] - found["guided"]).max() > 0.01
    assert np.abs(found["gradient"] - found["guided"]).max() > 0.01


def block_network() -> keras.Model:
    """Blocks, normalization, groups, layers without shared weights, and a sum."""
    keras.utils.set_random_seed(6)
    images = keras.Input((13, 13, 2))
    x = keras.layers.ZeroPadding2D(((1, 2), (0, 1)))(images)
    x = layers.GroupedConv2D(4, 3, groups=2, activation="relu", name="grouped")(x)
    x = layers.LocalResponseNormalization(alpha=0.5)(x)
    x = layers.InceptionV1(3, 2, 4, 2, 3, 2, name="v1")(x)
    x = layers.InceptionBN(3, 2, 4, 2, 3, "average", 2, name="bn")(x)
    x = keras.layers.AveragePooling2D(3, 2, "same")(x)
    x = keras.layers.Add(name="sum")([x, keras.layers.Dropout(0.5)(keras.layers.ReLU(name="rectified")(x))])
    x = layers.LocallyConnected2D(5, 3, activation="relu", name="local")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(images, keras.layers.Dense(3, name="scores")(x), name="blocks")


def test_with_the_gradients_rule_it_is_backpropagation():
    model = block_network()
    graph = graph_of(model)
    image = np.random.default_rng(7).normal(size=(1, 13, 13, 2)).astype("float32")
    values = forward(graph, image)
    np.testing.assert_allclose(
        ops.convert_to_numpy(values[graph.key("scores")]), ops.convert_to_numpy(model(image)), atol=1e-5
    )
    for channel in range(3):
        score = float(ops.convert_to_numpy(model(image))[0, channel])
        expected = gradient(lambda x, unit=channel: ops.sum(model(x)[:, unit]), image)[0] * (score if score > 0 else 1)
        found = project(graph, values, "scores", channel, "gradient").pixels
        assert np.abs(expected).max() > 1e-4
        np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_blocks_are_unrolled_under_the_names_of_their_layers():
    graph = graph_of(block_network())
    names = [step.name for step in graph.steps]
    assert "v1/3x3_reduce" in names and "bn/double_3x3_1_bn" in names and "v1" not in names
    assert graph.key("v1") == graph.key("v1/output")
    assert [type(step.layer).__name__ for step in graph.before("grouped")] == ["ZeroPadding2D", "GroupedConv2D"]
    with pytest.raises(UsageError, match="v1 of blocks is a block: name one of its layers, v1/3x3_reduce, "):
        graph.step("v1")


def test_a_wrong_layer_gives_the_nearest_name():
    with pytest.raises(UsageError, match=r"'conv9' is not a layer of small\. Did you mean 'conv[123]'"):
        graph_of(MODEL).key("conv9")
    with pytest.raises(UsageError, match="Did you mean 'conv1'"):
        graph_of(MODEL).key("Conv1")


@pytest.mark.parametrize(
    ("activation", "message"),
    [
        ("tanh", "first of plain has the activation tanh: show filters, features or occlusion"),
        ("layers>scaled_tanh", "first of plain has the activation scaled_tanh"),
        (None, "plain has none up to second"),
    ],
)
def test_a_network_without_relu_is_refused(activation, message):
    activation = layers.scaled_tanh if activation == "layers>scaled_tanh" else activation
    images = keras.Input((5, 5, 1))
    x = keras.layers.Conv2D(2, 3, activation=activation, name="first")(images)
    graph = graph_of(keras.Model(images, keras.layers.Conv2D(2, 3, name="second")(x), name="plain"))
    with pytest.raises(UsageError, match=message):
        check_rectified(graph, "second", "deconv")


def test_only_what_comes_before_a_layer_must_have_relu():
    images = keras.Input((5, 5, 1))
    x = keras.layers.Conv2D(2, 3, activation="relu", name="first")(images)
    graph = graph_of(keras.Model(images, keras.layers.Conv2D(2, 3, activation="tanh", name="second")(x), name="mixed"))
    check_rectified(graph, "first", "guided")
    with pytest.raises(UsageError, match="second of mixed has the activation tanh"):
        check_rectified(graph, "second", "guided")


def test_a_layer_keeps_its_activation():
    graph = graph_of(MODEL)
    before = ops.convert_to_numpy(MODEL(IMAGE[None]))
    project(graph, forward(graph, IMAGE[None]), "scores", 0, "deconv")
    assert MODEL.get_layer("conv1").activation is keras.activations.relu
    np.testing.assert_array_equal(ops.convert_to_numpy(MODEL(IMAGE[None])), before)


def test_the_window_holds_the_signal_and_is_a_square():
    pixels = np.zeros((20, 30, 3))
    pixels[2:5, 10:18] = 1
    pixels[0, 0] = 1e-3
    rows, columns = Projection(0, 1.0, (0, 0), pixels).window
    assert (rows.stop - rows.start, columns.stop - columns.start) == (8, 8)
    assert rows.start <= 2 and rows.stop >= 5 and (columns.start, columns.stop) == (10, 18)


def test_the_window_stays_in_the_image():
    pixels = np.zeros((6, 30, 1))
    pixels[:, 3:25] = 1
    rows, columns = Projection(0, 1.0, (), pixels).window
    assert (rows.start, rows.stop) == (0, 6) and columns.start >= 0 and columns.stop <= 30
    empty = Projection(0, 0.0, (), np.zeros((4, 4, 1))).window
    assert all(0 <= each.start <= each.stop <= 4 for each in empty)
