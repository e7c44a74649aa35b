"""LeNet-5's own optimizer, stochastic diagonal Levenberg-Marquardt: LeCun et al. 1998, appendix C."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="layers")
class StochasticDiagonalLevenbergMarquardt(keras.optimizers.Optimizer):
    """w <- w - learning_rate / (mu + h) * gradient, with a curvature h of each parameter's own.

    `curvatures` are variables of the optimizer, one of the same shape beside each that is trained: estimates of the
    second derivative of the loss along each parameter, not negative, which whoever trains sets before each pass. They
    start at zero. `mu` keeps steps from growing where a curvature is small; the paper's is 0.02 (section III-B).
    Raises ValueError unless mu is positive.
    """

    def __init__(self, learning_rate: Any = 0.0005, mu: float = 0.02, name: str = "sdlm", **kwargs: Any) -> None:
        if mu <= 0:
            raise ValueError(f"mu must be positive; got {mu}")
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.mu = mu

    def build(self, variables: Sequence[Any]) -> None:
        if self.built:
            return
        super().build(variables)
        self.curvatures = [self.add_variable_from_reference(variable, name="curvature") for variable in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        curvature = self.curvatures[self._get_variable_index(variable)]
        rate = ops.cast(learning_rate, variable.dtype) / (self.mu + curvature)
        self.assign_sub(variable, rate * ops.cast(gradient, variable.dtype))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mu": self.mu}
