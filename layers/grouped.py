"""Grouped convolution, for the two towers of AlexNet: Krizhevsky et al. 2012, section 3.5 and Figure 2."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="layers")
class GroupedConv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D` with `groups` computed as separate, smaller convolutions.

    Arguments, shapes, errors and the kernel (h, w, channels // groups, filters) are those of `keras.layers.Conv2D`,
    whose own grouped convolution trains several times more slowly on a CPU.

    Raises:
        ValueError: If `data_format` is not "channels_last".
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the kernel and biases."""
        if self.data_format != "channels_last":
            raise ValueError(f"data_format must be channels_last; got {self.data_format}")
        super().build(input_shape)

    def convolution_op(self, inputs: keras.KerasTensor, kernel: keras.KerasTensor) -> keras.KerasTensor:
        """Return the outputs of all groups, concatenated, before biases and activation."""
        if self.groups == 1:
            return super().convolution_op(inputs, kernel)
        outputs = [
            ops.conv(
                group_inputs,
                group_kernel,
                strides=list(self.strides),
                padding=self.padding,
                dilation_rate=self.dilation_rate,
                data_format=self.data_format,
            )
            for group_inputs, group_kernel in zip(
                ops.split(inputs, self.groups, axis=-1), ops.split(kernel, self.groups, axis=-1)
            )
        ]
        return ops.concatenate(outputs, axis=-1)
