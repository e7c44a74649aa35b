"""Statements about operations, checked on small inputs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from reproductions.lab.analysis.claims import Evidence
from reproductions.lab.analysis.published import Fact

if TYPE_CHECKING:
    import keras


def waves(*shape: int) -> keras.KerasTensor:
    """Return a tensor of distinct numbers between -1 and 1."""
    from keras import ops

    return ops.reshape(ops.sin(1.7 * ops.arange(math.prod(shape), dtype="float32")), shape)


def convolution_equals_sum(evidence: Evidence) -> Fact:
    """Compare each depth slice of Keras' convolution, at stride 2, with the sum over its filter in a plain loop."""
    import numpy as np
    from keras import ops

    x, kernel, bias = waves(1, 7, 7, 2), waves(3, 3, 2, 4), waves(4)
    convolved = ops.convert_to_numpy(ops.conv(x, kernel, strides=2, padding="valid") + bias)[0]
    x, kernel, bias = (ops.convert_to_numpy(tensor) for tensor in (x[0], kernel, bias))
    summed = np.zeros((3, 3, 4))
    for i, j, d in np.ndindex(3, 3, 4):
        summed[i, j, d] = (x[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] * kernel[..., d]).sum() + bias[d]
    error = float(np.abs(convolved - summed).max())
    return Fact(error < 1e-4, f"{summed.size} places, {'all' if error < 1e-4 else 'not all'} equal")


def pooling_is_per_map(evidence: Evidence) -> Fact:
    """Change the second of three feature maps and count the maps of the max pool's output that change."""
    from keras import ops

    x = waves(1, 4, 4, 3)
    other = x + ops.reshape(ops.convert_to_tensor([0.0, 1.0, 0.0]), (1, 1, 1, 3))
    change = ops.abs(ops.max_pool(other, 2) - ops.max_pool(x, 2))
    changed = [index for index in range(3) if float(ops.max(change[..., index])) > 0]
    return Fact(changed == [1], f"{len(changed)} of 3 maps changes")


def max_pool_gradient(evidence: Evidence) -> Fact:
    """Compute the gradient of the maximum of four numbers: 1 for the largest, 0 for the others.

    The gradient is computed by finite differences.
    """
    from keras import ops

    values, epsilon = (0.3, -0.2, 0.9, 0.1), 1e-2

    def pooled(numbers: Iterable[float]) -> float:
        return float(ops.squeeze(ops.max_pool(ops.reshape(ops.convert_to_tensor(list(numbers)), (1, 2, 2, 1)), 2)))

    def perturbed(index: int) -> Iterator[float]:
        return (value + epsilon * (number == index) for number, value in enumerate(values))

    gradient = [round((pooled(perturbed(index)) - pooled(values)) / epsilon) for index in range(4)]
    expected = [int(value == max(values)) for value in values]
    return Fact(gradient == expected, f"gradient {gradient} at {list(values)}")
