"""Inception blocks with 3x3 and 5x5 convolutions: GoogLeNet's, and the batch-normalized one of 2015."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras.layers import Activation, AveragePooling2D, BatchNormalization, Concatenate, Conv2D, MaxPooling2D

from layers.arguments import Initializer

register = keras.saving.register_keras_serializable(package="layers")


def conv_bn_relu(
    x: keras.KerasTensor,
    filters: int,
    kernel_size: int | tuple[int, int],
    strides: int = 1,
    padding: str = "same",
    *,
    name: str,
    scale: bool = True,
    kernel_initializer: Initializer = "glorot_uniform",
    dtype: keras.DTypePolicy | str | None = None,
) -> keras.KerasTensor:
    """Apply a convolution without biases, batch normalization (epsilon 0.001) and ReLU.

    Args:
        x: Tensor (batch, height, width, channels).
        filters: Number of output channels.
        kernel_size: Height and width of the kernel.
        strides: Stride in both directions.
        padding: "same" or "valid".
        name: Name of the convolution, and prefix of the other two layers' names, "_bn" and "_relu".
        scale: Whether the normalization has a gamma, which the ReLU and the next layer make redundant.
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
    return Activation("relu", dtype=dtype, name=f"{name}_relu")(x)


class InceptionBlock(keras.layers.Layer):
    """Parallel branches over one input, whose outputs are concatenated. Subclasses define them in `connect`.

    The block contains a functional model, so that each convolution is a layer with a name: `block.layers` lists them,
    and `model.summary(expand_nested=True)` shows them.

    Args:
        branch_filters: Number of filters of the convolutions that the papers' tables give, by argument name.
        kernel_initializer: Initializer of all kernels.
        scale: Whether batch normalization, in blocks that have it, has a gamma.
        **kwargs: Arguments of `keras.layers.Layer`.

    Attributes:
        batch_normalization: Whether batch normalization follows each convolution.
        inner: The functional model, once the block is built.

    Raises:
        ValueError: If a number of filters is not positive.
    """

    batch_normalization = True

    def __init__(
        self,
        branch_filters: Mapping[str, int],
        kernel_initializer: Initializer = "glorot_uniform",
        scale: bool = True,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        for name, filters in branch_filters.items():
            if filters < 1:
                raise ValueError(f"{name} must be a positive number of filters; got {filters}")
        self.branch_filters = branch_filters
        self.scale = scale
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
        """Apply a convolution and ReLU, with batch normalization between them in blocks that have it."""
        initializer = keras.initializers.get(dict(self.kernel_initializer))
        if self.batch_normalization:
            return conv_bn_relu(
                x, filters, kernel_size, strides, padding,
                name=name, scale=self.scale, kernel_initializer=initializer, dtype=self.dtype_policy,
            )  # fmt: skip
        return Conv2D(
            filters, kernel_size, strides, padding,
            activation="relu", kernel_initializer=initializer, dtype=self.dtype_policy, name=name,
        )(x)  # fmt: skip

    def pool(self, x: keras.KerasTensor, kind: str, strides: int = 1, padding: str = "same") -> keras.KerasTensor:
        """Apply 3x3 pooling of the kind "max" or "average"."""
        layer = MaxPooling2D if kind == "max" else AveragePooling2D
        return layer(3, strides, padding, dtype=self.dtype_policy, name="pool")(x)

    def concatenate(self, *branches: keras.KerasTensor, name: str = "output") -> keras.KerasTensor:
        """Concatenate the channels of several branches."""
        return Concatenate(dtype=self.dtype_policy, name=name)(list(branches))


# --- GoogLeNet: Szegedy et al. 2014, Figure 2 and Table 1


@register
class NaiveInception(InceptionBlock):
    """Naive Inception block: Szegedy et al. 2014, Figure 2(a).

    Input shape: (batch, height, width, channels). Output shape: (batch, height, width, n1x1 + n3x3 + n5x5 + channels).

    Args:
        n1x1: Filters of the 1x1 convolution.
        n3x3: Filters of the 3x3 convolution.
        n5x5: Filters of the 5x5 convolution.
        **kwargs: Further arguments of `InceptionBlock`.
    """

    batch_normalization = False

    def __init__(self, n1x1: int, n3x3: int, n5x5: int, **kwargs: Any) -> None:
        super().__init__({"n1x1": n1x1, "n3x3": n3x3, "n5x5": n5x5}, **kwargs)

    def connect(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Connect the four branches."""
        return self.concatenate(
            self.conv(x, self.branch_filters["n1x1"], 1, "1x1"),
            self.conv(x, self.branch_filters["n3x3"], 3, "3x3"),
            self.conv(x, self.branch_filters["n5x5"], 5, "5x5"),
            self.pool(x, "max"),
        )


@register
class InceptionV1(InceptionBlock):
    """Inception block with dimension reductions: Szegedy et al. 2014, Figure 2(b). The arguments are a row of Table 1.

    Input shape: (batch, height, width, channels). Output shape: (batch, height, width, n1x1 + n3x3 + n5x5 + pool_proj).

    Args:
        n1x1: Filters of the 1x1 convolution.
        n3x3_reduce: Filters of the 1x1 convolution before the 3x3.
        n3x3: Filters of the 3x3 convolution.
        n5x5_reduce: Filters of the 1x1 convolution before the 5x5.
        n5x5: Filters of the 5x5 convolution.
        pool_proj: Filters of the 1x1 convolution after the pooling.
        **kwargs: Further arguments of `InceptionBlock`.
    """

    batch_normalization = False

    def __init__(
        self, n1x1: int, n3x3_reduce: int, n3x3: int, n5x5_reduce: int, n5x5: int, pool_proj: int, **kwargs: Any
    ) -> None:
        branch_filters = {
            "n1x1": n1x1, "n3x3_reduce": n3x3_reduce, "n3x3": n3x3,
            "n5x5_reduce": n5x5_reduce, "n5x5": n5x5, "pool_proj": pool_proj,
        }  # fmt: skip
        super().__init__(branch_filters, **kwargs)

    def connect(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Connect the four branches."""
        filters = self.branch_filters
        reduced3 = self.conv(x, filters["n3x3_reduce"], 1, "3x3_reduce")
        reduced5 = self.conv(x, filters["n5x5_reduce"], 1, "5x5_reduce")
        return self.concatenate(
            self.conv(x, filters["n1x1"], 1, "1x1"),
            self.conv(reduced3, filters["n3x3"], 3, "3x3"),
            self.conv(reduced5, filters["n5x5"], 5, "5x5"),
            self.conv(self.pool(x, "max"), filters["pool_proj"], 1, "pool_proj"),
        )


# --- Batch-normalized Inception: Ioffe and Szegedy 2015, Figure 5


@register
class InceptionBN(InceptionBlock):
    """Batch-normalized Inception block, with two 3x3 convolutions for GoogLeNet's 5x5: Ioffe and Szegedy 2015.

    The arguments are a row of Figure 5. A block with strides 2 has no 1x1 branch, and no convolution after the pooling.

    Input shape: (batch, height, width, channels). Output shape: (batch, height, width, n1x1 + n3x3 + double_3x3 +
    pool_proj), or, with strides 2, (batch, ceil(height / 2), ceil(width / 2), n3x3 + double_3x3 + channels).

    Args:
        n1x1: Filters of the 1x1 convolution; None with strides 2.
        n3x3_reduce: Filters of the 1x1 convolution before the 3x3.
        n3x3: Filters of the 3x3 convolution.
        double_3x3_reduce: Filters of the 1x1 convolution before the two 3x3.
        double_3x3: Filters of each of the two 3x3 convolutions.
        pool: "max" or "average".
        pool_proj: Filters of the 1x1 convolution after the pooling; None with strides 2.
        strides: 1 or 2.
        **kwargs: Further arguments of `InceptionBlock`.

    Raises:
        ValueError: If `strides` do not agree with `n1x1` and `pool_proj`, or `pool` is not one of the two.
    """

    def __init__(
        self,
        n1x1: int | None,
        n3x3_reduce: int,
        n3x3: int,
        double_3x3_reduce: int,
        double_3x3: int,
        pool: str,
        pool_proj: int | None,
        strides: int = 1,
        **kwargs: Any,
    ) -> None:
        if (strides, n1x1 is None, pool_proj is None) not in [(1, False, False), (2, True, True)]:
            raise ValueError(
                "a block with strides 1 needs n1x1 and pool_proj, and one with strides 2 must not have them; "
                f"got strides={strides}, n1x1={n1x1}, pool_proj={pool_proj}"
            )
        if pool not in ("max", "average"):
            raise ValueError(f'pool must be "max" or "average"; got {pool!r}')
        filters = {
            "n1x1": n1x1, "n3x3_reduce": n3x3_reduce, "n3x3": n3x3,
            "double_3x3_reduce": double_3x3_reduce, "double_3x3": double_3x3, "pool_proj": pool_proj,
        }  # fmt: skip
        super().__init__({name: count for name, count in filters.items() if count is not None}, **kwargs)
        self.pool_kind, self.strides = pool, strides

    def connect(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Connect the four branches; with strides 2, three."""
        filters = self.branch_filters
        single = self.conv(x, filters["n3x3_reduce"], 1, "3x3_reduce")
        double = self.conv(x, filters["double_3x3_reduce"], 1, "double_3x3_reduce")
        double = self.conv(double, filters["double_3x3"], 3, "double_3x3_1")
        branches = [
            self.conv(single, filters["n3x3"], 3, "3x3", self.strides),
            self.conv(double, filters["double_3x3"], 3, "double_3x3_2", self.strides),
        ]
        pooled = self.pool(x, self.pool_kind, self.strides)
        if self.strides == 2:
            return self.concatenate(*branches, pooled)
        first = self.conv(x, filters["n1x1"], 1, "1x1")
        return self.concatenate(first, *branches, self.conv(pooled, filters["pool_proj"], 1, "pool_proj"))

    def get_config(self) -> dict[str, object]:
        """Return the arguments of the constructor."""
        own = {"n1x1": None, "pool_proj": None, "pool": self.pool_kind, "strides": self.strides}
        return {**own, **super().get_config()}
