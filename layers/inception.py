"""Inception blocks with 3x3 and 5x5 convolutions: GoogLeNet's, and the batch-normalized one of 2015."""

from __future__ import annotations

from typing import Any

import keras

from layers.inception_block import InceptionBlock

register = keras.saving.register_keras_serializable(package="layers")

# --- GoogLeNet: Szegedy et al. 2014, Figure 2 and Table 1

WITHOUT_NORMALIZATION = {"batch_normalization": False}


@register
class NaiveInception(InceptionBlock):
    """Naive Inception block: Szegedy et al. 2014, Figure 2(a).

    Input shape: (batch, height, width, channels). Output shape: (batch, height, width, n1x1 + n3x3 + n5x5 + channels).

    Args:
        n1x1: Filters of the 1x1 convolution.
        n3x3: Filters of the 3x3 convolution.
        n5x5: Filters of the 5x5 convolution.
        **kwargs: Further arguments of `InceptionBlock`; `batch_normalization` is False by default.
    """

    def __init__(self, n1x1: int, n3x3: int, n5x5: int, **kwargs: Any) -> None:
        super().__init__({"n1x1": n1x1, "n3x3": n3x3, "n5x5": n5x5}, **{**WITHOUT_NORMALIZATION, **kwargs})

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
        **kwargs: Further arguments of `InceptionBlock`; `batch_normalization` is False by default.
    """

    def __init__(
        self, n1x1: int, n3x3_reduce: int, n3x3: int, n5x5_reduce: int, n5x5: int, pool_proj: int, **kwargs: Any
    ) -> None:
        branch_filters = {
            "n1x1": n1x1, "n3x3_reduce": n3x3_reduce, "n3x3": n3x3,
            "n5x5_reduce": n5x5_reduce, "n5x5": n5x5, "pool_proj": pool_proj,
        }  # fmt: skip
        super().__init__(branch_filters, **{**WITHOUT_NORMALIZATION, **kwargs})

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
        caffe: Whether convolutions with strides 2 are padded by 1 pixel on every side, as in Caffe; Keras pads inputs
            of even size at the right and bottom only.
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
        caffe: bool = False,
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
        self.pool_kind, self.strides, self.caffe = pool, strides, caffe

    def connect(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Connect the four branches; with strides 2, three."""
        filters = self.branch_filters
        single = self.conv(x, filters["n3x3_reduce"], 1, "3x3_reduce")
        double = self.conv(x, filters["double_3x3_reduce"], 1, "double_3x3_reduce")
        double = self.conv(double, filters["double_3x3"], 3, "double_3x3_1")
        branches = [
            self.last_conv(single, filters["n3x3"], "3x3"),
            self.last_conv(double, filters["double_3x3"], "double_3x3_2"),
        ]
        pooled = self.pool(x, self.pool_kind, self.strides)
        if self.strides == 2:
            return self.concatenate(*branches, pooled)
        first = self.conv(x, filters["n1x1"], 1, "1x1")
        return self.concatenate(first, *branches, self.conv(pooled, filters["pool_proj"], 1, "pool_proj"))

    def last_conv(self, x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
        """Apply the last 3x3 convolution of a branch, which has the strides of the block."""
        if not (self.caffe and self.strides == 2):
            return self.conv(x, filters, 3, name, self.strides)
        x = keras.layers.ZeroPadding2D(1, dtype=self.dtype_policy, name=f"{name}_padding")(x)
        return self.conv(x, filters, 3, name, self.strides, "valid")

    def get_config(self) -> dict[str, object]:
        """Return the arguments of the constructor."""
        own = {"n1x1": None, "pool_proj": None, "pool": self.pool_kind, "strides": self.strides, "caffe": self.caffe}
        return {**own, **super().get_config()}
