"""Types and checks of the arguments that several layers take."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence

import keras

Activation = str | Callable[[keras.KerasTensor], keras.KerasTensor] | None
Initializer = str | Mapping[str, object] | keras.initializers.Initializer


def pair(value: int | Sequence[int], name: str) -> tuple[int, int]:
    """Return a height and a width.

    Args:
        value: One positive integer for both, or two of them.
        name: Name of the argument, for the error message.

    Raises:
        ValueError: If `value` is anything else.
    """
    try:
        height, width = (operator.index(size) for size in (value if isinstance(value, Sequence) else (value, value)))
    except (TypeError, ValueError):
        height = width = 0
    if height < 1 or width < 1:
        raise ValueError(f"{name} must be a positive integer or a pair of positive integers; got {value!r}")
    return height, width


def check_fits(window: tuple[int, int], image: Sequence[int | None], name: str) -> None:
    """Check that a window is not larger than the image it slides over.

    Args:
        window: Height and width of the window.
        image: Height and width of the image, None if unknown.
        name: Name of the window's argument, for the error message.

    Raises:
        ValueError: If the window is higher or wider than the image.
    """
    if any(size is not None and size < side for size, side in zip(image, window)):
        raise ValueError(f"{name} must not exceed the input; got {name} {window} and an input of {tuple(image)}")
