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


def window_statistics(pooled: keras.KerasTensor, x: keras.KerasTensor, statistic: str) -> Fact:
    """Compare a pool over windows of 2x2 with a plain loop: the "mean" or "norm" of the window in each map."""
    import numpy as np
    from keras import ops

    found, values = (ops.convert_to_numpy(tensor)[0] for tensor in (pooled, x))
    expected = np.zeros(found.shape)
    for i, j, d in np.ndindex(*found.shape):
        window = values[2 * i : 2 * i + 2, 2 * j : 2 * j + 2, d]
        expected[i, j, d] = window.mean() if statistic == "mean" else np.linalg.norm(window)
    equal = bool(np.allclose(found, expected, atol=1e-5))
    return Fact(equal, f"{expected.size} windows, {'all' if equal else 'not all'} equal")


def average_pooling(evidence: Evidence) -> Fact:
    """Compare Keras' average pool with the mean of each window."""
    from keras import ops

    x = waves(1, 6, 6, 2)
    return window_statistics(ops.average_pool(x, 2), x, "mean")


def l2_norm_pooling(evidence: Evidence) -> Fact:
    """Compare the root of four times the average pool of squares with the L2 norm of each window."""
    from keras import ops

    x = waves(1, 6, 6, 2)
    return window_statistics(ops.sqrt(4 * ops.average_pool(x * x, 2)), x, "norm")


def switches(evidence: Evidence) -> Fact:
    """Route the gradient of a max pool's outputs to the indices kept in the forward pass.

    The result is compared with the gradient by finite differences, for which all inputs are pooled twice.
    """
    import numpy as np
    from keras import ops

    x, upstream, epsilon = waves(4, 4, 2), ops.convert_to_numpy(waves(2, 2, 2)), 1e-2
    values, routed, kept = ops.convert_to_numpy(x), np.zeros((4, 4, 2)), 0
    for i, j, d in np.ndindex(2, 2, 2):
        row, column = divmod(int(values[2 * i : 2 * i + 2, 2 * j : 2 * j + 2, d].argmax()), 2)  # the switch
        routed[2 * i + row, 2 * j + column, d] = upstream[i, j, d]
        kept += 1
    steps = ops.reshape(epsilon * ops.eye(values.size), (values.size, *values.shape))
    above, below = (ops.convert_to_numpy(ops.max_pool(x + sign * steps, 2)) for sign in (1, -1))
    gradient = ((above - below) * upstream).sum(axis=(1, 2, 3)).reshape(values.shape) / (2 * epsilon)
    equal = bool(np.allclose(routed, gradient, atol=1e-3))
    return Fact(equal, f"{kept} switches, gradients of {values.size} inputs {'' if equal else 'not all '}equal")


def no_true_max(evidence: Evidence) -> Fact:
    """Compare a max pool and a convolution of a sum of two inputs with the sum of their outputs.

    A convolution is additive whatever its weights, and a max is not. With ReLU its output is not negative, whereas the
    max of negative inputs is.
    """
    from keras import ops

    one, other, kernel = waves(1, 6, 6, 2), ops.flip(waves(1, 6, 6, 2), axis=1), waves(2, 2, 2, 3)
    off = {}
    for name, operation in (
        ("max pool", lambda x: ops.max_pool(x, 2)),
        ("convolution", lambda x: ops.conv(x, kernel, strides=2)),
    ):
        off[name] = float(ops.max(ops.abs(operation(one) + operation(other) - operation(one + other))))
    negative = -2 - one
    smallest = float(ops.min(ops.relu(ops.conv(negative, kernel, strides=2))))
    largest = float(ops.max(ops.max_pool(negative, 2)))
    holds = off["convolution"] < 1e-4 < 1e-2 < off["max pool"] and largest < 0 <= smallest
    found = "a convolution is additive, and with ReLU not negative"
    return Fact(holds, f"{found}; a max pool differs from additive by up to {off['max pool']:.2f}, and may be negative")
