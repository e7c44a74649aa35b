"""Weight initializers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras


@keras.saving.register_keras_serializable(package="layers")
class FanInUniform(keras.initializers.RandomUniform):
    """Uniform between `-bound / fan_in` and `bound / fan_in`.

    The fan-in of a weight is the product of all dimensions of its shape but the last, as of Keras' kernels. Source:
    LeCun et al. 1998, appendix A, where the bound is 2.4.

    Args:
        bound: Positive number.
        seed: Integer or `keras.random.SeedGenerator`; by default a random seed.

    Raises:
        ValueError: If `bound` is not positive.
    """

    def __init__(self, bound: float = 2.4, seed: int | keras.random.SeedGenerator | None = None) -> None:
        if bound <= 0:
            raise ValueError(f"bound must be positive; got {bound}")
        super().__init__(minval=-bound, maxval=bound, seed=seed)
        self.bound = bound

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> keras.KerasTensor:
        """Return initial values of this shape."""
        return super().__call__(shape, dtype=dtype) / math.prod(shape[:-1])

    def get_config(self) -> dict[str, object]:
        """Return the arguments of the constructor."""
        return {"bound": self.bound, "seed": super().get_config()["seed"]}
