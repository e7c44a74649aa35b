"""Inception blocks: published shapes, the computation in plain numpy, files and errors."""

import keras
import numpy as np
import pytest
from keras import ops

import layers

RANDOM = np.random.default_rng(0)

BLOCKS = {
    "naive": (lambda **k: layers.NaiveInception(4, 3, 2, **k), (8, 8, 5), (8, 8, 14)),
    "3a": (lambda **k: layers.InceptionV1(64, 96, 128, 16, 32, 32, **k), (28, 28, 192), (28, 28, 256)),
    "3a, bn": (
        lambda **k: layers.InceptionV1(64, 96, 128, 16, 32, 32, batch_normalization=True, **k),
        (28, 28, 192),
        (28, 28, 256),
    ),
    "odd": (lambda **k: layers.InceptionV1(1, 2, 3, 4, 5, 6, **k), (5, 3, 2), (5, 3, 15)),
    "bn": (lambda **k: layers.InceptionBN(4, 3, 5, 2, 6, "average", 7, **k), (9, 9, 3), (9, 9, 22)),
    "bn/2": (lambda **k: layers.InceptionBN(None, 3, 5, 2, 6, "max", None, strides=2, **k), (9, 8, 3), (5, 4, 14)),
    "bn, sigmoid": (
        lambda **k: layers.InceptionBN(4, 3, 5, 2, 6, "average", 7, activation="sigmoid", **k),
        (9, 9, 3),
        (9, 9, 22),
    ),
    "bn, without": (
        lambda **k: layers.InceptionBN(4, 3, 5, 2, 6, "average", 7, batch_normalization=False, **k),
        (9, 9, 3),
        (9, 9, 22),
    ),
    "figure 5": (lambda **k: layers.InceptionFigure5(64, **k), (7, 7, 20), (7, 7, 288)),
    "figure 5, 5x5": (lambda **k: layers.InceptionFigure5(32, keep_5x5=True, **k), (7, 7, 20), (7, 7, 256)),
    "figure 6": (lambda **k: layers.InceptionFigure6(128, **k), (5, 5, 20), (5, 5, 768)),
    "figure 7": (lambda **k: layers.InceptionFigure7(**k), (4, 4, 20), (4, 4, 2048)),
    "figure 10": (
        lambda **k: layers.GridReduction((((384, 3),), ((64, 1), (96, 3), (96, 3))), **k),
        (35, 35, 288),
        (17, 17, 768),
    ),
    "residual": (
        lambda **k: layers.InceptionResidual((((3, 1),), ((4, 1), (5, (1, 7)))), 0.2, **k),
        (5, 4, 20),
        (5, 4, 20),
    ),
    "residual, linear": (
        lambda **k: layers.InceptionResidual([[(3, 3)]], final_relu=False, **k),
        (5, 4, 20),
        (5, 4, 20),
    ),
    "v4 a": (lambda **k: layers.InceptionV4A(**k), (5, 5, 384), (5, 5, 384)),
    "v4 b": (lambda **k: layers.InceptionV4B(**k), (5, 5, 1024), (5, 5, 1024)),
    "v4 c": (lambda **k: layers.InceptionV4C(**k), (3, 3, 1536), (3, 3, 1536)),
    "v4 a, released": (lambda **k: layers.InceptionV4A(released=True, **k), (5, 5, 384), (5, 5, 384)),
    "v4 b, released": (lambda **k: layers.InceptionV4B(released=True, **k), (5, 5, 1024), (5, 5, 1024)),
    "v4 c, released": (lambda **k: layers.InceptionV4C(released=True, **k), (3, 3, 1536), (3, 3, 1536)),
}


def draw(*shape):
    return RANDOM.normal(size=shape).astype("float32")


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_have_published_shapes_and_named_convolutions(name):
    make, before, after = BLOCKS[name]
    block = make(name="block")
    assert block.compute_output_shape((None, *before)) == (None, *after)
    assert block(draw(1, *before)).shape == (1, *after)
    names = [layer.name for layer in block.layers]
    assert len(set(names)) == len(names)
    assert sum(layer.count_params() for layer in block.layers) == block.count_params() > 0


def relu(x):
    return np.maximum(x, 0)


