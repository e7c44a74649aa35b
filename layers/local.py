"""Locally connected layers: convolutions whose weights are not shared between places (cuda-convnet's `type=local`)."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from layers.lenet import pair


@keras.saving.register_keras_serializable(package="layers")
class LocallyConnected2D(keras.layers.Layer):
    """`Conv2D` with a kernel and biases of its own at every place of the output.

    Shapes: (batch, height, width, maps) to (batch, height', width', filters), as of Keras' Conv2D with the same
    arguments; height and width must be known. Parameters: a kernel (height', width', h, w, maps, filters) and biases
    (height', width', filters). Every place starts as a convolution would, by a fan-in of h * w * maps. Source:
    cuda-convnet, the code that Krizhevsky et al. 2012 name in section 3.3, whose biases are not shared either.

    Args:
        filters: output maps. kernel_size, strides: whole numbers, or one for height and one for width.
        padding: "valid", or "same", where a place beyond the edge counts as zero.

    Raises ValueError for sizes that are not positive, another padding, an input of unknown size, and a kernel larger
    than the input.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        activation: Any = None,
        kernel_initializer: Any = "he_normal",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=4)
        if not hasattr(filters, "__index__") or filters < 1:
            raise ValueError(f"filters must be a positive integer; got {filters!r}")
        self.filters = operator.index(filters)
        self.kernel_size, self.strides = pair(kernel_size, "kernel_size"), pair(strides, "strides")
        if padding not in ("valid", "same"):
            raise ValueError(f'padding must be "valid" or "same"; got {padding!r}')
        self.padding = padding
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        places, maps = self.compute_output_shape(input_shape)[1:3], input_shape[-1]
        if None in (*places, maps):
            raise ValueError(f"inputs must be of known size, as every place has weights of its own; got {input_shape}")
        shape = (*places, *self.kernel_size, maps, self.filters)
        self.kernel = self.add_weight(shape=shape, initializer=self.starting_kernels, name="kernel")
        self.bias = self.add_weight(shape=(*places, self.filters), initializer=self.bias_initializer, name="bias")

    def starting_kernels(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """All places' kernels as one wide kernel, drawn with the fan-in of a place, and then handed out."""
        rows, columns, *window, filters = shape
        wide = self.kernel_initializer((*window, rows * columns * filters), dtype=dtype)
        return ops.transpose(ops.reshape(wide, (*window, rows, columns, filters)), (3, 4, 0, 1, 2, 5))

    @property
    def weights_per_place(self) -> int:
        """Weights that the outputs of one place are made of."""
        return math.prod(self.kernel.shape[2:])

    @property
    def connections_per_place(self) -> int:
        """Connections into one place of all maps: an input or a bias each."""
        return self.weights_per_place + self.filters

    def margins(self, sizes: Sequence[int]) -> list[tuple[int, int]]:
        """Zeros before and after the rows and the columns of an input, as Keras pads: an odd one comes after."""
        if self.padding == "valid":
            return [(0, 0), (0, 0)]
        lacking = [
            max((-(-size // stride) - 1) * stride + window - size, 0)
            for size, stride, window in zip(sizes, self.strides, self.kernel_size)
        ]
        return [(zeros // 2, zeros - zeros // 2) for zeros in lacking]

    def fields(self, inputs: Any) -> Any:
        """What each place sees, row by row of its window: (height', width', batch, h * w * maps)."""
        padded = ops.pad(ops.transpose(inputs, (1, 2, 0, 3)), [*self.margins(inputs.shape[1:3]), (0, 0), (0, 0)])
        rows, columns = ((places - 1) * stride + 1 for places, stride in zip(self.bias.shape, self.strides))
        size = (rows, columns, *ops.shape(padded)[2:])
        # `ops.slice`, and indices for strides alone: TensorFlow takes three times as long for the gradient of an index.
        seen = [ops.slice(padded, (*corner, 0, 0), size) for corner in itertools.product(*map(range, self.kernel_size))]
        if self.strides != (1, 1):
            seen = [part[:: self.strides[0], :: self.strides[1]] for part in seen]
        return ops.concatenate(seen, axis=-1)

    def call(self, inputs: Any) -> Any:
        kernel = ops.reshape(self.kernel, (*self.bias.shape[:2], -1, self.filters))
        outputs = ops.transpose(ops.matmul(self.fields(inputs), kernel), (2, 0, 1, 3))
        return self.activation(outputs + self.bias)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        batch, *image, _ = input_shape
        if self.padding == "valid":
            if any(size is not None and size < window for size, window in zip(image, self.kernel_size)):
                raise ValueError(f"a kernel of {self.kernel_size} does not fit an input of {tuple(image)}")
            image = [size and size - window + 1 for size, window in zip(image, self.kernel_size)]
        height, width = (size and -(-size // stride) for size, stride in zip(image, self.strides))
        return batch, height, width, self.filters

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
