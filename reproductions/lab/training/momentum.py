"""SGD with momentum in place."""

from __future__ import annotations

import keras
import tensorflow as tf

from reproductions.lab.spec.recipe import KerasObject


class InPlaceSGD(keras.optimizers.SGD):
    """SGD that updates velocities and weights in place, by TensorFlow's kernel, to the same bits.

    Keras' computes new velocities beside the old ones, which takes twice the memory of the weights for a while, and
    leaves the velocities in another place after each update, where they split the memory for large arrays.
    """

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Update a variable and its velocity."""
        if not self.momentum:
            super().update_step(gradient, variable, learning_rate)
            return
        velocity = self.momentums[self._get_variable_index(variable)].value
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle,
            accum=velocity.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
            momentum=self.momentum,
            use_nesterov=self.nesterov,
        )


def create_optimizer(description: KerasObject) -> keras.Optimizer:
    """Return a recipe's optimizer."""
    optimizer = keras.optimizers.get(dict(description))
    return InPlaceSGD.from_config(optimizer.get_config()) if type(optimizer) is keras.optimizers.SGD else optimizer
