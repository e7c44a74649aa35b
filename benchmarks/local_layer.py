"""A locally connected layer by `ops.slice`, places first, against indices and an einsum: a ratio of times.

    python benchmarks/local_layer.py

Forward and backward, compiled, at the shape of local3 of AlexNet's four-layer network, taking turns; prints the
median ratio.
"""

import os
import statistics

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from keras import ops
from partial_convolution import seconds, step_of

import layers

ROUNDS, STEPS = 7, 5


class ByIndices(layers.LocallyConnected2D):
    """The same, for a window of 3, stride 1 and padding "same", as one would first write it."""

    def call(self, inputs):
        height, width = inputs.shape[1:3]
        padded = ops.pad(inputs, [(0, 0), (1, 1), (1, 1), (0, 0)])
        parts = [padded[:, top : top + height, left : left + width] for top in range(3) for left in range(3)]
        kernel = ops.reshape(self.kernel, (height, width, -1, self.filters))
        return self.activation(ops.einsum("bijs,ijsf->bijf", ops.concatenate(parts, axis=-1), kernel) + self.bias)


def main() -> None:
    images = tf.random.stateless_normal((128, 6, 6, 64), seed=(1, 2))
    steps = [step_of(kind(64, 3, padding="same"), images) for kind in (layers.LocallyConnected2D, ByIndices)]
    ratios = [seconds(steps[0], STEPS) / seconds(steps[1], STEPS) for _ in range(ROUNDS)]
    print(f"slices / indices: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
