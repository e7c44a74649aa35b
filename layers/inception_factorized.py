"""Inception blocks with factorized convolutions: Inception-v2 and v3 (2015), and v4 (2016)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from layers.inception_block import InceptionBlock

register = keras.saving.register_keras_serializable(package="layers")

KernelSize = int | tuple[int, int]

# --- Inception-v2 and v3: Szegedy et al. 2015, Figures 5, 6, 7 and 10


@register
class InceptionFigure5(InceptionBlock):
    """Block for 35x35 feature maps, with two 3x3 convolutions for the 5x5: Szegedy et al. 2015, Figure 5.

    Input shape: (batch, height, width, channels). Output shape: (batch, height, width, n1x1 + 160 + pool_proj).

    Args:
        pool_proj: Filters of the 1x1 convolution after the pooling.
        keep_5x5: Whether the middle branch has a 5x5 convolution, as in the released Inception-v3, and not a 3x3.
        n1x1: Filters of the 1x1 convolution; those of the released Inception-v3 by default.
        **kwargs: Further arguments of `InceptionBlock`.
    """

    def __init__(self, pool_proj: int, keep_5x5: bool = False, n1x1: int = 64, **kwargs: Any) -> None:
        super().__init__({"pool_proj": pool_proj, "n1x1": n1x1}, **kwargs)
        self.keep_5x5 = keep_5x5

    def connect(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Connect the four branches."""
        side = 5 if self.keep_5x5 else 3
        middle = self.conv(x, 48, 1, f"{side}x{side}_reduce")
        double = self.conv(x, 64, 1, "double_3x3_reduce")
        double = self.conv(double, 96, 3, "double_3x3_1")
        return self.concatenate(
            self.conv(x, self.branch_filters["n1x1"], 1, "1x1"),
            self.conv(middle, 64, side, f"{side}x{side}"),
            self.conv(double, 96, 3, "double_3x3_2"),
            self.conv(self.pool(x, "average"), self.branch_filters["pool_proj"], 1, "pool_proj"),
        )

    def get_config(self) -> dict[str, object]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "keep_5x5": self.keep_5x5}


