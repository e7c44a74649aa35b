"""Layers of LeNet-5: LeCun et al. 1998, sections II-B and II-C."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import keras
from keras import ops

from layers.arguments import Activation, Initializer, check_fits, pair

register = keras.saving.register_keras_serializable(package="layers")


@register
class TrainableSubsampling2D(keras.layers.Layer):
    """Sum over windows that do not overlap, with a trainable coefficient and bias per feature map.

    Each output is `activation(coefficient * sum(window) + bias)`. Source: layers S2 and S4 of section II-B.

    Input shape: (batch, height, width, channels). Output shape: (batch, height // h, width // w, channels) for windows
    of h x w; rows and columns beyond the last complete window are dropped.

    Args:
        pool_size: Height and width of the windows: an integer, or a pair of integers.
        activation: Activation function; by default none.
        coefficient_initializer: Initializer of the coefficients. They are drawn as weights of a unit with h * w inputs.
        bias_initializer: Initializer of the biases.
        **kwargs: Arguments of `keras.layers.Layer`.

    Raises:
        ValueError: If `pool_size` is not positive, or larger than the input.
    """

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        activation: Activation = None,
        coefficient_initializer: Initializer = "layers>FanInUniform",
        bias_initializer: Initializer = "zeros",
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.pool_size = pair(pool_size, "pool_size")
        self.activation = keras.activations.get(activation)
        self.coefficient_initializer = keras.initializers.get(coefficient_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the coefficients and biases."""
        channels = input_shape[-1]
        self.compute_output_shape(input_shape)
        self.coefficient = self.add_weight(
            shape=(channels,), initializer=self._initial_coefficients, name="coefficient"
        )
        self.bias = self.add_weight(shape=(channels,), initializer=self.bias_initializer, name="bias")

    def _initial_coefficients(self, shape: Sequence[int], dtype: str | None = None) -> keras.KerasTensor:
        """Return one weight of each channel's window, drawn as the kernel of a convolution."""
        return self.coefficient_initializer((*self.pool_size, *shape), dtype=dtype)[0, 0]

    @property
    def connections_per_position(self) -> int:
        """Connections into one output position, all channels together: the window's inputs and a bias for each."""
        return int(self.bias.shape[0]) * (math.prod(self.pool_size) + 1)

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return the subsampled feature maps."""
        mean = ops.average_pool(inputs, self.pool_size, self.pool_size, data_format="channels_last")
        return self.activation(mean * (self.coefficient * math.prod(self.pool_size)) + self.bias)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the output shape for an input shape."""
        batch, *image, channels = input_shape
        check_fits(self.pool_size, image, "pool_size")
        height, width = (None if size is None else size // window for size, window in zip(image, self.pool_size))
        return batch, height, width, channels

    def get_config(self) -> dict[str, object]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "activation": keras.activations.serialize(self.activation),
            "coefficient_initializer": keras.initializers.serialize(self.coefficient_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


@register
class PartiallyConnectedConv2D(keras.layers.Layer):
    """Convolution in which each filter sees its own selection of input channels.

    There is no padding. The parameters are an h x w kernel per connection and a bias per filter. Source: layer C3 of
    section II-B, and Table I.

    Input shape: (batch, height, width, channels). Output shape: (batch, height', width', filters), as of
    `keras.layers.Conv2D` with a filter for each row of `connections`.

    Args:
        connections: For each filter the indices of the input channels that it sees.
        kernel_size: Height and width of the kernels: an integer, or a pair of integers.
        strides: Vertical and horizontal stride: an integer, or a pair of integers.
        activation: Activation function; by default none.
        use_bias: Whether filters have biases.
        kernel_initializer: Initializer of the kernels; the fan-in of a filter counts the channels that it sees.
        bias_initializer: Initializer of the biases.
        **kwargs: Arguments of `keras.layers.Layer`.

    Raises:
        ValueError: If `connections` is empty, or has a row that is empty, repeats a channel or names one that the input
            does not have; if `kernel_size` or `strides` is not positive, or `kernel_size` larger than the input.
    """

    def __init__(
        self,
        connections: Sequence[Sequence[int]],
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        activation: Activation = None,
        use_bias: bool = True,
        kernel_initializer: Initializer = "layers>FanInUniform",
        bias_initializer: Initializer = "zeros",
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.connections = tuple(tuple(channels) for channels in connections)
        for row, channels in enumerate(self.connections):
            valid = all(isinstance(channel, int) and channel >= 0 for channel in channels)
            if not channels or not valid or len(set(channels)) != len(channels):
                raise ValueError(
                    f"connections[{row}] must be one or more different input channels, counted from 0; got {channels}"
                )
        if not self.connections:
            raise ValueError("connections must have a row for each filter; got none")
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.kernel_size, self.strides = pair(kernel_size, "kernel_size"), pair(strides, "strides")
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    @property
    def filters(self) -> int:
        """Number of output channels."""
        return len(self.connections)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the kernels and biases."""
        self.compute_output_shape(input_shape)
        numbers = itertools.count()
        indices = {
            (channel, row): next(numbers) for row, channels in enumerate(self.connections) for channel in channels
        }
        # Index of the kernel from each channel to each filter; one past the last if they are not connected.
        self.kernel_indices = [
            [indices.get((channel, row), len(indices)) for row in range(self.filters)]
            for channel in range(input_shape[-1] or 0)
        ]
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, len(indices)), initializer=self._initial_kernels, name="kernel"
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.filters,), initializer=self.bias_initializer, name="bias")

    def _initial_kernels(self, shape: Sequence[int], dtype: str | None = None) -> keras.KerasTensor:
        """Return initial kernels; those of filter j are column j of a dense kernel with the fan-in of filter j."""
        dense_kernels = {
            fan_in: self.kernel_initializer((*self.kernel_size, fan_in, self.filters), dtype=dtype)
            for fan_in in {len(channels) for channels in self.connections}
        }
        return ops.concatenate(
            [dense_kernels[len(channels)][..., row] for row, channels in enumerate(self.connections)], axis=-1
        )

    def _dense_kernel(self) -> keras.KerasTensor:
        """Return the kernels as (h, w, channels, filters), with zeros for pairs that are not connected."""
        kernel = ops.convert_to_tensor(self.kernel)
        count = kernel.shape[-1]
        # A product with zeros and ones is faster than gathering, and much faster than scattering the gradient.
        connected = ops.one_hot(self.kernel_indices, count + 1, dtype=kernel.dtype)[..., :count]
        return ops.tensordot(kernel, connected, axes=[[2], [2]])

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return the feature maps."""
        outputs = ops.conv(inputs, self._dense_kernel(), self.strides, padding="valid", data_format="channels_last")
        return self.activation(outputs if self.bias is None else outputs + self.bias)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the output shape for an input shape."""
        batch, *image, channels = input_shape
        highest = max(map(max, self.connections))
        if channels is None or highest >= channels:
            raise ValueError(
                f"connections must name channels of the input; got channel {highest} of {channels}, from 0"
            )
        check_fits(self.kernel_size, image, "kernel_size")
        height, width = (
            None if size is None else (size - kernel) // stride + 1
            for size, kernel, stride in zip(image, self.kernel_size, self.strides)
        )
        return batch, height, width, self.filters

    def get_config(self) -> dict[str, object]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "connections": self.connections,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


@register
class RBFOutput(keras.layers.Layer):
    """Euclidean radial basis function units: squared distances to fixed centres.

    The penalty of class i is `sum((x - centres[i]) ** 2)`, Eq. 7. The class with the smallest penalty is the answer.

    Input shape: (batch, features). Output shape: (batch, classes).

    Args:
        centres: Array-like of shape (classes, features); weights that are not trained.
        **kwargs: Arguments of `keras.layers.Layer`.

    Raises:
        ValueError: If `centres` are not rows of numbers of equal length, or not as wide as the input.
    """

    def __init__(self, centres: Sequence[Sequence[float]], **kwargs: object) -> None:
        super().__init__(**kwargs)
        try:
            self.centres = tuple(tuple(float(value) for value in row) for row in centres)
        except TypeError:
            raise ValueError(f"centres must be rows of numbers; got {centres!r}") from None
        if not self.centres or not self.centres[0] or len({len(row) for row in self.centres}) != 1:
            raise ValueError(f"centres must be rows of equal length; got lengths {[len(row) for row in self.centres]}")

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the centres."""
        self.compute_output_shape(input_shape)
        self.kernel = self.add_weight(
            shape=(len(self.centres), len(self.centres[0])),
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(self.centres, dtype=dtype),
            trainable=False,
            name="centres",
        )

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return the penalties."""
        return ops.sum(ops.square(ops.expand_dims(inputs, 1) - self.kernel), axis=-1)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the output shape for an input shape."""
        width = len(self.centres[0])
        if len(input_shape) != 2 or input_shape[1] != width:
            raise ValueError(f"inputs must be (batch, {width}), as wide as the centres; got {tuple(input_shape)}")
        return input_shape[0], len(self.centres)

    def get_config(self) -> dict[str, object]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "centres": self.centres}
