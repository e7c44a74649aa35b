"""Local response normalization: Krizhevsky et al. 2012, section 3.3, with its closed-form gradient."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


def windowed_sum(x: Any, window: int, axis: int) -> Any:
    """Sums over `window` neighbours (odd) along an axis, fewer at its ends; same shape."""
    half, size = window // 2, x.shape[axis]
    before = [(0, 0)] * len(x.shape)
    before[axis] = (half, half)
    padded = ops.pad(x, before)
    if size is None:
        size = ops.shape(x)[axis]
    index: list[Any] = [slice(None)] * len(x.shape)
    total = None
    for start in range(window):
        index[axis] = slice(start, start + size)
        part = padded[tuple(index)]
        total = part if total is None else total + part
    return total


@keras.saving.register_keras_serializable(package="layers")
class LocalResponseNormalization(keras.layers.Layer):
    """b_i = a_i / (k + alpha * sum of a_j^2 over the n neighbours of i) ^ beta.

    Shapes: any rank from (batch, channels) up, in and out alike. The neighbours are n adjacent channels
    (`across="channels"`, the paper's), or a window of n places in every spatial direction of the same
    channel (`across="space"`, cuda-convnet's other kind); there are fewer at the ends.

    Args:
        n: neighbours, odd, itself included. k, alpha, beta: as in the paper; k and beta positive.
        average: whether alpha is divided by the size of the window, as Caffe and cuda-convnet do.
        data_format: "channels_last", "channels_first", or None for Keras' own setting.

    Computed in float32 at least: squares overflow float16 from 256 up.
    Raises ValueError for an n that is even, and for a k, alpha or beta out of range.
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
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not hasattr(n, "__index__") or isinstance(n, bool) or n < 1 or n % 2 == 0:
            raise ValueError(f"n must be a positive odd integer, to be centred on its place; got {n}")
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

    def call(self, inputs: Any) -> Any:
        kept = keras.backend.standardize_dtype(inputs.dtype)
        if "float" not in kept:
            kept = self.compute_dtype
        exact = ops.cast(inputs, "float64" if kept == "float64" else "float32")
        return ops.cast(self.normalize(exact), kept)

    def neighbours(self, x: Any) -> Any:
        """The sum of x over the window of each place."""
        for axis in self.window_axes(len(x.shape)):
            x = windowed_sum(x, self.n, axis)
        return x

    def window_axes(self, rank: int) -> list[int]:
        channel = rank - 1 if self.data_format == "channels_last" else 1
        return [channel] if self.across == "channels" else [axis for axis in range(1, rank) if axis != channel]

    def normalize(self, x: Any) -> Any:
        alpha = self.alpha / self.n ** len(self.window_axes(len(x.shape))) if self.average else self.alpha

        # dL/dx = g s^-beta - 2 alpha beta x * neighbours(g x s^-(beta + 1)): the window is symmetric.
        @ops.custom_gradient
        def normalized(x: Any) -> Any:
            scale = self.k + alpha * self.neighbours(ops.square(x))
            factor = self.power(scale)

            def gradient(*args: Any, upstream: Any = None) -> Any:
                slope = args[0] if upstream is None else upstream
                spread = self.neighbours(slope * x * factor / scale)
                return slope * factor - (2 * alpha * self.beta) * x * spread

            return x * factor, gradient

        return normalized(x)

    def power(self, scale: Any) -> Any:
        """scale ** -beta; roots for the paper's 0.75, which cost a third of a power."""
        if math.isclose(self.beta, 0.75):
            root = ops.rsqrt(scale)
            return root * ops.sqrt(root)
        return ops.power(scale, -self.beta)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        names = ("n", "k", "alpha", "beta", "across", "average", "data_format")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
