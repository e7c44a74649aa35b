"""Time of a locally connected layer built from `ops.slice` relative to one built from indexing and an einsum.

    python benchmarks/local_layer.py

Times compiled forward and backward steps at the shape of local3 in AlexNet's four-layer CIFAR-10 network, alternating
between the two layers.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from keras import ops
from timing import Claim, alternating, compiled_step

import layers

ROUNDS, STEPS = 7, 5
CLAIM = Claim(
    "Locally connected layer",
    "Time of a locally connected layer at AlexNet's local3 for CIFAR-10, forward and backward",
    "one built from indexing",
)


class IndexedLocallyConnected2D(layers.LocallyConnected2D):
    """Straightforward implementation for a window of 3, stride 1 and padding "same"."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the activations of a batch of feature maps."""
        height, width = inputs.shape[1:3]
        padded = ops.pad(inputs, [(0, 0), (1, 1), (1, 1), (0, 0)])
        shifted = [padded[:, top : top + height, left : left + width] for top in range(3) for left in range(3)]
        kernel = ops.reshape(self.kernel, (height, width, -1, self.filters))
        return self.activation(ops.einsum("bijs,ijsf->bijf", ops.concatenate(shifted, axis=-1), kernel) + self.bias)


def main() -> None:
    """Record the ratio."""
    images = tf.random.stateless_normal((128, 6, 6, 64), seed=(1, 2))
    sliced = compiled_step(layers.LocallyConnected2D(64, 3, padding="same"), images)
    indexed = compiled_step(IndexedLocallyConnected2D(64, 3, padding="same"), images)
    CLAIM.record(alternating(sliced, indexed, ROUNDS, STEPS))


if __name__ == "__main__":
    main()
