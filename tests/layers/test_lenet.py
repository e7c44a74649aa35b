"""Layers of LeNet-5, compared with float64 loops written from the paper's formulas."""

import keras
import numpy as np
import pytest
from keras import ops

import layers
from reproductions.lenet5 import TABLE_I, digit_centres
from tests.helpers.gradients import finite_differences, gradient

RANDOM = np.random.default_rng(0)


def draw(*shape):
    return RANDOM.normal(size=shape).astype("float32")


def with_weights(layer, input_shape):
    """The layer, built, with random trainable weights."""
    layer.build(input_shape)
    for weight in layer.trainable_weights:
        weight.assign(draw(*weight.shape))
    return layer


def scaled_tanh(a):
    return 1.7159 * np.tanh(2 * a / 3)


def subsampling_loop(x, coefficient, bias, h, w):
    batch, height, width, channels = x.shape
    y = np.zeros((batch, height // h, width // w, channels))
    for b, i, j, m in np.ndindex(y.shape):
        total = 0.0
        for di in range(h):
            for dj in range(w):
                total += float(x[b, i * h + di, j * w + dj, m])
        y[b, i, j, m] = scaled_tanh(float(coefficient[m]) * total + float(bias[m]))
    return y


def partial_sums(x, kernel, bias, table, h, w, strides=(1, 1)):
    batch, height, width, _ = x.shape
    y = np.zeros(
        (batch, len(range(0, height - h + 1, strides[0])), len(range(0, width - w + 1, strides[1])), len(table))
    )
    for b, i, j, row in np.ndindex(y.shape):
        top, left = i * strides[0], j * strides[1]
        total = float(bias[row])
        number = sum(map(len, table[:row]))
        for source in table[row]:
            for di in range(h):
                for dj in range(w):
                    total += float(x[b, top + di, left + dj, source]) * float(kernel[di, dj, number])
            number += 1
        y[b, i, j, row] = total
    return y


def partial_loop(*arguments):
    return scaled_tanh(partial_sums(*arguments))


def rbf_loop(x, centres):
    return np.array([[sum((a - c) ** 2 for a, c in zip(row, centre)) for centre in centres] for row in x])


@pytest.mark.parametrize("pool_size, image", [(2, (4, 6)), (2, (5, 7)), (3, (7, 7)), ((1, 2), (3, 5))])
def test_subsampling_is_the_loop_of_section_2b(pool_size, image):
    layer = with_weights(layers.TrainableSubsampling2D(pool_size, layers.scaled_tanh), (None, *image, 3))
    x = draw(2, *image, 3)
    expected = subsampling_loop(x, np.asarray(layer.coefficient), np.asarray(layer.bias), *layer.pool_size)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, rtol=1e-5, atol=1e-5)
    assert layer.compute_output_shape(x.shape) == expected.shape


TABLES = [TABLE_I, ((0,), (2, 0), (1, 2, 3)), ((5, 4), (0,))]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("kernel_size, image", [(5, (6, 7)), ((1, 3), (3, 4)), (2, (2, 2))])
def test_partial_convolution_sees_the_channels_of_the_table(table, kernel_size, image):
    layer = with_weights(layers.PartiallyConnectedConv2D(table, kernel_size, 1, layers.scaled_tanh), (None, *image, 6))
    x = draw(2, *image, 6)
    expected = partial_loop(x, np.asarray(layer.kernel), np.asarray(layer.bias), table, *layer.kernel_size)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, rtol=1e-4, atol=1e-4)
    assert layer.compute_output_shape(x.shape) == expected.shape


