"""Locally connected layer: a convolution that does not share its weights between positions."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Sequence

import keras
from keras import ops

from layers.arguments import Activation, Initializer, check_fits, pair


@keras.saving.register_keras_serializable(package="layers")
class LocallyConnected2D(keras.layers.Layer):
    """`keras.layers.Conv2D` with a separate kernel and separate biases at each output position.

    The kernel has the shape (height', width', h, w, channels, filters), the biases (height', width', filters). Source:
    `type=local` of cuda-convnet, the code that Krizhevsky et al. 2012 cite in section 3.3; it does not share biases
    either.

    Input shape: (batch, height, width, channels), of known height, width and channels. Output shape: (batch, height',
    width', filters), as of `keras.layers.Conv2D` with the same arguments.

    Args:
        filters: Number of output channels.
        kernel_size: Height and width of the kernels: an integer, or a pair of integers.
        strides: Vertical and horizontal stride: an integer, or a pair of integers.
        padding: "valid", or "same" to pad with zeros as Keras does.
        activation: Activation function; by default none.
        kernel_initializer: Initializer of the kernels, with a fan-in of h * w * channels at each position.
        bias_initializer: Initializer of the biases.
        **kwargs: Arguments of `keras.layers.Layer`.

    Raises:
        ValueError: If `filters`, `kernel_size` or `strides` is not positive, `padding` is not one of the two, the input
            is of unknown size, or the kernel is larger than the input.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        activation: Activation = None,
        kernel_initializer: Initializer = "he_normal",
        bias_initializer: Initializer = "zeros",
        **kwargs: object,
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
        """Create the kernel and biases."""
        positions, channels = self.compute_output_shape(input_shape)[1:3], input_shape[-1]
        if None in (*positions, channels):
            raise ValueError(f"inputs must be of known size, as each position has its own weights; got {input_shape}")
        shape = (*positions, *self.kernel_size, channels, self.filters)
        self.kernel = self.add_weight(shape=shape, initializer=self._initial_kernel, name="kernel")
        self.bias = self.add_weight(shape=(*positions, self.filters), initializer=self.bias_initializer, name="bias")

    def _initial_kernel(self, shape: Sequence[int], dtype: str | None = None) -> keras.KerasTensor:
        """Return the kernels of all positions, drawn as one wide kernel with the fan-in of a position."""
        rows, columns, *window, filters = shape
        wide = self.kernel_initializer((*window, rows * columns * filters), dtype=dtype)
        return ops.transpose(ops.reshape(wide, (*window, rows, columns, filters)), (3, 4, 0, 1, 2, 5))

    @property
    def weights_per_position(self) -> int:
        """Weights of one output position, all filters together."""
        return math.prod(self.kernel.shape[2:])

    @property
    def connections_per_position(self) -> int:
        """Connections into one output position, all filters together: one per weight and bias."""
        return self.weights_per_position + self.filters

    def _padding_sizes(self, image: Sequence[int]) -> list[tuple[int, int]]:
        """Return the zeros before and after the rows and columns; as in Keras, an odd one comes after."""
        if self.padding == "valid":
            return [(0, 0), (0, 0)]
        totals = [
            max((-(-size // stride) - 1) * stride + window - size, 0)
            for size, stride, window in zip(image, self.strides, self.kernel_size)
        ]
        return [(total // 2, total - total // 2) for total in totals]

    def _patches(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return the window of each position, (height', width', batch, h * w * channels)."""
        padding = [*self._padding_sizes(inputs.shape[1:3]), (0, 0), (0, 0)]
        padded = ops.pad(ops.transpose(inputs, (1, 2, 0, 3)), padding)
        rows, columns = ((positions - 1) * stride + 1 for positions, stride in zip(self.bias.shape, self.strides))
        size = (rows, columns, *ops.shape(padded)[2:])
        # `ops.slice`, and indexing for strides only: TensorFlow's gradient of indexing is three times as slow.
        offsets = itertools.product(*map(range, self.kernel_size))
        slices = [ops.slice(padded, (*offset, 0, 0), size) for offset in offsets]
        if self.strides != (1, 1):
            slices = [each[:: self.strides[0], :: self.strides[1]] for each in slices]
        return ops.concatenate(slices, axis=-1)

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return the feature maps."""
        kernel = ops.reshape(self.kernel, (*self.bias.shape[:2], -1, self.filters))
        outputs = ops.transpose(ops.matmul(self._patches(inputs), kernel), (2, 0, 1, 3))
        return self.activation(outputs + self.bias)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the output shape for an input shape."""
        batch, *image, _ = input_shape
        if self.padding == "valid":
            check_fits(self.kernel_size, image, "kernel_size")
            image = [size and size - window + 1 for size, window in zip(image, self.kernel_size)]
        height, width = (size and -(-size // stride) for size, stride in zip(image, self.strides))
        return batch, height, width, self.filters

    def get_config(self) -> dict[str, object]:
        """Return the arguments of the constructor."""
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
