"""Local response normalization, compared with a plain loop."""

import keras
import numpy as np
import pytest
from keras import ops

from layers import LocalResponseNormalization
from tests.helpers.gradients import finite_differences, gradient

RANDOM = np.random.default_rng(0)


def lrn_loop(x, n=5, k=2.0, alpha=1e-4, beta=0.75, across="channels", average=False, channel=-1):
    """The formula of section 3.3, one element at a time, in float64."""
    x = np.moveaxis(np.asarray(x, np.float64), channel, -1)
    y, half = np.empty_like(x), n // 2
    for index in np.ndindex(x.shape):
        if across == "channels":
            window = x[index[:-1]][max(0, index[-1] - half) : index[-1] + half + 1]
            size = n
        else:
            slices = tuple(slice(max(0, p - half), p + half + 1) for p in index[1:-1])
            window = x[(index[0], *slices, index[-1])]
            size = n ** (x.ndim - 2)
        scale = alpha / size if average else alpha
        y[index] = x[index] / (k + scale * (window**2).sum()) ** beta
    return np.moveaxis(y, -1, channel)


CASES = [
    ({}, (2, 4, 5, 7)),
    ({"n": 1}, (2, 3)),
    ({"n": 7, "k": 1.0, "alpha": 0.5, "beta": 0.5}, (3, 4)),
    ({"n": 9, "alpha": 0.1}, (2, 3, 4)),
    ({"alpha": 0.1}, (1, 2, 300)),
    ({"alpha": 0.3, "average": True, "beta": 0.6}, (1, 3, 3, 6)),
    ({"n": 3, "alpha": 0.3, "across": "space"}, (2, 4, 5, 3)),
    ({"n": 3, "alpha": 0.3, "across": "space", "average": True, "k": 1.0}, (1, 2, 3, 4, 2)),
]


@pytest.mark.parametrize("options, shape", CASES)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_lrn_is_the_formula(options, shape, data_format):
    x = (3 * RANDOM.normal(size=shape)).astype("float32")
    layer = LocalResponseNormalization(**options, data_format=data_format)
    channel = -1 if data_format == "channels_last" else 1
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), lrn_loop(x, **options, channel=channel), rtol=1e-5)
    assert layer.compute_output_shape(shape) == shape


@pytest.mark.parametrize("options, shape", [case for case in CASES if np.prod(case[1]) < 100])
def test_lrn_s_closed_form_is_the_gradient(options, shape):
    x = RANDOM.normal(size=shape).astype("float32")
    layer = LocalResponseNormalization(**options)
    computed = gradient(lambda x: ops.sum(ops.sin(3 * layer(x))), x)
    expected = finite_differences(lambda x: np.sin(3 * lrn_loop(x, **options)).sum(), x)
    np.testing.assert_allclose(computed, expected, atol=1e-4)


def test_channels_at_the_ends_have_fewer_neighbours():
    y = ops.convert_to_numpy(LocalResponseNormalization(n=3, k=1.0, alpha=1.0, beta=1.0)(np.ones((1, 4), "float32")))
    np.testing.assert_allclose(y, [[1 / 3, 1 / 4, 1 / 4, 1 / 3]])


def test_average_is_caffe_s_convention():
    x = RANDOM.normal(size=(2, 8)).astype("float32")
    ours = LocalResponseNormalization(alpha=0.2)(x)
    caffe = LocalResponseNormalization(alpha=1.0, average=True)(x)
    np.testing.assert_allclose(ops.convert_to_numpy(ours), ops.convert_to_numpy(caffe), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "mixed_float16", "mixed_bfloat16"])
def test_lrn_is_finite_in_half_precision_for_large_inputs(dtype):
    x = np.array([[1e4, -1e4, 3.0, 0.0, 1e4, 1.0]], "float32")
    y = LocalResponseNormalization(dtype=dtype)(x)
    assert keras.backend.standardize_dtype(y.dtype) == dtype.removeprefix("mixed_")
    np.testing.assert_allclose(ops.convert_to_numpy(ops.cast(y, "float32")), lrn_loop(x), rtol=0.02)


def test_lrn_for_any_image_size_is_saved_and_loaded(tmp_path):
    images = keras.Input((None, None, 6))
    layer = LocalResponseNormalization(n=3, k=1.5, alpha=0.1, beta=0.6, average=True)
    model = keras.Model(images, LocalResponseNormalization(n=3, across="space")(layer(images)))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[1].get_config() == layer.get_config()
    for shape in (1, 3, 5, 6), (2, 7, 4, 6):
        x = RANDOM.normal(size=shape).astype("float32")
        np.testing.assert_array_equal(ops.convert_to_numpy(model(x)), ops.convert_to_numpy(loaded(x)))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"n": 4}, "n must be a positive odd integer, to be centred on a channel; got 4"),
        ({"n": -1}, "got -1"),
        ({"k": 0}, "got k=0"),
        ({"beta": -0.1}, "beta=-0.1"),
        ({"across": "maps"}, "got 'maps'"),
        ({"data_format": "nhwc"}, "got 'nhwc'"),
    ],
)
def test_bad_arguments_raise_errors_with_their_value(options, message):
    with pytest.raises(ValueError, match=message):
        LocalResponseNormalization(**options)
