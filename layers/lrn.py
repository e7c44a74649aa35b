"""Local response normalization with its closed-form gradient: Krizhevsky et al. 2012, section 3.3."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence

import keras
from keras import ops

# Arguments of the layer in networks of Caffe.
CAFFE_CONSTANTS = {"k": 1.0, "average": True}
# Over up to this many channels a product with a band matrix takes less time than adding shifted copies
# (benchmarks/normalization_and_towers.py).
WIDEST_BAND = 256


def band(size: int, half: int) -> keras.KerasTensor:
    """Return the matrix (size, size) that is 1 up to `half` places from the diagonal, and 0 elsewhere."""
    places = ops.arange(size)
    return ops.abs(places[:, None] - places) <= half


def windowed_sum(x: keras.KerasTensor, window: int, axis: int, weight: float = 1.0) -> keras.KerasTensor:
    """Sum over a centred window along one axis.

    Args:
        x: Tensor of any shape.
        window: Odd number of elements in the window, including the element itself.
        axis: Axis along which the window slides, not negative.
        weight: What the sum is multiplied by.

    Returns:
        Tensor with the shape and dtype of `x`. Windows are truncated at both ends of the axis.
    """
    half, size = window // 2, x.shape[axis]
    if axis == len(x.shape) - 1 and size is not None and size <= WIDEST_BAND:
        return ops.matmul(x, weight * ops.cast(band(size, half), x.dtype))
    padding = [(0, 0)] * len(x.shape)
    padding[axis] = (half, half)
    padded = ops.pad(x, padding)
    if size is None:
        size = ops.shape(x)[axis]

    def shifted(start: int) -> keras.KerasTensor:
        index = [slice(None)] * len(x.shape)
        index[axis] = slice(start, start + size)
        return padded[tuple(index)]

    total = functools.reduce(operator.add, map(shifted, range(window)))
    return total if weight == 1 else weight * total


@keras.saving.register_keras_serializable(package="layers")
class LocalResponseNormalization(keras.layers.Layer):
    """Local response normalization, `x / (k + alpha * sum(x ** 2 over a window)) ** beta`.

    The window is n adjacent channels at the same position, as in the paper (`across="channels"`), or n positions in
    each spatial direction of the same channel, as in cuda-convnet's other kind of normalization (`across="space"`).
    Windows are truncated at the ends. It computes in float32 at least: squares overflow float16 from 256 upwards.

    Input shape: (batch, ..., channels) of any rank from 2 upwards. Output shape: that of the input.

    Args:
        n: Odd width of the window, including the element itself.
        k: Positive constant.
        alpha: Scale of the sum; not negative.
        beta: Positive exponent.
        across: "channels" or "space".
        average: Whether alpha is divided by the size of the window, as in Caffe and cuda-convnet.
        data_format: "channels_last", "channels_first", or None for the setting of Keras.
        **kwargs: Arguments of `keras.layers.Layer`.

    Raises:
        ValueError: If n is even, or an argument is out of its range.
    """

    def __init__(
        self,
        n: int = 5,
        k: float = 2.0,
        alpha: float = 1e-4,
        beta: float = 0.75,
        across: str = "channels",
        average: bool = False,
        data_format: str | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        if not hasattr(n, "__index__") or isinstance(n, bool) or n < 1 or n % 2 == 0:
            raise ValueError(f"n must be a positive odd integer, to be centred on a channel; got {n}")
        if not (k > 0 and beta > 0 and alpha >= 0):
            raise ValueError(
                f"k and beta must be positive and alpha not negative; got k={k}, alpha={alpha}, beta={beta}"
            )
        if across not in ("channels", "space"):
            raise ValueError(f'across must be "channels" or "space"; got {across!r}')
        if data_format not in (None, "channels_last", "channels_first"):
            raise ValueError(f'data_format must be "channels_last" or "channels_first"; got {data_format!r}')
        self.n, self.k, self.alpha, self.beta = operator.index(n), float(k), float(alpha), float(beta)
        self.across, self.average = across, average
        self.data_format = data_format or keras.config.image_data_format()

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return the normalized inputs."""
        dtype = keras.backend.standardize_dtype(inputs.dtype)
        if "float" not in dtype:
            dtype = self.compute_dtype
        exact = ops.cast(inputs, "float64" if dtype == "float64" else "float32")
        return ops.cast(self._normalize(exact), dtype)

    def _window_axes(self, rank: int) -> list[int]:
        """Return the axes along which the window extends."""
        channel = rank - 1 if self.data_format == "channels_last" else 1
        return [channel] if self.across == "channels" else [axis for axis in range(1, rank) if axis != channel]

    def _window_sum(self, x: keras.KerasTensor, weight: float) -> keras.KerasTensor:
        """Return the sum of x over the window of each element, times a weight."""
        *others, last = self._window_axes(len(x.shape))
        for axis in others:
            x = windowed_sum(x, self.n, axis)
        return windowed_sum(x, self.n, last, weight)

    def _normalize(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Return the normalized x, with the closed form of the gradient."""
        alpha = self.alpha / self.n ** len(self._window_axes(len(x.shape))) if self.average else self.alpha

        # With s the scale below, y the output, g the upstream gradient and W the sum over a window, which is symmetric:
        # dL/dx = g s^-beta - 2 alpha beta x W(g y / s).
        @ops.custom_gradient
        def normalized(x: keras.KerasTensor) -> object:
            scale = self.k + self._window_sum(ops.square(x), alpha)
            factor = self._power(scale)
            y = x * factor

            def gradient(*args: keras.KerasTensor, upstream: keras.KerasTensor | None = None) -> keras.KerasTensor:
                g = args[0] if upstream is None else upstream
                return g * factor - x * self._window_sum(g * y / scale, 2 * alpha * self.beta)

            return y, gradient

        return normalized(x)

    def _power(self, scale: keras.KerasTensor) -> keras.KerasTensor:
        """Return `scale ** -beta`; for the paper's 0.75 by square roots, which take a third of the time."""
        if math.isclose(self.beta, 0.75):
            root = ops.rsqrt(scale)
            return root * ops.sqrt(root)
        return ops.power(scale, -self.beta)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the output shape for an input shape."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, object]:
        """Return the arguments of the constructor."""
        names = ("n", "k", "alpha", "beta", "across", "average", "data_format")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
