"""Layers of the ZIP code network, compared with loops in float64: values, gradients, precision, files, errors."""

import keras
import numpy as np
import pytest
from keras import ops

from layers import ConstantPadding2D, StochasticDiagonalLevenbergMarquardt, UnitBias, scaled_tanh
from reproductions.lab.analysis.profile import profile_model
from tests.helpers.gradients import finite_differences, gradient

RANDOM = np.random.default_rng(0)
SHAPES = [(2, 3, 4, 2), (1, 1, 1, 1), (3, 5), (2, 1, 7, 3), (2, 4, 3)]
PADDINGS = [(1, ((1, 1), (1, 1))), ((2, 0), ((2, 2), (0, 0))), (((2, 1), (0, 3)), ((2, 1), (0, 3)))]


def draw(*shape):
    return RANDOM.normal(size=shape).astype("float32")


def numpy_of(x):
    return ops.convert_to_numpy(ops.cast(x, "float32"))


def bias_loop(x, bias):
    y = np.zeros(np.shape(x))
    for index in np.ndindex(y.shape):
        y[index] = 1.7159 * np.tanh(2 / 3 * (float(x[index]) + float(bias[index[1:]])))
    return y


def padding_loop(x, sizes, value):
    (top, bottom), (left, right) = sizes
    batch, height, width, channels = x.shape
    y = np.full((batch, top + height + bottom, left + width + right, channels), float(value))
    for b, i, j, c in np.ndindex(x.shape):
        y[b, top + i, left + j, c] = x[b, i, j, c]
    return y


def with_biases(shape, **options):
    layer = UnitBias(scaled_tanh, **options)
    layer.build((None, *shape[1:]))
    layer.set_weights([draw(*shape[1:])])
    return layer


@pytest.mark.parametrize("shape", SHAPES)
def test_each_unit_adds_its_own_bias(shape):
    x, layer = draw(*shape), with_biases(shape)
    np.testing.assert_allclose(numpy_of(layer(x)), bias_loop(x, *layer.get_weights()), rtol=1e-5, atol=1e-6)
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *shape[1:])
    assert [tuple(weight.shape) for weight in layer.trainable_weights] == [shape[1:]]


@pytest.mark.parametrize("padding, sizes", PADDINGS)
@pytest.mark.parametrize("value", [-1, 0.0, 2.5])
def test_the_border_has_the_constant_value(padding, sizes, value):
    x, layer = draw(2, 3, 4, 2), ConstantPadding2D(padding, value)
    expected = padding_loop(x, sizes, value)
    np.testing.assert_array_equal(numpy_of(layer(x)), expected.astype("float32"))
    assert layer.compute_output_shape(x.shape) == expected.shape
    first = ConstantPadding2D(padding, value, data_format="channels_first")(x.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(numpy_of(first), expected.astype("float32").transpose(0, 3, 1, 2))


def test_layer_gradients_are_those_of_the_loops():
    x, layer = draw(2, 2, 3, 2), with_biases((2, 2, 3, 2))
    (bias,) = layer.get_weights()
    padding = ConstantPadding2D(((2, 1), (0, 1)), -1)
    factors = draw(2, 5, 4, 2)

    def with_bias(values):
        return ops.sum(ops.sin(layer.stateless_call([values], [], ops.convert_to_tensor(x))[0]))

    cases = [
        (lambda x: ops.sum(ops.sin(layer(x))), lambda x: np.sin(bias_loop(x, bias)).sum(), x),
        (with_bias, lambda values: np.sin(bias_loop(x, values)).sum(), bias),
        (
            lambda x: ops.sum(ops.sin(padding(x)) * factors),
            lambda x: (np.sin(padding_loop(x, ((2, 1), (0, 1)), -1)) * factors).sum(),
            x,
        ),
    ]
    for computed, loop, start in cases:
        np.testing.assert_allclose(gradient(computed, start), finite_differences(loop, start), atol=1e-4)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "mixed_float16", "mixed_bfloat16"])
def test_layers_compute_in_half_precision(dtype):
    x = draw(2, 3, 4, 2)
    exact, rough = with_biases(x.shape), with_biases(x.shape, dtype=dtype)
    rough.set_weights(exact.get_weights())
    pairs = (exact, rough), (ConstantPadding2D(2, -1), ConstantPadding2D(2, -1, dtype=dtype))
    for one, other in pairs:
        y = other(x)
        assert keras.backend.standardize_dtype(y.dtype) == dtype.removeprefix("mixed_")
        np.testing.assert_allclose(numpy_of(y), numpy_of(one(x)), rtol=0.02, atol=0.02)


def test_layers_are_saved_and_loaded(tmp_path):
    images = keras.Input((4, 3, 2))
    border = ConstantPadding2D(((2, 1), (0, 1)), -1)
    biases = UnitBias("tanh", keras.initializers.RandomNormal(seed=1))
    model = keras.Model(images, biases(border(images)))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert [layer.get_config() for layer in loaded.layers] == [layer.get_config() for layer in model.layers]
    x = draw(2, 4, 3, 2)
    np.testing.assert_array_equal(numpy_of(model(x)), numpy_of(loaded(x)))


def test_each_bias_is_one_parameter_and_one_connection():
    images = keras.Input((4, 3, 2))
    (_, row) = profile_model(keras.Model(images, UnitBias()(images)))
    assert row.parameters == row.trainable == row.connections == row.activations == 24
    assert row.weights == row.multiply_adds == 0 and row.receptive_field == 1


def test_the_optimizer_has_a_curvature_for_each_bias():
    layer = with_biases((1, 2, 3, 2))
    optimizer = StochasticDiagonalLevenbergMarquardt(learning_rate=0.5, mu=0.25)
    optimizer.build(layer.trainable_variables)
    before, curvature, slopes = layer.get_weights()[0], np.abs(draw(2, 3, 2)), draw(2, 3, 2)
    optimizer.curvatures[0].assign(curvature)
    optimizer.apply([ops.convert_to_tensor(slopes)])
    np.testing.assert_allclose(layer.get_weights()[0], before - 0.5 / (0.25 + curvature) * slopes, rtol=1e-5)


@pytest.mark.parametrize("shape", [(None, None, 3, 2), (None, 4, 3, None), (None,)])
def test_biases_need_units_of_known_number(shape):
    with pytest.raises(ValueError, match="inputs must be of known size, as each unit has its own bias; got"):
        UnitBias().build(shape)


@pytest.mark.parametrize("make", [lambda: ConstantPadding2D((1, 2, 3)), lambda: ConstantPadding2D(1, "a")])
def test_bad_arguments_of_padding_raise_errors(make):
    with pytest.raises(ValueError, match=r"padding|could not convert"):
        make()
