"""Inception blocks with 3x3 and 5x5 convolutions: GoogLeNet's, and the batch-normalized one of 2015."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras.layers import Activation, AveragePooling2D, BatchNormalization, Concatenate, Conv2D, MaxPooling2D

register = keras.saving.register_keras_serializable(package="layers")


def conv_bn_relu(
    x: Any,
    filters: int,
    kernel: int | tuple[int, int],
    strides: int = 1,
    padding: str = "same",
    *,
    name: str,
    scale: bool = True,
    kernel_initializer: Any = "glorot_uniform",
    dtype: Any = None,
) -> Any:
    """The unit of every network since batch normalization: (batch, h, w, maps) to (batch, h', w', filters).

    A convolution without bias, batch normalization (epsilon 0.001) and ReLU. `scale` is whether the
    normalization has its gamma, which the ReLU and the next layer make redundant.
    """
    x = Conv2D(
        filters, kernel, strides, padding, use_bias=False, kernel_initializer=kernel_initializer, dtype=dtype, name=name
    )(x)
    x = BatchNormalization(scale=scale, epsilon=0.001, dtype=dtype, name=f"{name}_bn")(x)
    return Activation("relu", dtype=dtype, name=f"{name}_relu")(x)


class Block(keras.layers.Layer):
    """Parallel branches over one input, their outputs side by side. Subclasses say which in `connect`.

    Inside is an ordinary functional model, so that every convolution is a layer with a name: `block.layers`
    lists them, and `summary(expand_nested=True)` shows them.

    Args:
        columns: what the papers' tables print of a block, by name.
        kernel_initializer: of all its convolutions.
        scale: whether batch normalization, where the block has it, has its gamma.
    Raises ValueError for a number of maps that is not positive.
    """

    normalized = True

    def __init__(
        self, columns: dict[str, Any], kernel_initializer: Any = "glorot_uniform", scale: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        for column, value in columns.items():
            if isinstance(value, int) and not isinstance(value, bool) and value < 1:
                raise ValueError(f"{column} must be a positive number of maps; got {value}")
        self.columns = columns
        self.scale = scale
        # Described, and made anew for each convolution: layers that share an initializer would start equal.
        self.kernel_initializer = keras.initializers.serialize(keras.initializers.get(kernel_initializer))

    def connect(self, x: Any) -> Any:
        raise NotImplementedError

    def build(self, input_shape: Sequence[int | None]) -> None:
        inputs = keras.Input(input_shape[1:], dtype=self.compute_dtype)
        self.inner = keras.Model(inputs, self.connect(inputs), name=self.name)

    @property
    def layers(self) -> list[keras.layers.Layer]:
        return self.inner.layers if hasattr(self, "inner") else []

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.inner(inputs, training=training)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        if not hasattr(self, "inner"):
            self.build(input_shape)
            self.built = True
        return self.inner.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **self.columns,
            "scale": self.scale,
            "kernel_initializer": self.kernel_initializer,
        }

    def conv(
        self, x: Any, filters: int, kernel: int | tuple[int, int], name: str, strides: int = 1, padding: str = "same"
    ) -> Any:
        """One of the block's convolutions, with what follows it in this family."""
        start = keras.initializers.get(dict(self.kernel_initializer))
        if self.normalized:
            return conv_bn_relu(
                x, filters, kernel, strides, padding,
                name=name, scale=self.scale, kernel_initializer=start, dtype=self.dtype_policy,
            )  # fmt: skip
        return Conv2D(
            filters, kernel, strides, padding,
            activation="relu", kernel_initializer=start, dtype=self.dtype_policy, name=name,
        )(x)  # fmt: skip

    def pool(self, x: Any, kind: str, strides: int = 1, padding: str = "same") -> Any:
        layer = MaxPooling2D if kind == "max" else AveragePooling2D
        return layer(3, strides, padding, dtype=self.dtype_policy, name="pool")(x)

    def together(self, *branches: Any, name: str = "output") -> Any:
        return Concatenate(dtype=self.dtype_policy, name=name)(list(branches))


# --- GoogLeNet: Szegedy et al. 2014, Figure 2 and Table 1


