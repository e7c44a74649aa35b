"""Layers of LeCun et al. 1989, Backpropagation Applied to Handwritten Zip Code Recognition."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops

from layers.arguments import Activation, Initializer

register = keras.saving.register_keras_serializable(package="layers")


@register
class ConstantPadding2D(keras.layers.ZeroPadding2D):
    """`keras.layers.ZeroPadding2D` with another constant than zero.

    Source: the section on the network's architecture, where the plane is surrounded by a background of -1.

    Args:
        padding: Rows and columns to add, as of `keras.layers.ZeroPadding2D`.
        value: Value of the added elements.
        **kwargs: Arguments of `keras.layers.ZeroPadding2D`.
    """

    def __init__(self, padding: int | Sequence[object] = 1, value: float = 0.0, **kwargs: object) -> None:
        super().__init__(padding, **kwargs)
        self.value = float(value)

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return the padded images."""
        first = self.data_format == "channels_first"
        paddings = ((0, 0), (0, 0), *self.padding) if first else ((0, 0), *self.padding, (0, 0))
        return ops.pad(inputs, paddings, constant_values=self.value)

    def get_config(self) -> dict[str, object]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "value": self.value}


@register
class UnitBias(keras.layers.Layer):
    """A trainable bias for each unit, also of feature maps whose units share all other weights.

    Each output is `activation(input + bias)`. Source: layers H1 and H2 in the section on the network's architecture.

    Input shape: (batch, ...), of known size but for the batch. Output shape: that of the input.

    Args:
        activation: Activation function; by default none.
        bias_initializer: Initializer of the biases.
        **kwargs: Arguments of `keras.layers.Layer`.

    Raises:
        ValueError: If the input is of unknown size, or has nothing but a batch.
    """

    def __init__(
        self, activation: Activation = None, bias_initializer: Initializer = "zeros", **kwargs: object
    ) -> None:
        super().__init__(**kwargs)
        self.activation = keras.activations.get(activation)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the biases."""
        units = tuple(input_shape[1:])
        if not units or None in units:
            raise ValueError(f"inputs must be of known size, as each unit has its own bias; got {tuple(input_shape)}")
        self.bias = self.add_weight(shape=units, initializer=self.bias_initializer, name="bias")

    @property
    def connections_per_position(self) -> int:
        """Connections into one output position, all channels together: a bias for each."""
        return int(self.bias.shape[-1])

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return the outputs of the units."""
        return self.activation(inputs + self.bias)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the output shape for an input shape."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, object]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
