"""Optimizer of LeNet-5, stochastic diagonal Levenberg-Marquardt: LeCun et al. 1998, appendix C."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="layers")
class StochasticDiagonalLevenbergMarquardt(keras.optimizers.Optimizer):
    """Gradient descent with one learning rate per weight, from an estimate of its curvature.

    The update is `w <- w - learning_rate / (mu + h) * gradient`, where h estimates the second derivative of the loss
    with respect to w and is not negative.

    Args:
        learning_rate: Global learning rate; a float, or a schedule of Keras.
        mu: Positive number that limits the steps of weights with a small curvature; 0.02 in section III-B.
        name: Name of the optimizer.
        **kwargs: Arguments of `keras.optimizers.Optimizer`.

    Attributes:
        curvatures: Variables of the optimizer, one with the shape of each trained variable. They start at zero; the
            training loop sets them before each epoch.

    Raises:
        ValueError: If `mu` is not positive.
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 0.0005,
        mu: float = 0.02,
        name: str = "sdlm",
        **kwargs: object,
    ) -> None:
        if mu <= 0:
            raise ValueError(f"mu must be positive; got {mu}")
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.mu = mu

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Create the curvatures."""
        if self.built:
            return
        super().build(variables)
        self.curvatures = [self.add_variable_from_reference(variable, name="curvature") for variable in variables]

    def update_step(
        self, gradient: keras.KerasTensor, variable: keras.Variable, learning_rate: keras.KerasTensor
    ) -> None:
        """Update one variable."""
        curvature = self.curvatures[self._get_variable_index(variable)]
        rate = ops.cast(learning_rate, variable.dtype) / (self.mu + curvature)
        self.assign_sub(variable, rate * ops.cast(gradient, variable.dtype))

    def get_config(self) -> dict[str, object]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "mu": self.mu}