def convolution(x, kernel, bias=0.0):
    """Padded convolution with stride 1 and odd kernel size, by shifted products in float64."""
    h, w = kernel.shape[:2]
    padded = np.pad(np.asarray(x, np.float64), ((0, 0), (h // 2, h // 2), (w // 2, w // 2), (0, 0)))
    y = np.zeros((*x.shape[:3], kernel.shape[-1]))
    for i, j in np.ndindex(h, w):
        y += padded[:, i : i + x.shape[1], j : j + x.shape[2]] @ kernel[i, j].astype(np.float64)
    return y + bias


def max_pool(x):
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
    return np.max([padded[:, i : i + x.shape[1], j : j + x.shape[2]] for i, j in np.ndindex(3, 3)], axis=0)


def test_inception_v1_computes_figure_2b():
    block = layers.InceptionV1(3, 4, 5, 2, 3, 4)
    x = draw(2, 6, 5, 3)
    y = ops.convert_to_numpy(block(x))
    weights = {layer.name: layer.get_weights() for layer in block.layers if layer.weights}
    conv = {name: (lambda v, name=name: relu(convolution(v, *weights[name]))) for name in weights}
    expected = np.concatenate(
        [
            conv["1x1"](x),
            conv["3x3"](conv["3x3_reduce"](x)),
            conv["5x5"](conv["5x5_reduce"](x)),
            conv["pool_proj"](max_pool(x)),
        ],
        axis=-1,
    )
    np.testing.assert_allclose(y, expected, atol=1e-4)


@pytest.mark.parametrize(("activation", "function"), [("relu", relu), ("sigmoid", lambda x: 1 / (1 + np.exp(-x)))])
def test_conv_bn_relu_computes_its_three_steps(activation, function):
    images = keras.Input((5, 6, 3))
    model = keras.Model(images, layers.conv_bn_relu(images, 4, (1, 3), name="unit", activation=activation))
    assert [layer.name for layer in model.layers[1:]] == ["unit", "unit_bn", f"unit_{activation}"]
    kernel, gamma, beta, mean, variance = values = [draw(*w.shape) for w in model.weights]
    values[4] = variance = np.abs(variance)
    model.set_weights(values)
    x = draw(2, 5, 6, 3)
    expected = function((convolution(x, kernel) - mean) / np.sqrt(variance + 0.001) * gamma + beta)
    np.testing.assert_allclose(ops.convert_to_numpy(model(x)), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("final_relu", [True, False])
def test_residuals_are_expanded_scaled_and_added(final_relu):
    """Szegedy et al. 2016, Figures 10 and 20; without batch normalization, for plain numpy."""
    branches = (((3, 1),), ((4, 1), (5, (1, 3)), (6, (3, 1))))
    block = layers.InceptionResidual(branches, 0.3, final_relu, batch_normalization=False)
    x = draw(2, 6, 5, 7)
    y = ops.convert_to_numpy(block(x))
    weights = {layer.name: layer.get_weights() for layer in block.layers if layer.weights}
    assert [weights[f"branch2_{step}"][0].shape[:2] for step in (1, 2, 3)] == [(1, 1), (1, 3), (3, 1)]
    ends = [relu(convolution(x, *weights["branch1_1"])), x]
    for step in 1, 2, 3:
        ends[1] = relu(convolution(ends[1], *weights[f"branch2_{step}"]))
    expected = x + 0.3 * convolution(np.concatenate(ends, axis=-1), *weights["expansion"])
    np.testing.assert_allclose(y, relu(expected) if final_relu else expected, atol=1e-5)
    assert final_relu or (y < 0).any()


def test_batch_normalization_and_activation_are_those_of_all_convolutions():
    for options, normalized, activation in [
        ({}, True, "relu"),
        ({"activation": "sigmoid"}, True, "sigmoid"),
        ({"activation": "sigmoid", "batch_normalization": False}, False, "sigmoid"),
    ]:
        block = layers.InceptionBN(4, 3, 5, 2, 6, "max", 7, **options)
        block.build((None, 5, 5, 3))
        convolutions = [each for each in block.layers if isinstance(each, keras.layers.Conv2D)]
        normalizations = [each for each in block.layers if isinstance(each, keras.layers.BatchNormalization)]
        assert len(normalizations) == (len(convolutions) if normalized else 0)
        assert all(each.use_bias != normalized for each in convolutions)
        kind = keras.layers.Activation if normalized else keras.layers.Conv2D
        found = [each.activation.__name__ for each in block.layers if isinstance(each, kind)]
        assert found == [activation] * len(convolutions)


def test_convolutions_of_one_shape_differ_in_initial_weights():
    block = layers.InceptionV1(4, 4, 4, 4, 4, 4, kernel_initializer=keras.initializers.RandomNormal())
    block.build((None, 4, 4, 4))
    kernels = {layer.name: layer.get_weights()[0] for layer in block.layers if layer.weights}
    same = [kernels[name] for name in ("1x1", "3x3_reduce", "5x5_reduce", "pool_proj")]
    assert all(np.abs(a - b).max() > 0 for i, a in enumerate(same) for b in same[:i])


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_are_saved_and_loaded(name, tmp_path):
    make, before, _ = BLOCKS[name]
    size = (max(before[0] // 4, 3), max(before[1] // 4, 3), before[2])
    images = keras.Input(size)
    model = keras.Model(images, make(name="block")(images))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.get_layer("block").get_config() == model.get_layer("block").get_config()
    x = draw(1, *size)
    np.testing.assert_array_equal(ops.convert_to_numpy(model(x)), ops.convert_to_numpy(loaded(x)))


@pytest.mark.parametrize("dtype", ["bfloat16", "mixed_bfloat16", "mixed_float16"])
def test_blocks_compute_in_half_precision(dtype):
    for make, before, _ in (BLOCKS["odd"], BLOCKS["bn"], BLOCKS["bn/2"], BLOCKS["residual"]):
        block = make(dtype=dtype)
        y = block(draw(2, *before))
        assert keras.backend.standardize_dtype(y.dtype) == dtype.removeprefix("mixed_")
        assert np.isfinite(ops.convert_to_numpy(ops.cast(y, "float32"))).all()
        for layer in block.layers[1:]:
            assert layer.dtype_policy.name == dtype


def test_training_normalizes_by_batch_and_updates_averages():
    block = layers.InceptionBN(2, 2, 2, 2, 2, "average", 2)
    x = draw(4, 5, 5, 3) + 3
    inference, training = ops.convert_to_numpy(block(x)), ops.convert_to_numpy(block(x, training=True))
    assert np.abs(inference - training).max() > 0.01
    assert any(np.abs(w).max() > 0 for w in (layer.get_weights()[2] for layer in block.layers if "bn" in layer.name))


def test_a_summary_shows_the_convolutions():
    images = keras.Input((8, 8, 3))
    lines = []
    keras.Model(images, layers.InceptionV1(1, 2, 3, 4, 5, 6, name="inception_3a")(images)).summary(
        expand_nested=True, print_fn=lambda line, **_: lines.append(line)
    )
    assert all(name in "\n".join(lines) for name in ("3x3_reduce", "5x5_reduce", "pool_proj"))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: layers.InceptionV1(0, 1, 1, 1, 1, 1), "n1x1 must be a positive number of filters; got 0"),
        (lambda: layers.NaiveInception(1, -2, 1), "n3x3 .* got -2"),
        (lambda: layers.InceptionBN(None, 1, 1, 1, 1, "max", None), "strides=1"),
        (lambda: layers.InceptionBN(4, 1, 1, 1, 1, "max", 3, strides=2), "n1x1=4"),
        (lambda: layers.InceptionBN(4, 1, 1, 1, 1, "median", 3), "median"),
        (lambda: layers.InceptionFigure6(0), "n7x7"),
        (lambda: layers.GridReduction(()), "branches"),
        (lambda: layers.GridReduction((((3, 3), (4, 1)),)), "must end in a 3x3 convolution"),
        (lambda: layers.InceptionResidual(((),)), "branches must be one or more chains"),
        (lambda: layers.InceptionResidual((((3, 1),),), 0.0), "residual_scale must be positive; got 0.0"),
    ],
)
def test_bad_arguments_raise_errors_with_their_value(make, message):
    with pytest.raises(ValueError, match=message):
        make()
