"""The layer arithmetic of the lecture, for sizes that fit, and a clear error for those that do not."""

from __future__ import annotations

import math
from collections.abc import Sequence


def at_least(least: int, **numbers: int) -> None:
    """ValueError, naming it, for a number that is less."""
    for name, value in numbers.items():
        if value < least:
            raise ValueError(f"{name} must be at least {least}; got {value}")


def output_size(size: int, field: int, stride: int = 1, padding: int = 0) -> int:
    """(W - F + 2P) / S + 1: places of a window of `field` pixels along an input of `size` pixels.

    Raises ValueError for numbers out of range, a window larger than the padded input, and a stride that
    does not come out even.
    """
    at_least(1, size=size, field=field, stride=stride)
    at_least(0, padding=padding)
    room = size - field + 2 * padding
    formula = f"({size} - {field} + 2*{padding})/{stride} + 1"
    if room < 0:
        raise ValueError(f"a window of {field} does not fit an input of {size} with padding {padding}: {formula}")
    if room % stride:
        raise ValueError(f"{formula} = {room / stride + 1:g} is no whole number: change stride or padding")
    return room // stride + 1


def convolution_parameters(field: int, maps: int, filters: int, bias: bool = True) -> int:
    """F * F * D1 * K weights, and K biases: the lecture's "To summarize, the Conv Layer". ValueError below 1."""
    at_least(1, field=field, maps=maps, filters=filters)
    return field * field * maps * filters + (filters if bias else 0)


def stacked_receptive_field(fields: Sequence[int], strides: Sequence[int] | None = None) -> int:
    """The receptive field of layers one on the other: three 3x3 of stride 1 see 7. ValueError for unequal lengths."""
    steps = [1] * len(fields) if strides is None else list(strides)
    if len(steps) != len(fields):
        raise ValueError(f"each layer has a field and a stride; got {len(fields)} fields and {len(steps)} strides")
    for field, step in zip(fields, steps):
        at_least(1, field=field, stride=step)
    return 1 + sum((field - 1) * math.prod(steps[:number]) for number, field in enumerate(fields))
