"""Layer arithmetic: output sizes, parameter counts and receptive fields."""

from __future__ import annotations

import math
from collections.abc import Sequence


def require_at_least(minimum: int, **numbers: int) -> None:
    """Raise ValueError, with the name of the number, for a number below the minimum."""
    for name, value in numbers.items():
        if value < minimum:
            raise ValueError(f"{name} must be at least {minimum}; got {value}")


def output_size(input_size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    """Return the output size of a convolution or pool along one axis: (W - F + 2P) / S + 1.

    Args:
        input_size: Input size W in pixels, at least 1.
        kernel_size: Window size F in pixels, at least 1.
        stride: Stride S in pixels, at least 1.
        padding: Padding P in pixels at each end, at least 0.

    Raises:
        ValueError: If a number is out of range, the window is larger than the padded input, or the result is not a
            whole number.
    """
    require_at_least(1, input_size=input_size, kernel_size=kernel_size, stride=stride)
    require_at_least(0, padding=padding)
    room = input_size - kernel_size + 2 * padding
    formula = f"({input_size} - {kernel_size} + 2*{padding})/{stride} + 1"
    if room < 0:
        raise ValueError(
            f"a window of {kernel_size} does not fit an input of {input_size} with padding {padding}: {formula}"
        )
    if room % stride:
        raise ValueError(f"{formula} = {room / stride + 1:g} is not a whole number: change the stride or the padding")
    return room // stride + 1


def convolution_parameters(kernel_size: int, channels: int, filters: int, use_bias: bool = True) -> int:
    """Return the number of parameters of a convolution: F * F * D1 * K weights and K biases.

    Args:
        kernel_size: Side F of the square window, at least 1.
        channels: Input channels D1, at least 1.
        filters: Filters K, at least 1.
        use_bias: Whether the biases are counted.

    Raises:
        ValueError: If a number is out of range.
    """
    require_at_least(1, kernel_size=kernel_size, channels=channels, filters=filters)
    return kernel_size * kernel_size * channels * filters + (filters if use_bias else 0)


def stacked_receptive_field(kernel_sizes: Sequence[int], strides: Sequence[int] | None = None) -> int:
    """Return the receptive field of stacked layers, in pixels along one axis: 7 for three 3x3 layers of stride 1.

    Args:
        kernel_sizes: Window size of each layer, first layer first.
        strides: Stride of each layer; 1 by default.

    Raises:
        ValueError: If the lengths differ or a number is out of range.
    """
    steps = [1] * len(kernel_sizes) if strides is None else list(strides)
    if len(steps) != len(kernel_sizes):
        raise ValueError(
            f"expected one stride for each kernel size; got {len(kernel_sizes)} kernel sizes and {len(steps)} strides"
        )
    for kernel_size, stride in zip(kernel_sizes, steps):
        require_at_least(1, kernel_size=kernel_size, stride=stride)
    return 1 + sum((size - 1) * math.prod(steps[:number]) for number, size in enumerate(kernel_sizes))
