"""Inception blocks with factorized convolutions: Inception-v2 and v3 (2015), and v4 (2016)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layers.inception import Block, register

# --- Inception-v2 and v3: Szegedy et al. 2015, Figures 5, 6, 7 and 10


@register
class InceptionFigure5(Block):
    """Figure 5, on 35x35: the 5x5 as two 3x3. (batch, h, w, maps) to (batch, h, w, 224 + pool_proj).

    With `keep_5x5`, as in the released Inception-v3, the middle branch is a 5x5 instead of one 3x3.
    """

    def __init__(self, pool_proj: int, keep_5x5: bool = False, **kwargs: Any) -> None:
        super().__init__(dict(pool_proj=pool_proj, keep_5x5=keep_5x5), **kwargs)

    def connect(self, x: Any) -> Any:
        side = 5 if self.columns["keep_5x5"] else 3
        middle = self.conv(x, 48, 1, f"{side}x{side}_reduce")
        double = self.conv(x, 64, 1, "double_3x3_reduce")
        double = self.conv(double, 96, 3, "double_3x3_1")
        return self.together(
            self.conv(x, 64, 1, "1x1"),
            self.conv(middle, 64, side, f"{side}x{side}"),
            self.conv(double, 96, 3, "double_3x3_2"),
            self.conv(self.pool(x, "average"), self.columns["pool_proj"], 1, "pool_proj"),
        )


@register
class InceptionFigure6(Block):
    """Figure 6, on 17x17: n x n as 1 x n and n x 1, n = 7. (batch, h, w, maps) to (batch, h, w, 768).

    `n7x7` is the number of maps between the factors.
    """

    def __init__(self, n7x7: int, **kwargs: Any) -> None:
        super().__init__(dict(n7x7=n7x7), **kwargs)

    def connect(self, x: Any) -> Any:
        narrow = self.columns["n7x7"]
        single = self.conv(x, narrow, 1, "7x7_reduce")
        single = self.conv(single, narrow, (1, 7), "1x7")
        double = self.conv(x, narrow, 1, "double_7x7_reduce")
        for number, kernel in enumerate([(7, 1), (1, 7), (7, 1)], 1):
            double = self.conv(double, narrow, kernel, f"double_7x7_{number}")
        return self.together(
            self.conv(x, 192, 1, "1x1"),
            self.conv(single, 192, (7, 1), "7x1"),
            self.conv(double, 192, (1, 7), "double_7x7_4"),
            self.conv(self.pool(x, "average"), 192, 1, "pool_proj"),
        )


@register
class InceptionFigure7(Block):
    """Figure 7, on 8x8: branches that fan out. (batch, h, w, maps) to (batch, h, w, 2048)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({}, **kwargs)

    def connect(self, x: Any) -> Any:
        single = self.conv(x, 384, 1, "3x3_reduce")
        double = self.conv(x, 448, 1, "double_3x3_reduce")
        double = self.conv(double, 384, 3, "double_3x3_1")
        return self.together(
            self.conv(x, 320, 1, "1x1"),
            self.fan(single, "3x3"),
            self.fan(double, "double_3x3"),
            self.conv(self.pool(x, "average"), 192, 1, "pool_proj"),
        )

    def fan(self, x: Any, name: str) -> Any:
        across, down = self.conv(x, 384, (1, 3), f"{name}_1x3"), self.conv(x, 384, (3, 1), f"{name}_3x1")
        return self.together(across, down, name=name)


@register
class GridReduction(Block):
    """Figure 10, a halved grid without a bottleneck: convolutions and a pool of stride 2 side by side.

    Each of `branches` is (maps, kernel) pairs, the last one of stride 2 and unpadded, the others padded.
    (batch, h, w, maps) to (batch, (h - 3) // 2 + 1, (w - 3) // 2 + 1, the branches' last maps + maps).
    """

    def __init__(self, branches: Sequence[Sequence[Any]], **kwargs: Any) -> None:
        self.chains = [[(int(maps), kernel) for maps, kernel in chain] for chain in branches]
        if not self.chains or not all(chain and chain[-1][1] in (3, (3, 3), [3, 3]) for chain in self.chains):
            raise ValueError(
                f"branches must be chains of (maps, kernel) pairs that end in a 3x3, at least one; got {branches!r}"
            )
        super().__init__(dict(branches=[[list(step) for step in chain] for chain in branches]), **kwargs)

    def connect(self, x: Any) -> Any:
        ends = []
        for number, chain in enumerate(self.chains, 1):
            y = x
            for step, (maps, kernel) in enumerate(chain, 1):
                last = step == len(chain)
                size = kernel if isinstance(kernel, int) else tuple(kernel)
                name = f"branch{number}_{step}"
                y = self.conv(y, maps, size, name, 2 if last else 1, "valid" if last else "same")
            ends.append(y)
        return self.together(*ends, self.pool(x, "max", 2, "valid"))


# --- Inception-v4: Szegedy et al. 2016, Figures 4, 5 and 6


@register
class InceptionV4A(Block):
    """Figure 4, on 35x35: (batch, h, w, 384) to (batch, h, w, 384)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({}, **kwargs)

    def connect(self, x: Any) -> Any:
        single = self.conv(x, 64, 1, "3x3_reduce")
        double = self.conv(x, 64, 1, "double_3x3_reduce")
        double = self.conv(double, 96, 3, "double_3x3_1")
        return self.together(
            self.conv(self.pool(x, "average"), 96, 1, "pool_proj"),
            self.conv(x, 96, 1, "1x1"),
            self.conv(single, 96, 3, "3x3"),
            self.conv(double, 96, 3, "double_3x3_2"),
        )


@register
class InceptionV4B(Block):
    """Figure 5, on 17x17: (batch, h, w, 1024) to (batch, h, w, 1024)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({}, **kwargs)

    def connect(self, x: Any) -> Any:
        single = self.conv(x, 192, 1, "7x7_reduce")
        single = self.conv(single, 224, (1, 7), "1x7")
        double = self.conv(x, 192, 1, "double_7x7_reduce")
        for number, (maps, kernel) in enumerate([(192, (1, 7)), (224, (7, 1)), (224, (1, 7))], 1):
            double = self.conv(double, maps, kernel, f"double_7x7_{number}")
        return self.together(
            self.conv(self.pool(x, "average"), 128, 1, "pool_proj"),
            self.conv(x, 384, 1, "1x1"),
            self.conv(single, 256, (7, 1), "7x1"),
            self.conv(double, 256, (7, 1), "double_7x7_4"),
        )


@register
class InceptionV4C(Block):
    """Figure 6, on 8x8: (batch, h, w, 1536) to (batch, h, w, 1536)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({}, **kwargs)

    def connect(self, x: Any) -> Any:
        single = self.conv(x, 384, 1, "3x3_reduce")
        double = self.conv(x, 384, 1, "double_3x3_reduce")
        double = self.conv(double, 448, (1, 3), "double_3x3_1")
        double = self.conv(double, 512, (3, 1), "double_3x3_2")
        return self.together(
            self.conv(self.pool(x, "average"), 256, 1, "pool_proj"),
            self.conv(x, 256, 1, "1x1"),
            self.conv(single, 256, (1, 3), "3x3_1x3"),
            self.conv(single, 256, (3, 1), "3x3_3x1"),
            self.conv(double, 256, (3, 1), "double_3x3_3x1"),
            self.conv(double, 256, (1, 3), "double_3x3_1x3"),
        )