@pytest.mark.parametrize("strides", [2, (1, 3), (4, 2)])
@pytest.mark.parametrize("image", [(5, 5), (6, 7), (9, 8)])
def test_partial_convolution_has_strides_and_may_lack_biases(strides, image):
    layer = layers.PartiallyConnectedConv2D(TABLES[1], 5, strides, layers.scaled_tanh, use_bias=False)
    with_weights(layer, (None, *image, 4))
    x = draw(2, *image, 4)
    (kernel,) = layer.get_weights()
    expected = partial_loop(x, kernel, np.zeros(3), TABLES[1], 5, 5, layer.strides)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, rtol=1e-4, atol=1e-4)
    assert layer.compute_output_shape(x.shape) == expected.shape


def test_filters_are_initialized_by_their_own_fan_in():
    layer = layers.PartiallyConnectedConv2D(TABLE_I, 5)
    layer.build((None, 14, 14, 6))
    kernel, number = np.asarray(layer.kernel), 0
    for channels in TABLE_I:
        own = kernel[..., number : number + len(channels)]
        number += len(channels)
        bound = 2.4 / (25 * len(channels))
        assert 0.8 * bound < np.abs(own).max() <= bound
    assert len(np.unique(kernel)) > 0.99 * kernel.size  # a few of them may be equal in float32


def test_rbf_penalties_are_squared_distances():
    layer = layers.RBFOutput(digit_centres())
    x = draw(3, 84)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), rbf_loop(x, digit_centres()), rtol=1e-5)
    assert layer.compute_output_shape((None, 84)) == (None, 10)
    assert not layer.trainable_weights and layer.count_params() == 840


def test_layer_gradients_by_inputs():
    subsampling = with_weights(layers.TrainableSubsampling2D(2, layers.scaled_tanh), (None, 4, 4, 2))
    partial = with_weights(layers.PartiallyConnectedConv2D(((0, 1), (1,)), 3, 1, layers.scaled_tanh), (None, 4, 4, 2))
    strided = with_weights(layers.PartiallyConnectedConv2D(((0, 1), (1,)), 2, 2, use_bias=False), (None, 5, 4, 2))
    rbf = layers.RBFOutput(RANDOM.normal(size=(3, 5)))
    s, p = [[np.asarray(w) for w in layer.trainable_weights] for layer in (subsampling, partial)]
    (k,) = strided.get_weights()
    cases = [
        (subsampling, draw(1, 4, 4, 2), lambda x: subsampling_loop(x, *s, 2, 2)),
        (partial, draw(1, 4, 4, 2), lambda x: partial_loop(x, *p, ((0, 1), (1,)), 3, 3)),
        (strided, draw(1, 5, 4, 2), lambda x: partial_sums(x, k, [0, 0], ((0, 1), (1,)), 2, 2, (2, 2))),
        (rbf, draw(2, 5), lambda x: rbf_loop(x, rbf.centres)),
    ]
    for layer, x, loop in cases:
        computed = gradient(lambda x, layer=layer: ops.sum(ops.sin(layer(x))), x)
        expected = finite_differences(lambda x, loop=loop: np.sin(loop(x)).sum(), x)
        np.testing.assert_allclose(computed, expected, atol=1e-4, err_msg=layer.name)


def test_layer_gradients_by_weights():
    x = draw(1, 4, 4, 2)
    table = ((0, 1), (1,))
    strided = with_weights(layers.PartiallyConnectedConv2D(table, 2, 2, use_bias=False), x.shape)
    subsampling = with_weights(layers.TrainableSubsampling2D(2, layers.scaled_tanh), x.shape)
    partial = with_weights(layers.PartiallyConnectedConv2D(table, 3, 1, layers.scaled_tanh), x.shape)
    loops = {
        subsampling: lambda c, b: subsampling_loop(x, c, b, 2, 2),
        partial: lambda k, b: partial_loop(x, k, b, table, 3, 3),
        strided: lambda k: partial_sums(x, k, [0, 0], table, 2, 2, (2, 2)),
    }
    for layer, loop in loops.items():
        values = [np.asarray(weight) for weight in layer.trainable_weights]
        for i, value in enumerate(values):

            def computed(v, layer=layer, i=i, values=values):
                weights = [v if n == i else ops.convert_to_tensor(w) for n, w in enumerate(values)]
                return ops.sum(ops.sin(layer.stateless_call(weights, [], x)[0]))

            def plain(v, loop=loop, i=i, values=values):
                return np.sin(loop(*[v if n == i else w for n, w in enumerate(values)])).sum()

            np.testing.assert_allclose(gradient(computed, value), finite_differences(plain, value), atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "bfloat16", "mixed_float16", "float16"])
