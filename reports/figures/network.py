"""Figures of a network: its blocks, what they cost, and how much of the image each sees."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports.figures import style
from reports.figures.chart import Chart
from reproductions.lab.analysis.network_profile import Block, NetworkProfile

if TYPE_CHECKING:
    import matplotlib.figure

KINDS = {
    "convolution": ("convolution", style.BLUE),
    "pooling": ("pooling, subsampling", style.ORANGE),
    "normalization": ("normalization across channels", style.GREY),
    "block": ("Inception block", style.PURPLE),
    "dense": ("fully connected", style.GREEN),
}
FLOAT32_BYTES = 4


def shape_text(shape: Sequence[int]) -> str:
    """Return a shape as papers print it: "28x28x6"."""
    return "×".join(map(str, shape))


def operation(block: Block) -> str:
    """Return what a block does in a few characters: "5×5/2", its window and stride."""
    if not block.kernel_size:
        return ""
    stride = f"/{block.strides[0]}" if block.strides and max(block.strides) > 1 else ""
    return "×".join(map(str, block.kernel_size)) + stride


def diagram(profile: NetworkProfile) -> Chart:
    """Return the figure of a network's blocks from input to output."""
    rows: list[Any] = [[block.name, block.kind, list(block.output_shape), operation(block)] for block in profile.blocks]
    data = {"network": profile.network, "input": list(profile.input_shape), "blocks": rows}
    caption = (
        f"The blocks of {profile.network}: the height of a box is the height of its output, its width stands for the "
        "number of channels (both on a logarithmic scale)."
    )
    alt = f"{profile.network}, an image of {shape_text(profile.input_shape)} through {len(rows)} blocks: " + ", ".join(
        f"{name} {shape_text(shape)}" for name, _, shape, _ in rows
    )
    return Chart(draw_diagram, data, (style.WIDTH, 3.6), caption, alt)


def draw_diagram(figure: matplotlib.figure.Figure, data: Mapping[str, Any]) -> None:
    """Draw blocks as boxes from left to right, with their names below."""
    axes = figure.subplots()
    boxes = [["image", "", data["input"], ""], *data["blocks"]]
    x, gap = 0.0, 0.25
    size = max(5.0, min(8.0, 190 / len(boxes)))
    for name, kind, shape, what in boxes:
        width = 0.25 + 0.12 * math.log2(max(shape[-1], 1))
        height = 0.35 + math.log2(shape[0] if len(shape) == 3 else 1)
        colour = KINDS[kind][1] if kind else style.DARK
        axes.bar(x + width / 2, height, width, -height / 2, color=colour, edgecolor="white", linewidth=0.5)
        centre = x + width / 2
        text: dict[str, Any] = {"ha": "center", "size": size, "rotation": 90}
        axes.text(centre, height / 2 + 0.15, "  ".join(filter(None, (shape_text(shape), what))), va="bottom", **text)
        axes.text(centre, -height / 2 - 0.15, name, va="top", color=style.GREY, **text)
        x += width + gap
    top = 0.35 + math.log2(max(data["input"][0], 1))
    axes.set(xlim=(-gap, x), ylim=(-top / 2, top / 2))
    axes.axis("off")
    figure.suptitle(data["network"], x=0.01, ha="left", size=11, weight="bold")
    label_kinds(figure, data["blocks"])


def label_kinds(figure: matplotlib.figure.Figure, blocks: Sequence[Sequence[Any]]) -> None:
    """Add a legend of the kinds of blocks below a figure."""
    from matplotlib.patches import Patch

    kinds = {block[1] for block in blocks}
    patches = [Patch(color=colour, label=label) for kind, (label, colour) in KINDS.items() if kind in kinds]
    figure.legend(handles=patches, loc="outside lower center", ncols=3)


def layer_costs(profile: NetworkProfile) -> Chart:
    """Return the figure of parameters, multiply-adds and memory by block."""
    rows: list[Any] = [
        [b.name, b.kind, b.parameters, b.multiply_adds, b.activations * FLOAT32_BYTES] for b in profile.blocks
    ]
    data = {"network": profile.network, "blocks": rows}
    most = {
        what: max(rows, key=lambda row: row[column])[0]
        for column, what in ((4, "memory"), (3, "multiply-adds"), (2, "parameters"))
    }
    caption = (
        f"Where {profile.network} spends parameters, multiply-adds and the memory of its outputs, for one image in "
        f"float32. Most memory: {most['memory']}; most multiply-adds: {most['multiply-adds']}; most parameters: "
        f"{most['parameters']}."
    )
    return Chart(draw_costs, data, (style.WIDTH, 1.3 + 0.17 * len(rows)), caption, caption)


