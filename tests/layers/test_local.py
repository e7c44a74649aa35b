"""Locally connected layer: comparison with a plain loop, gradients, half precision, files and errors."""

import keras
import numpy as np
import pytest
from keras import ops

from layers import LocallyConnected2D
from reproductions.lab.analysis.profile import profile_model
from tests.helpers.gradients import finite_differences, gradient

RANDOM = np.random.default_rng(0)


def local_loop(x, kernel, bias, strides=(1, 1), padding="valid"):
    """Sum over the window of each position, in float64; windows that extend beyond the edge see zeros."""
    x, kernel = np.asarray(x, np.float64), np.asarray(kernel, np.float64)
    rows, columns, h, w = kernel.shape[:4]
    if padding == "same":
        padding_sizes = [
            max((n - 1) * s + k - size, 0) for n, s, k, size in zip((rows, columns), strides, (h, w), x.shape[1:])
        ]
        x = np.pad(x, [(0, 0), *[(each // 2, (each + 1) // 2) for each in padding_sizes], (0, 0)])
    y = np.zeros((len(x), *np.shape(bias)))
    for b, i, j, f in np.ndindex(y.shape):
        window = x[b, i * strides[0] : i * strides[0] + h, j * strides[1] : j * strides[1] + w]
        y[b, i, j, f] = (window * kernel[i, j, :, :, :, f]).sum() + bias[i, j, f]
    return y


def built(options, shape):
    layer = LocallyConnected2D(**options)
    layer.build(shape)
    layer.set_weights([RANDOM.normal(size=weight.shape).astype("float32") for weight in layer.weights])
    return layer


def numpy_of(x):
    return ops.convert_to_numpy(ops.cast(x, "float32"))


CASES = [
    ({"filters": 4, "kernel_size": 3}, (2, 5, 6, 3)),
    ({"filters": 2, "kernel_size": 3, "padding": "same"}, (2, 4, 5, 3)),
    ({"filters": 3, "kernel_size": (2, 3), "strides": 2, "padding": "same"}, (1, 5, 6, 2)),
    ({"filters": 1, "kernel_size": (1, 2), "strides": (2, 3)}, (3, 5, 7, 2)),
    ({"filters": 2, "kernel_size": 5, "padding": "same"}, (1, 2, 1, 1)),
    ({"filters": 3, "kernel_size": 4}, (2, 4, 4, 1)),
]


@pytest.mark.parametrize("options, shape", CASES)
def test_each_position_is_the_sum_over_its_window(options, shape):
    x, layer = RANDOM.normal(size=shape).astype("float32"), built(options, shape)
    expected = local_loop(x, *layer.get_weights(), layer.strides, layer.padding)
    np.testing.assert_allclose(numpy_of(layer(x)), expected, rtol=1e-4, atol=1e-4)
    assert layer.compute_output_shape(shape) == expected.shape


@pytest.mark.parametrize("options, shape", CASES)
def test_with_one_kernel_everywhere_it_is_a_convolution(options, shape):
    x, layer = RANDOM.normal(size=shape).astype("float32"), built(options, shape)
    convolution = keras.layers.Conv2D(**options)
    convolution.build(shape)
    kernel, bias = convolution.get_weights()
    positions = layer.bias.shape[:2]
    layer.set_weights([np.broadcast_to(each, (*positions, *each.shape)) for each in (kernel, bias)])
    np.testing.assert_allclose(numpy_of(layer(x)), numpy_of(convolution(x)), atol=1e-5)


@pytest.mark.parametrize("options, shape", CASES[:3])
def test_the_gradients_are_those_of_the_loop(options, shape):
    x, layer = RANDOM.normal(size=shape).astype("float32"), built(options, shape)
    kernel, bias = layer.get_weights()

    def loop(x, kernel, bias):
        return np.sin(local_loop(x, kernel, bias, layer.strides, layer.padding)).sum()

    of_inputs = gradient(lambda x: ops.sum(ops.sin(layer(x))), x)
    np.testing.assert_allclose(of_inputs, finite_differences(lambda x: loop(x, kernel, bias), x), atol=1e-3)

    def with_kernel(values):
        return layer.stateless_call([values, ops.convert_to_tensor(bias)], [], x)[0]

    of_kernel = gradient(lambda values: ops.sum(ops.sin(with_kernel(values))), kernel)
    indices = [tuple(RANDOM.integers(size) for size in kernel.shape) for _ in range(20)]
    for index in indices:
        up, down = kernel.astype(float), kernel.astype(float)
        up[index] += 1e-5
        down[index] -= 1e-5
        assert of_kernel[index] == pytest.approx((loop(x, up, bias) - loop(x, down, bias)) / 2e-5, abs=1e-3)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "mixed_float16", "mixed_bfloat16"])
def test_it_computes_in_half_precision(dtype):
    x = RANDOM.normal(size=(2, 5, 5, 4)).astype("float32")
    exact = built({"filters": 3, "kernel_size": 3, "padding": "same"}, x.shape)
    rough = built({"filters": 3, "kernel_size": 3, "padding": "same", "dtype": dtype}, x.shape)
    rough.set_weights(exact.get_weights())
    y = rough(x)
    assert keras.backend.standardize_dtype(y.dtype) == dtype.removeprefix("mixed_")
    np.testing.assert_allclose(numpy_of(y), numpy_of(exact(x)), rtol=0.05, atol=0.2)


def test_positions_have_own_initial_weights_by_fan_in():
    layer = LocallyConnected2D(16, 3, kernel_initializer=keras.initializers.HeNormal(seed=1))
    layer.build((None, 12, 12, 8))
    kernel = numpy_of(layer.kernel)
    assert len({position.tobytes() for row in kernel for position in row}) == 100
    assert kernel.std() == pytest.approx((2 / (9 * 8)) ** 0.5, rel=0.02)
    assert not numpy_of(layer.bias).any()


def test_its_connections_and_multiply_adds_are_counted():
    images = keras.Input((6, 5, 2))
    (_, row) = profile_model(keras.Model(images, LocallyConnected2D(4, 3)(images)))
    positions, window = 4 * 3, 3 * 3 * 2
    assert row.output_shape == (4, 3, 4) and row.weights == row.multiply_adds == positions * window * 4
    assert row.parameters == row.connections == positions * (window + 1) * 4
    assert row.receptive_field == 3


def test_it_is_saved_and_loaded(tmp_path):
    images = keras.Input((6, 7, 2))
    layer = LocallyConnected2D(3, (3, 2), 2, "same", "relu", "lecun_normal", keras.initializers.Constant(0.5))
    model = keras.Model(images, layer(images))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[1].get_config() == layer.get_config()
    x = RANDOM.normal(size=(2, 6, 7, 2)).astype("float32")
    np.testing.assert_array_equal(numpy_of(model(x)), numpy_of(loaded(x)))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"filters": 0}, r"filters must be a positive integer; got 0"),
        ({"filters": 2.5}, r"filters must be a positive integer"),
        ({"kernel_size": (3, 0)}, r"kernel_size must be .* got \(3, 0\)"),
        ({"strides": -1}, "strides must be .* got -1"),
        ({"padding": "causal"}, "padding must be .* got 'causal'"),
    ],
)
def test_bad_arguments_raise_errors_with_their_value(options, message):
    with pytest.raises(ValueError, match=message):
        LocallyConnected2D(**{"filters": 2, "kernel_size": 3, **options})


@pytest.mark.parametrize(
    "shape, message",
    [
        ((None, 2, 5, 3), r"got kernel_size \(3, 3\) and an input of \(2, 5\)"),
        ((None, None, 5, 3), "inputs must be of known size"),
        ((None, 5, 5, None), "inputs must be of known size"),
    ],
)
def test_inputs_that_do_not_fit_raise_errors(shape, message):
    with pytest.raises(ValueError, match=message):
        LocallyConnected2D(2, 3).build(shape)
