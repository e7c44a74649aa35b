"""Activation functions."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="layers")
def scaled_tanh(x: keras.KerasTensor) -> keras.KerasTensor:
    """Scaled hyperbolic tangent, `1.7159 * tanh(2 / 3 * x)`.

    It maps 1 to 1 and -1 to -1. Source: LeCun et al. 1998, section II-B, Eq. 6.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor with the shape and dtype of `x`.
    """
    return 1.7159 * ops.tanh(x * (2 / 3))