def test_layers_in_half_precision_stay_near_float32(dtype):
    for make, shape in [
        (lambda dtype: layers.TrainableSubsampling2D(2, layers.scaled_tanh, "ones", dtype=dtype), (2, 4, 4, 3)),
        (
            lambda dtype: layers.PartiallyConnectedConv2D(((0, 2), (1,)), 3, kernel_initializer="ones", dtype=dtype),
            (2, 5, 5, 3),
        ),
        (lambda dtype: layers.RBFOutput(digit_centres(), dtype=dtype), (2, 84)),
    ]:
        x = draw(*shape)
        exact = ops.convert_to_numpy(make("float32")(x))
        half = make(dtype)(x)
        assert keras.backend.standardize_dtype(half.dtype) == dtype.removeprefix("mixed_")
        rough = ops.convert_to_numpy(ops.cast(half, "float32"))
        np.testing.assert_allclose(rough, exact, rtol=0.03, atol=0.15 if "bfloat16" in dtype else 0.02)


def test_layers_are_saved_and_loaded(tmp_path):
    images = keras.Input((9, 8, 3))
    x = layers.PartiallyConnectedConv2D(((0, 1), (2,), (1, 2)), (2, 3), (1, 2), layers.scaled_tanh, False)(images)
    x = layers.TrainableSubsampling2D((2, 1), layers.scaled_tanh)(x)
    x = keras.layers.Flatten()(x)
    model = keras.Model(images, layers.RBFOutput(RANDOM.normal(size=(4, x.shape[-1])))(x))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    sample = draw(2, 9, 8, 3)
    np.testing.assert_array_equal(ops.convert_to_numpy(model(sample)), ops.convert_to_numpy(loaded(sample)))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: layers.TrainableSubsampling2D(0), "pool_size must be a positive integer"),
        (lambda: layers.TrainableSubsampling2D((2, 2, 2)), "pool_size must be"),
        (lambda: layers.TrainableSubsampling2D(5).build((None, 4, 4, 1)), "must not exceed the input"),
        (lambda: layers.PartiallyConnectedConv2D((), 3), "got none"),
        (lambda: layers.PartiallyConnectedConv2D(((0,),), 3, 0), "strides must be a positive integer"),
        (lambda: layers.PartiallyConnectedConv2D(((0,),), 3, layers.scaled_tanh), "strides must be"),
        (lambda: layers.PartiallyConnectedConv2D(((0,), ()), 3), r"connections\[1\]"),
        (lambda: layers.PartiallyConnectedConv2D(((0, 0),), 3), r"connections\[0\]"),
        (lambda: layers.PartiallyConnectedConv2D(((-1,),), 3), "counted from 0"),
        (lambda: layers.PartiallyConnectedConv2D(((3,),), 3).build((None, 8, 8, 3)), "channel 3 of 3"),
        (lambda: layers.PartiallyConnectedConv2D(((0,),), 9).build((None, 8, 8, 3)), "must not exceed the input"),
        (lambda: layers.RBFOutput([]), "rows of equal length"),
        (lambda: layers.RBFOutput([[1, 2], [3]]), r"\[2, 1\]"),
        (lambda: layers.RBFOutput([[1, 2]]).build((None, 3)), "must be"),
    ],
)
def test_bad_arguments_raise_errors_with_their_value(make, message):
    with pytest.raises(ValueError, match=message):
        make()