def draw_costs(figure: matplotlib.figure.Figure, data: Mapping[str, Any]) -> None:
    """Draw a panel for each quantity, with a bar for each block from the first at the top to the last."""
    panels = figure.subplots(1, 3, sharey=True)
    names = [row[0] for row in data["blocks"]]
    quantities = (("parameters", 2), ("multiply-adds", 3), ("output, bytes", 4))
    for axes, (title, column) in zip(panels, quantities):
        colours = [KINDS[row[1]][1] for row in data["blocks"]]
        axes.barh(range(len(names)), [row[column] for row in data["blocks"]], color=colours)
        axes.set_title(title, size=9.5)
        axes.xaxis.set_major_formatter(lambda value, _: short(value))
        axes.xaxis.set_major_locator(ticks_of(max((row[column] for row in data["blocks"]), default=1)))
        axes.grid(False, axis="y")
    panels[0].set_yticks(range(len(names)), names, size=8)
    panels[0].invert_yaxis()
    figure.suptitle(data["network"], x=0.01, ha="left", size=11, weight="bold")
    label_kinds(figure, data["blocks"])


def ticks_of(most: float) -> Any:
    """Return the locator of an axis with few ticks."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(3 if most else 1)


def short(value: float) -> str:
    """Return a number with up to three digits: "1.5M"."""
    for letter, unit in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= unit:
            return f"{value / unit:.3g}{letter}"
    return f"{value:g}"


def receptive_fields(profile: NetworkProfile) -> Chart:
    """Return the figure of the image regions that positions of each block's output depend on."""
    fields: dict[int, list[str]] = {}
    for block in profile.blocks:
        if block.kind != "dense" and block.receptive_field > 1:
            fields.setdefault(block.receptive_field, []).append(block.name)
    data: dict[str, Any] = {
        "network": profile.network,
        "image": profile.input_shape[0],
        "fields": [[size, names] for size, names in fields.items()],
    }
    caption = (
        f"Receptive fields of {profile.network}: the side of the square of an image of {profile.input_shape[0]} pixels "
        "that one position of a block's output depends on. Beyond the dashed line, a position sees more than the image."
    )
    largest: Any = data["fields"][-1] if data["fields"] else [0, ["none"]]
    alt = f"Receptive fields of {profile.network}, up to {largest[0]} pixels at {largest[1][-1]}"
    return Chart(draw_fields, data, (style.WIDTH, 3.0), caption, alt)


def draw_fields(figure: matplotlib.figure.Figure, data: Mapping[str, Any]) -> None:
    """Draw the squares on the image, and the sides as bars."""
    from matplotlib.patches import Rectangle

    image, fields = data["image"], data["fields"]
    left, right = figure.subplots(1, 2, width_ratios=(1, 2))
    left.add_patch(Rectangle((-image / 2, -image / 2), image, image, facecolor="#eef2f6", edgecolor=style.DARK))
    for number, (size, _) in enumerate(fields):
        shade = 0.25 + 0.75 * number / max(len(fields) - 1, 1)
        if size <= image:
            square = Rectangle((-size / 2, -size / 2), size, size, fill=False, edgecolor=style.BLUE, alpha=shade)
            left.add_patch(square)
    left.set(xlim=(-image * 0.52, image * 0.52), ylim=(-image * 0.52, image * 0.52), aspect="equal")
    left.set_title(f"image, {image}×{image}", size=9.5)
    left.axis("off")
    labels = [names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}" for _, names in fields]
    size = 8 if len(fields) < 16 else 6
    right.barh(range(len(fields)), [field for field, _ in fields], color=style.BLUE, height=0.6)
    right.axvline(image, color=style.DARK, linestyle="--", linewidth=1)
    for number, (field, _) in enumerate(fields):
        right.text(field, number, f" {field:,}", va="center", size=size)
    right.set_yticks(range(len(fields)), labels, size=size)
    right.invert_yaxis()
    right.set_xlim(0, 1.12 * max([image, *(field for field, _ in fields)]))
    right.set(title=f"{data['network']}: receptive field", xlabel="side in pixels")
    right.grid(False, axis="y")
