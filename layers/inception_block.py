"""What all Inception blocks share: parallel branches, and the convolution with batch normalization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
from keras.layers import Activation, AveragePooling2D, BatchNormalization, Concatenate, Conv2D, MaxPooling2D

from layers.arguments import Initializer


def conv_bn_relu(
    x: keras.KerasTensor,
    filters: int,
    kernel_size: int | tuple[int, int],
    strides: int = 1,
    padding: str = "same",
    *,
    name: str,
    scale: bool = True,
    activation: str = "relu",
    kernel_initializer: Initializer = "glorot_uniform",
    dtype: keras.DTypePolicy | str | None = None,
) -> keras.KerasTensor:
    """Apply a convolution without biases, batch normalization (epsilon 0.001) and ReLU or another activation.

    Args:
        x: Tensor (batch, height, width, channels).
        filters: Number of output channels.
        kernel_size: Height and width of the kernel.
        strides: Stride in both directions.
        padding: "same" or "valid".
        name: Name of the convolution, and prefix of the other two layers' names, "_bn" and "_relu".
        scale: Whether the normalization has a gamma, which a ReLU and the next layer make redundant.
        activation: Name of a Keras activation, and suffix of the third layer's name.
        kernel_initializer: Initializer of the kernel.
        dtype: Data type or dtype policy of the layers.

    Returns:
        Tensor (batch, height', width', filters).
    """
    x = Conv2D(
        filters,
        kernel_size,
        strides,
        padding,
        use_bias=False,
        kernel_initializer=kernel_initializer,
        dtype=dtype,
        name=name,
    )(x)
    x = BatchNormalization(scale=scale, epsilon=0.001, dtype=dtype, name=f"{name}_bn")(x)
    return Activation(activation, dtype=dtype, name=f"{name}_{activation}")(x)


class InceptionBlock(keras.layers.Layer):
    """Parallel branches over one input, whose outputs are concatenated. Subclasses define them in `connect`.

    The block contains a functional model, so that each convolution is a layer with a name: `block.layers` lists them,
    and `model.summary(expand_nested=True)` shows them.

    Args:
        branch_filters: Number of filters of the convolutions that the papers' tables give, by argument name.
        kernel_initializer: Initializer of all kernels.
        scale: Whether batch normalization, if there is any, has a gamma.
        batch_normalization: Whether batch normalization follows each convolution, which then has no biases.
        activation: Name of the Keras activation of all convolutions.
        **kwargs: Arguments of `keras.layers.Layer`.

    Attributes:
        inner: The functional model, once the block is built.

    Raises:
        ValueError: If a number of filters is not positive.
    """

    def __init__(
        self,
        branch_filters: Mapping[str, int],
        kernel_initializer: Initializer = "glorot_uniform",
        scale: bool = True,
        batch_normalization: bool = True,
        activation: str = "relu",
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        for name, filters in branch_filters.items():
            if filters < 1:
                raise ValueError(f"{name} must be a positive number of filters; got {filters}")
        self.branch_filters = branch_filters
        self.scale = scale
        self.batch_normalization = batch_normalization
        self.activation = activation
        # Kept as a description: convolutions that share an initializer object would start with equal weights.
        self.kernel_initializer = keras.initializers.serialize(keras.initializers.get(kernel_initializer))

    def connect(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Return the output of the block for an input (batch, height, width, channels)."""
        raise NotImplementedError

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the layers of all branches."""
        inputs = keras.Input(input_shape[1:], dtype=self.compute_dtype)
        self.inner = keras.Model(inputs, self.connect(inputs), name=self.name)

    @property
    def layers(self) -> list[keras.layers.Layer]:
        """Layers of all branches; none before the block is built."""
        return self.inner.layers if hasattr(self, "inner") else []

    def call(self, inputs: keras.KerasTensor, training: bool | None = None) -> keras.KerasTensor:
        """Return the concatenated outputs of the branches."""
        return self.inner(inputs, training=training)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the output shape for an input shape."""
        if not hasattr(self, "inner"):
            self.build(input_shape)
            self.built = True
        return self.inner.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, object]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            **self.branch_filters,
            "scale": self.scale,
            "batch_normalization": self.batch_normalization,
            "activation": self.activation,
            "kernel_initializer": self.kernel_initializer,
        }

    def conv(
        self,
        x: keras.KerasTensor,
        filters: int,
        kernel_size: int | tuple[int, int],
        name: str,
        strides: int = 1,
        padding: str = "same",
    ) -> keras.KerasTensor:
        """Apply a convolution and the activation, with batch normalization between them in blocks that have it."""
        initializer = keras.initializers.get(dict(self.kernel_initializer))
        if self.batch_normalization:
            return conv_bn_relu(
                x, filters, kernel_size, strides, padding,
                name=name, scale=self.scale, activation=self.activation, kernel_initializer=initializer,
                dtype=self.dtype_policy,
            )  # fmt: skip
        return Conv2D(
            filters, kernel_size, strides, padding,
            activation=self.activation, kernel_initializer=initializer, dtype=self.dtype_policy, name=name,
        )(x)  # fmt: skip

    def pool(self, x: keras.KerasTensor, kind: str, strides: int = 1, padding: str = "same") -> keras.KerasTensor:
        """Apply 3x3 pooling of the kind "max" or "average"."""
        layer = MaxPooling2D if kind == "max" else AveragePooling2D
        return layer(3, strides, padding, dtype=self.dtype_policy, name="pool")(x)

    def concatenate(self, *branches: keras.KerasTensor, name: str = "output") -> keras.KerasTensor:
        """Concatenate the channels of several branches."""
        return Concatenate(dtype=self.dtype_policy, name=name)(list(branches))