@register
class NaiveInception(Block):
    """Figure 2(a): (batch, h, w, maps) to (batch, h, w, n1x1 + n3x3 + n5x5 + maps)."""

    normalized = False

    def __init__(self, n1x1: int, n3x3: int, n5x5: int, **kwargs: Any) -> None:
        super().__init__(dict(n1x1=n1x1, n3x3=n3x3, n5x5=n5x5), **kwargs)

    def connect(self, x: Any) -> Any:
        return self.together(
            self.conv(x, self.columns["n1x1"], 1, "1x1"),
            self.conv(x, self.columns["n3x3"], 3, "3x3"),
            self.conv(x, self.columns["n5x5"], 5, "5x5"),
            self.pool(x, "max"),
        )


@register
class InceptionV1(Block):
    """Figure 2(b), a row of Table 1: (batch, h, w, maps) to (batch, h, w, n1x1 + n3x3 + n5x5 + pool_proj)."""

    normalized = False

    def __init__(
        self, n1x1: int, n3x3_reduce: int, n3x3: int, n5x5_reduce: int, n5x5: int, pool_proj: int, **kwargs: Any
    ) -> None:
        columns = dict(
            n1x1=n1x1, n3x3_reduce=n3x3_reduce, n3x3=n3x3, n5x5_reduce=n5x5_reduce, n5x5=n5x5, pool_proj=pool_proj
        )
        super().__init__(columns, **kwargs)

    def connect(self, x: Any) -> Any:
        maps = self.columns
        reduced3 = self.conv(x, maps["n3x3_reduce"], 1, "3x3_reduce")
        reduced5 = self.conv(x, maps["n5x5_reduce"], 1, "5x5_reduce")
        return self.together(
            self.conv(x, maps["n1x1"], 1, "1x1"),
            self.conv(reduced3, maps["n3x3"], 3, "3x3"),
            self.conv(reduced5, maps["n5x5"], 5, "5x5"),
            self.conv(self.pool(x, "max"), maps["pool_proj"], 1, "pool_proj"),
        )


# --- Batch-normalized Inception: Ioffe & Szegedy 2015, Figure 5


@register
class InceptionBN(Block):
    """A row of Figure 5: the 5x5 of GoogLeNet as two 3x3; with `strides=2` no 1x1 and a plain pool.

    (batch, h, w, maps) to (batch, h, w, n1x1 + n3x3 + double_3x3 + pool_proj), or, with strides 2, where
    n1x1 and pool_proj are None, to (batch, h/2, w/2, n3x3 + double_3x3 + maps).
    Raises ValueError unless strides are 1 with n1x1 and pool_proj, or 2 without.
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
                "a block of strides 1 has n1x1 and pool_proj, one of strides 2 neither; "
                f"got strides={strides}, n1x1={n1x1}, pool_proj={pool_proj}"
            )
        if pool not in ("max", "average"):
            raise ValueError(f'pool must be "max" or "average"; got {pool!r}')
        columns = dict(
            n1x1=n1x1, n3x3_reduce=n3x3_reduce, n3x3=n3x3, double_3x3_reduce=double_3x3_reduce,
            double_3x3=double_3x3, pool=pool, pool_proj=pool_proj, strides=strides,
        )  # fmt: skip
        super().__init__(columns, **kwargs)

    def connect(self, x: Any) -> Any:
        maps, strides = self.columns, self.columns["strides"]
        single = self.conv(x, maps["n3x3_reduce"], 1, "3x3_reduce")
        double = self.conv(x, maps["double_3x3_reduce"], 1, "double_3x3_reduce")
        double = self.conv(double, maps["double_3x3"], 3, "double_3x3_1")
        branches = [
            self.conv(single, maps["n3x3"], 3, "3x3", strides),
            self.conv(double, maps["double_3x3"], 3, "double_3x3_2", strides),
        ]
        pooled = self.pool(x, maps["pool"], strides)
        if strides == 2:
            return self.together(*branches, pooled)
        first = self.conv(x, maps["n1x1"], 1, "1x1")
        return self.together(first, *branches, self.conv(pooled, maps["pool_proj"], 1, "pool_proj"))
