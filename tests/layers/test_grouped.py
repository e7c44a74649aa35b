"""Grouped convolution, compared with Keras' own."""

import keras
import numpy as np
import pytest
from keras import ops

from layers import GroupedConv2D
from tests.helpers.gradients import finite_differences, gradient

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("groups, strides, padding", [(2, 1, "same"), (2, 2, "valid"), (3, 1, "valid"), (1, 1, "same")])
def test_grouped_convolution_is_keras_own(groups, strides, padding):
    x = RANDOM.normal(size=(2, 7, 9, 6)).astype("float32")
    arguments = dict(filters=6, kernel_size=3, strides=strides, padding=padding, groups=groups, activation="relu")
    layer, reference = GroupedConv2D(**arguments), keras.layers.Conv2D(**arguments)
    reference.build(x.shape)
    layer.build(x.shape)
    layer.set_weights(reference.get_weights())
    assert layer.kernel.shape == (3, 3, 6 // groups, 6)
    expected = ops.convert_to_numpy(reference(x))
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, atol=1e-5)
    assert layer.compute_output_shape(x.shape) == expected.shape


def test_a_group_sees_only_its_own_channels():
    layer = GroupedConv2D(4, 1, groups=2, use_bias=False)
    x = np.zeros((1, 1, 1, 4), "float32")
    x[..., :2] = 1
    y = ops.convert_to_numpy(layer(x))[0, 0, 0]
    assert np.abs(y[:2]).min() > 0 and np.abs(y[2:]).max() == 0


def test_grouped_convolution_gradient():
    layer = GroupedConv2D(4, 2, groups=2)
    x = RANDOM.normal(size=(1, 3, 3, 4)).astype("float32")
    layer.build(x.shape)
    kernel = np.asarray(ops.convert_to_numpy(layer.kernel), np.float64)

    def loop(x):
        y = np.zeros((1, 2, 2, 4))
        for i, j, f in np.ndindex(2, 2, 4):
            group = slice(0, 2) if f < 2 else slice(2, 4)
            y[0, i, j, f] = (x[0, i : i + 2, j : j + 2, group] * kernel[..., f]).sum()
        return np.sin(y).sum()

    computed = gradient(lambda x: ops.sum(ops.sin(layer(x))), x)
    np.testing.assert_allclose(computed, finite_differences(loop, x), atol=1e-4)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "mixed_bfloat16"])
def test_grouped_convolution_in_half_precision(dtype):
    x = RANDOM.normal(size=(1, 4, 4, 4)).astype("float32")
    exact = GroupedConv2D(4, 3, groups=2, kernel_initializer="ones")(x)
    rough = GroupedConv2D(4, 3, groups=2, kernel_initializer="ones", dtype=dtype)(x)
    np.testing.assert_allclose(
        ops.convert_to_numpy(ops.cast(rough, "float32")), ops.convert_to_numpy(exact), rtol=0.05, atol=0.1
    )


def test_grouped_convolution_is_saved_and_loaded(tmp_path):
    images = keras.Input((5, 5, 4))
    model = keras.Model(images, GroupedConv2D(6, 3, groups=2)(images))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    x = RANDOM.normal(size=(1, 5, 5, 4)).astype("float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(model(x)), ops.convert_to_numpy(loaded(x)))


def test_groups_that_do_not_divide_raise_errors():
    with pytest.raises(ValueError):
        GroupedConv2D(5, 3, groups=2)
    with pytest.raises(ValueError):
        GroupedConv2D(6, 3, groups=2).build((None, 4, 4, 5))


def test_channels_first_raises_an_error():
    layer = GroupedConv2D(4, 3, groups=2, data_format="channels_first")
    with pytest.raises(ValueError, match="data_format must be channels_last; got channels_first"):
        layer.build((None, 4, 4, 4))
