"""The two towers of AlexNet: convolutions that see only their own tower's maps."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="layers")
class GroupedConv2D(keras.layers.Conv2D):
    """`Conv2D(groups=...)` computed as so many smaller convolutions: Krizhevsky et al. 2012, section 3.5.

    Same arguments, shapes, errors and kernel (h, w, input maps / groups, filters) as Keras' Conv2D, whose
    own grouped convolution trains several times slower on a CPU. Raises ValueError for channels first.
    """

    def build(self, input_shape: Any) -> None:
        if self.data_format != "channels_last":
            raise ValueError(f"data_format must be channels_last; got {self.data_format}")
        super().build(input_shape)

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        if self.groups == 1:
            return super().convolution_op(inputs, kernel)
        towers = zip(ops.split(inputs, self.groups, axis=-1), ops.split(kernel, self.groups, axis=-1))
        return ops.concatenate(
            [
                ops.conv(
                    maps,
                    weights,
                    strides=list(self.strides),
                    padding=self.padding,
                    dilation_rate=self.dilation_rate,
                    data_format=self.data_format,
                )
                for maps, weights in towers
            ],
            axis=-1,
        )
