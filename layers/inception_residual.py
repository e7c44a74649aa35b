"""Residual Inception block: Inception-ResNet-v1 and v2 (2016)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras.layers import Activation, Add, Conv2D, Rescaling

from layers.inception_factorized import ChainBlock, KernelSize

register = keras.saving.register_keras_serializable(package="layers")


@register
class InceptionResidual(ChainBlock):
    """Inception block that is added to its input: Szegedy et al. 2016, Figures 10, 11, 13, 16, 17 and 19.

    The ends of the chains are concatenated, and a linear 1x1 convolution with biases expands them to the channels of
    the input. These residuals are scaled and added to the input (section 3.3), and ReLU follows.

    Input shape: (batch, height, width, channels). Output shape: the same.

    Args:
        branches: For each chain its (filters, kernel size) pairs.
        residual_scale: Factor of the residuals.
        final_relu: Whether ReLU follows the sum.
        **kwargs: Further arguments of `InceptionBlock`.

    Raises:
        ValueError: If there is no chain, or an empty one, or `residual_scale` is not positive.
    """

    def __init__(
        self,
        branches: Sequence[Sequence[tuple[int, KernelSize]]],
        residual_scale: float = 1.0,
        final_relu: bool = True,
        **kwargs: Any,
    ) -> None:
        if not residual_scale > 0:
            raise ValueError(f"residual_scale must be positive; got {residual_scale}")
        super().__init__(branches, **kwargs)
        self.residual_scale, self.final_relu = residual_scale, final_relu

    def connect(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Connect the chains, the expansion and the sum."""
        residuals = Conv2D(
            x.shape[-1],
            1,
            kernel_initializer=keras.initializers.get(dict(self.kernel_initializer)),
            dtype=self.dtype_policy,
            name="expansion",
        )(self.concatenate(*self.ends(x), name="branches"))
        residuals = Rescaling(self.residual_scale, dtype=self.dtype_policy, name="scaled")(residuals)
        total = Add(dtype=self.dtype_policy, name="sum")([x, residuals])
        return Activation("relu", dtype=self.dtype_policy, name="output")(total) if self.final_relu else total

    def get_config(self) -> dict[str, object]:
        """Return the arguments of the constructor."""
        own = {"residual_scale": self.residual_scale, "final_relu": self.final_relu}
        return {**super().get_config(), **own}
