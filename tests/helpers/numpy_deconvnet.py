"""A deconvnet and guided backpropagation in plain numpy, with a loop for every sum; for small networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


def padded_before(size: int, window: int, stride: int, padding: str) -> tuple[int, int]:
    """Rows of padding before the first, and the number of outputs."""
    if padding == "valid":
        return 0, (size - window) // stride + 1
    outputs = -(-size // stride)
    return max((outputs - 1) * stride + window - size, 0) // 2, outputs


@dataclass
class Window:
    """The positions that a window of a convolution or pooling sees."""

    shape: tuple[int, int]
    strides: tuple[int, int]
    padding: str

    def positions(self, image: Sequence[int]):
        """Yield (output row, output column, list of (row in window, column in window, row, column) in the image)."""
        befores = [padded_before(*each, self.padding) for each in zip(image, self.shape, self.strides)]
        (top, rows), (left, columns) = befores
        for i in range(rows):
            for j in range(columns):
                inside = []
                for a in range(self.shape[0]):
                    for b in range(self.shape[1]):
                        y, x = i * self.strides[0] + a - top, j * self.strides[1] + b - left
                        if 0 <= y < image[0] and 0 <= x < image[1]:
                            inside.append((a, b, y, x))
                yield i, j, inside

    def output(self, image: Sequence[int]) -> tuple[int, ...]:
        """Rows and columns of the output."""
        return tuple(padded_before(*each, self.padding)[1] for each in zip(image, self.shape, self.strides))


class Conv:
    """A convolution with ReLU."""

    def __init__(self, kernel: np.ndarray, bias: np.ndarray, strides: tuple[int, int], padding: str) -> None:
        self.kernel, self.bias = kernel, bias
        self.window = Window(kernel.shape[:2], strides, padding)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.image = x.shape
        y = np.zeros((*self.window.output(x.shape[:2]), len(self.bias)))
        for i, j, inside in self.window.positions(x.shape[:2]):
            for f in range(len(self.bias)):
                total = self.bias[f]
                for a, b, row, column in inside:
                    for c in range(x.shape[2]):
                        total += self.kernel[a, b, c, f] * x[row, column, c]
                y[i, j, f] = max(total, 0.0)
        self.y = y
        return y

    def backward(self, signal: np.ndarray, rule: str) -> np.ndarray:
        signal = rectified(signal, self.y, rule)
        found = np.zeros(self.image)
        for i, j, inside in self.window.positions(self.image[:2]):
            for a, b, row, column in inside:
                for f in range(signal.shape[2]):
                    for c in range(self.image[2]):
                        found[row, column, c] += self.kernel[a, b, c, f] * signal[i, j, f]
        return found


class MaxPool:
    """Max pooling that remembers its switches: the first maximum of a window, row by row."""

    def __init__(self, shape: tuple[int, int], strides: tuple[int, int], padding: str) -> None:
        self.window = Window(shape, strides, padding)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.image, self.switches = x.shape, {}
        y = np.zeros((*self.window.output(x.shape[:2]), x.shape[2]))
        for i, j, inside in self.window.positions(x.shape[:2]):
            for c in range(x.shape[2]):
                best = -np.inf
                for _, _, row, column in inside:
                    if x[row, column, c] > best:
                        best = x[row, column, c]
                        self.switches[i, j, c] = row, column
                y[i, j, c] = best
        return y

    def backward(self, signal: np.ndarray, rule: str) -> np.ndarray:
        found = np.zeros(self.image)
        for (i, j, c), (row, column) in self.switches.items():
            found[row, column, c] += signal[i, j, c]
        return found


class FullyConnected:
    """A fully connected layer over everything before it."""

    def __init__(self, kernel: np.ndarray, bias: np.ndarray, relu: bool) -> None:
        self.kernel, self.bias, self.relu = kernel, bias, relu

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.image, flat = x.shape, x.reshape(-1)
        y = np.array([self.bias[u] + sum(self.kernel[:, u] * flat) for u in range(len(self.bias))])
        self.y = np.maximum(y, 0) if self.relu else y
        return self.y

    def backward(self, signal: np.ndarray, rule: str) -> np.ndarray:
        if self.relu:
            signal = rectified(signal, self.y, rule)
        return np.array([sum(self.kernel[n] * signal) for n in range(len(self.kernel))]).reshape(self.image)


def rectified(signal: np.ndarray, output: np.ndarray, rule: str) -> np.ndarray:
    """The signal behind a ReLU, element by element."""
    found = np.zeros_like(signal)
    for index in np.ndindex(signal.shape):
        passes = {
            "deconv": signal[index] > 0,
            "gradient": output[index] > 0,
            "guided": signal[index] > 0 and output[index] > 0,
        }
        found[index] = signal[index] if passes[rule] else 0.0
    return found


def project(network: Sequence, image: np.ndarray, depth: int, channel: int, rule: str) -> np.ndarray:
    """The strongest activation of a map of the layer with this number, projected back to the image."""
    x = image
    for layer in network[: depth + 1]:
        x = layer.forward(x)
    signal = np.zeros_like(x)
    best = max(np.ndindex(x.shape[:-1]), key=lambda position: x[(*position, channel)])
    signal[(*best, channel)] = x[(*best, channel)] if x[(*best, channel)] > 0 else 1.0
    for layer in reversed(network[: depth + 1]):
        signal = layer.backward(signal, rule)
    return signal
