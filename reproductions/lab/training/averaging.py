"""Running averages of batch normalization's moments, in step with the optimizer's running averages of the weights."""

from __future__ import annotations

import keras
import tensorflow as tf

MOMENTS = ("moving_mean", "moving_variance")


class MomentAverages:
    """Running averages of the moving means and variances of batch normalization.

    An optimizer with `use_ema` averages the trainable weights only. The moving moments belong to the weights of the
    last updates, not to averaged ones, so they are averaged by the same rule, as Google's training code does: the
    average starts as the value after the first update, and then is `ema_momentum` times itself plus
    `1 - ema_momentum` times the value after each update.

    Args:
        model: Network.
        optimizer: Its optimizer, built.

    Attributes:
        variables: The averages; none if the optimizer does not average the weights.
    """

    def __init__(self, model: keras.Model, optimizer: keras.Optimizer) -> None:
        # A LossScaleOptimizer leaves averages to the optimizer that it wraps.
        self.optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        averaged = model.non_trainable_variables if self.optimizer.use_ema else []
        self.moments = [variable for variable in averaged if variable.name in MOMENTS]
        self.variables = [
            keras.Variable("zeros", moment.shape, moment.dtype, trainable=False, name=f"average_{moment.name}")
            for moment in self.moments
        ]

    def update(self) -> None:
        """Take in the moments of an update, on a replica, before the optimizer counts the update."""
        for moment, average in zip(self.moments, self.variables):
            momentum = tf.cast(self.optimizer.iterations > 0, average.dtype) * self.optimizer.ema_momentum
            average.assign(momentum * average + (1 - momentum) * moment)

    def overwrite_moments(self) -> None:
        """Set the moments to their averages; on all replicas, to those of the first one."""
        for moment, average in zip(self.moments, self.variables):
            moment.assign(average)
