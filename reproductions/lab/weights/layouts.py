"""From the layouts of other libraries to that of Keras."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Convert = Callable[..., np.ndarray]
EPSILON = 0.001  # of batch normalization in the networks of this suite


def unchanged(values: np.ndarray) -> np.ndarray:
    """Return the values."""
    return values


def bias(values: np.ndarray) -> np.ndarray:
    """Return a bias (..., n) as (n,): Caffe's old files have dimensions of one before it."""
    return values.reshape(values.shape[-1])


def convolution(values: np.ndarray) -> np.ndarray:
    """Return a kernel (filters, channels, height, width) as (height, width, channels, filters)."""
    return values.transpose(2, 3, 1, 0)


def bgr_convolution(values: np.ndarray) -> np.ndarray:
    """Return a kernel for images in BGR, (filters, 3, height, width), as one for RGB, (height, width, 3, filters)."""
    return convolution(values[:, ::-1])


def reversed_colours(values: np.ndarray) -> np.ndarray:
    """Return a kernel (height, width, 3, filters) for images in BGR as one for RGB."""
    return values[:, :, ::-1]


def dense(values: np.ndarray) -> np.ndarray:
    """Return a matrix (..., units, inputs) as (inputs, units); Caffe's old files have two dimensions of one before."""
    return values.reshape(values.shape[-2:]).T


def dense_after_flatten(height: int, width: int) -> Convert:
    """Return a conversion of a matrix whose inputs are (channels, height, width), flattened, to Keras' order.

    Args:
        height: Height of the feature maps.
        width: Their width.
    """

    def convert(values: np.ndarray) -> np.ndarray:
        units = values.shape[-2]
        return values.reshape(units, -1, height, width).transpose(2, 3, 1, 0).reshape(-1, units)

    return convert


def dense_of_convolution(values: np.ndarray) -> np.ndarray:
    """Return a convolution over the whole feature maps, (units, channels, height, width), as (inputs, units)."""
    return convolution(values).reshape(-1, values.shape[0])


def scaled(values: np.ndarray, gamma: np.ndarray) -> np.ndarray:
    """Return the moving mean of a batch normalization whose gamma is moved into the convolution before it.

    gamma * (w x - mean) / sqrt(var + epsilon) = ((gamma w) x - gamma * mean) / sqrt(var + epsilon), for any gamma.

    Args:
        values: Moving means (filters,).
        gamma: Scales (filters,).
    """
    return values * gamma


def scaled_convolution(values: np.ndarray, gamma: np.ndarray) -> np.ndarray:
    """Return a kernel (filters, channels, height, width) as (height, width, channels, filters), times gamma (filters,).

    See `scaled`.
    """
    return convolution(values) * gamma


def product(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return the gamma of a normalization that is followed by another scale."""
    return values * scale


def scaled_and_shifted(values: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Return the beta of a normalization that is followed by another scale and shift."""
    return values * scale + shift


def variance(epsilon: float) -> Convert:
    """Return a conversion of the moving variance of a normalization with another epsilon than ours, `EPSILON`.

    The sum of the two remains, so that very small variances become negative.
    """

    def convert(values: np.ndarray) -> np.ndarray:
        return values.astype(np.float64) + epsilon - EPSILON

    return convert