@register
class InceptionFigure6(InceptionBlock):
    """Block for 17x17 feature maps, with 1x7 and 7x1 convolutions for the 7x7: Szegedy et al. 2015, Figure 6.

    Input shape: (batch, height, width, channels). Output shape: (batch, height, width, 768).

    Args:
        n7x7: Filters of the convolutions before the last one of the two branches.
        **kwargs: Further arguments of `InceptionBlock`.
    """

    def __init__(self, n7x7: int, **kwargs: Any) -> None:
        super().__init__({"n7x7": n7x7}, **kwargs)

    def connect(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Connect the four branches."""
        narrow = self.branch_filters["n7x7"]
        single = self.conv(x, narrow, 1, "7x7_reduce")
        single = self.conv(single, narrow, (1, 7), "1x7")
        double = self.conv(x, narrow, 1, "double_7x7_reduce")
        for number, kernel_size in enumerate([(7, 1), (1, 7), (7, 1)], 1):
            double = self.conv(double, narrow, kernel_size, f"double_7x7_{number}")
        return self.concatenate(
            self.conv(x, 192, 1, "1x1"),
            self.conv(single, 192, (7, 1), "7x1"),
            self.conv(double, 192, (1, 7), "double_7x7_4"),
            self.conv(self.pool(x, "average"), 192, 1, "pool_proj"),
        )


@register
class InceptionFigure7(InceptionBlock):
    """Block for 8x8 feature maps, whose branches fan out: Szegedy et al. 2015, Figure 7.

    Input shape: (batch, height, width, channels). Output shape: (batch, height, width, 2048).

    Args:
        **kwargs: Further arguments of `InceptionBlock`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({}, **kwargs)

    def connect(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Connect the four branches."""
        single = self.conv(x, 384, 1, "3x3_reduce")
        double = self.conv(x, 448, 1, "double_3x3_reduce")
        double = self.conv(double, 384, 3, "double_3x3_1")
        return self.concatenate(
            self.conv(x, 320, 1, "1x1"),
            self.fan_out(single, "3x3"),
            self.fan_out(double, "double_3x3"),
            self.conv(self.pool(x, "average"), 192, 1, "pool_proj"),
        )

    def fan_out(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """Apply a 1x3 and a 3x1 convolution in parallel."""
        wide, high = self.conv(x, 384, (1, 3), f"{name}_1x3"), self.conv(x, 384, (3, 1), f"{name}_3x1")
        return self.concatenate(wide, high, name=name)


class ChainBlock(InceptionBlock):
    """Block whose branches are chains of convolutions.

    Args:
        branches: For each chain its (filters, kernel size) pairs.
        **kwargs: Further arguments of `InceptionBlock`.

    Raises:
        ValueError: If there is no chain, or an empty one.
    """

    def __init__(self, branches: Sequence[Sequence[tuple[int, KernelSize]]], **kwargs: Any) -> None:
        self.chains = tuple(
            tuple((int(filters), size if isinstance(size, int) else (size[0], size[1])) for filters, size in chain)
            for chain in branches
        )
        if not self.chains or not all(self.chains):
            raise ValueError(f"branches must be one or more chains of (filters, kernel size) pairs; got {branches!r}")
        super().__init__({}, **kwargs)

    def ends(self, x: keras.KerasTensor, strides: int = 1, padding: str = "same") -> list[keras.KerasTensor]:
        """Return the ends of the chains; stride and padding are those of the last convolution of each."""
        ends = []
        for number, chain in enumerate(self.chains, 1):
            y = x
            for step, (filters, kernel_size) in enumerate(chain, 1):
                how = (strides, padding) if step == len(chain) else (1, "same")
                y = self.conv(y, filters, kernel_size, f"branch{number}_{step}", *how)
            ends.append(y)
        return ends

    def get_config(self) -> dict[str, object]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "branches": [[list(step) for step in chain] for chain in self.chains]}


@register
class GridReduction(ChainBlock):
    """Block that halves the grid without a bottleneck: Szegedy et al. 2015, Figure 10.

    Chains of convolutions and a 3x3 max pooling stand side by side. The pooling and the last convolution of each chain
    have stride 2 and no padding; the other convolutions have stride 1 and are padded.

    Input shape: (batch, height, width, channels). Output shape: (batch, (height - 3) // 2 + 1, (width - 3) // 2 + 1,
    the sum of the chains' last filters + channels).

    Args:
        branches: For each chain its (filters, kernel size) pairs; the last kernel size is 3.
        **kwargs: Further arguments of `InceptionBlock`.

    Raises:
        ValueError: If there is no chain, or one does not end in a 3x3 convolution.
    """

    def __init__(self, branches: Sequence[Sequence[tuple[int, KernelSize]]], **kwargs: Any) -> None:
        super().__init__(branches, **kwargs)
        if not all(chain[-1][1] in (3, (3, 3)) for chain in self.chains):
            raise ValueError(f"each chain of branches must end in a 3x3 convolution; got {branches!r}")

    def connect(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Connect the chains and the pooling."""
        return self.concatenate(*self.ends(x, 2, "valid"), self.pool(x, "max", 2, "valid"))


# --- Inception-v4: Szegedy et al. 2016, Figures 4, 5 and 6


class InceptionV4Block(InceptionBlock):
    """Block of Inception-v4.

    Args:
        released: Whether factorized convolutions and branches have the order of the released network, and not that of
            the paper's figures.
        **kwargs: Further arguments of `InceptionBlock`.
    """

    def __init__(self, released: bool = False, **kwargs: Any) -> None:
        super().__init__({}, **kwargs)
        self.released = released

    def factors(self, side: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the kernel sizes 1 x side and side x 1 in the order of the longest branch."""
        return ((side, 1), (1, side)) if self.released else ((1, side), (side, 1))

    def join(self, pooled: keras.KerasTensor, *others: keras.KerasTensor) -> keras.KerasTensor:
        """Concatenate the branches: the one with the pooling is first in the figures, and last as released."""
        return self.concatenate(*others, pooled) if self.released else self.concatenate(pooled, *others)

    def get_config(self) -> dict[str, object]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "released": self.released}


@register
class InceptionV4A(InceptionV4Block):
    """Block for 35x35 feature maps: Szegedy et al. 2016, Figure 4.

    Input shape: (batch, height, width, 384). Output shape: (batch, height, width, 384).

    Args:
        **kwargs: Arguments of `InceptionV4Block`.
    """

    def connect(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Connect the four branches."""
        single = self.conv(x, 64, 1, "3x3_reduce")
        double = self.conv(x, 64, 1, "double_3x3_reduce")
        double = self.conv(double, 96, 3, "double_3x3_1")
        return self.join(
            self.conv(self.pool(x, "average"), 96, 1, "pool_proj"),
            self.conv(x, 96, 1, "1x1"),
            self.conv(single, 96, 3, "3x3"),
            self.conv(double, 96, 3, "double_3x3_2"),
        )


@register
class InceptionV4B(InceptionV4Block):
    """Block for 17x17 feature maps: Szegedy et al. 2016, Figure 5, with a 7x1 for the second of two 1x7 in a row.

    Input shape: (batch, height, width, 1024). Output shape: (batch, height, width, 1024).

    Args:
        **kwargs: Arguments of `InceptionV4Block`.
    """

    def connect(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Connect the four branches."""
        first, second = self.factors(7)
        single = self.conv(x, 192, 1, "7x7_reduce")
        single = self.conv(single, 224, (1, 7), "1x7")
        double = self.conv(x, 192, 1, "double_7x7_reduce")
        for number, (filters, kernel_size) in enumerate([(192, first), (224, second), (224, first)], 1):
            double = self.conv(double, filters, kernel_size, f"double_7x7_{number}")
        return self.join(
            self.conv(self.pool(x, "average"), 128, 1, "pool_proj"),
            self.conv(x, 384, 1, "1x1"),
            self.conv(single, 256, (7, 1), "7x1"),
            self.conv(double, 256, second, "double_7x7_4"),
        )


@register
class InceptionV4C(InceptionV4Block):
    """Block for 8x8 feature maps: Szegedy et al. 2016, Figure 6.

    Input shape: (batch, height, width, 1536). Output shape: (batch, height, width, 1536).

    Args:
        **kwargs: Arguments of `InceptionV4Block`.
    """

    def connect(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Connect the six branches."""
        first, second = self.factors(3)
        single = self.conv(x, 384, 1, "3x3_reduce")
        double = self.conv(x, 384, 1, "double_3x3_reduce")
        double = self.conv(double, 448, first, "double_3x3_1")
        double = self.conv(double, 512, second, "double_3x3_2")
        return self.join(
            self.conv(self.pool(x, "average"), 256, 1, "pool_proj"),
            self.conv(x, 256, 1, "1x1"),
            self.conv(single, 256, (1, 3), "3x3_1x3"),
            self.conv(single, 256, (3, 1), "3x3_3x1"),
            *(self.conv(double, 256, size, f"double_3x3_{size[0]}x{size[1]}") for size in (second, first)),
        )
