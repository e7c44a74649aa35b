"""Figures by matplotlib, in one style, with tiles at exact places; equal figures give equal files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from PIL import Image

from reproductions.lab.files import atomic_write

FORMATS = ("png", "pdf", "svg")
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.linewidth": 0.6,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "reproductions",  # else identifiers are random
}
# No date and no version of a library in a file.
METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
    "svg": {"Date": None, "Creator": None},
}
WIDTH, DPI = 7.0, 200  # inches, and pixels per inch: twice what a page shows
TITLE, CAPTION, LABEL, GAP = 0.32, 0.16, 0.95, 0.05  # inches
SIGNED = "RdBu_r"
COLOURS = 128  # of a PNG file


@dataclass(frozen=True)
class Row:
    """A row of images.

    Attributes:
        tiles: Images (height, width, 3) in 0..1; None leaves a place empty.
        label: Text on the left.
        captions: Texts below the images; none if empty.
        above: Space above the row, in inches.
        note: Text on the right of the last image.
    """

    tiles: Sequence[np.ndarray | None]
    label: str = ""
    captions: Sequence[str] = ()
    above: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Drawing:
    """A figure and what it says.

    Attributes:
        figure: The figure.
        title: Title, a few words.
        caption: What to see in it.
        alt: Alternative text.
        layer: Name of the layer, if it is of one.
    """

    figure: Figure
    title: str
    caption: str
    alt: str
    layer: str | None = None


@dataclass
class Canvas:
    """A figure of fixed width on which axes are placed from the top, in inches.

    Attributes:
        title: Title on the top left.
        height: Height of the figure.
        figure: The figure.
    """

    title: str
    height: float
    figure: Figure = field(init=False)

    def __post_init__(self) -> None:
        self.figure = Figure(figsize=(WIDTH, self.height))
        self.text(0.02, 0.06, self.title, fontsize=9, fontweight="bold", va="top")

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Return new axes whose upper left corner is `left` and `top` inches from that of the figure."""
        place = (left / WIDTH, 1 - (top + height) / self.height, width / WIDTH, height / self.height)
        return self.figure.add_axes(place)

    def text(self, left: float, top: float, text: str, **style: Any) -> None:
        """Write text `left` and `top` inches from the upper left corner."""
        self.figure.text(left / WIDTH, 1 - top / self.height, text, **style)

    def image(self, tile: np.ndarray, left: float, top: float, width: float, height: float) -> Axes:
        """Place an image without axes."""
        axes = self.axes(left, top, width, height)
        axes.imshow(tile, interpolation="antialiased", aspect="auto", vmin=0, vmax=1)
        axes.set_xticks([])
        axes.set_yticks([])
        return axes

    def scale(self, left: float, top: float, texts: Sequence[str], colours: str = SIGNED, width: float = 2.0) -> None:
        """Place a scale of colours with texts at equal distances below it."""
        axes = self.axes(left, top, width, 0.1)
        norm = Normalize(0, 1)
        bar = self.figure.colorbar(ScalarMappable(norm, colours), cax=axes, orientation="horizontal")
        bar.set_ticks(list(np.linspace(0, 1, len(texts))), labels=list(texts))
        bar.outline.set_linewidth(0.4)
        axes.tick_params(labelsize=7, length=2, pad=1.5)


def draw_rows(title: str, rows: Sequence[Row], columns: int, below: float = 0.0, largest: float = 1.2) -> Canvas:
    """Draw rows of square images, all of one size.

    Args:
        title: Title of the figure.
        rows: The rows.
        columns: Number of places in a row.
        below: Space below the last row, in inches.
        largest: Largest side of an image, in inches.
    """
    label = LABEL if any(row.label for row in rows) else 0.02
    side = min((WIDTH - label - 0.02) / columns - GAP, largest)
    heights = [row.above + side + (CAPTION if row.captions else GAP) for row in rows]
    with matplotlib.rc_context(STYLE):
        canvas = Canvas(title, TITLE + sum(heights) + below + 0.04)
        top = TITLE
        for row, height in zip(rows, heights):
            top += row.above
            if row.label:
                canvas.text(0.02, top + side / 2, row.label, va="center", linespacing=1.3)
            for column, tile in enumerate(row.tiles):
                left = label + column * (side + GAP)
                if tile is not None:
                    frame(canvas.image(tile, left, top, side, side))
                if column < len(row.captions):
                    place = left + side / 2, top + side + 0.02
                    canvas.text(*place, row.captions[column], ha="center", va="top", fontsize=6.5)
            if row.note:
                canvas.text(label + len(row.tiles) * (side + GAP) + 0.08, top + side / 2, row.note, va="center")
            top += height - row.above
    return canvas


def frame(axes: Axes) -> None:
    """Give axes a thin grey frame, so that white images are seen on white paper."""
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)
        spine.set_color("0.6")


# --- Images of arrays


def grey(values: np.ndarray) -> np.ndarray:
    """Return values (height, width) in 0..1 as an image."""
    return np.repeat(np.clip(values, 0, 1)[..., None], 3, axis=-1)


def signed(values: np.ndarray) -> np.ndarray:
    """Return values (height, width) in -1..1 as an image from blue over white, 0, to red; NaN is light grey."""
    colours = np.asarray(matplotlib.colormaps[SIGNED](np.nan_to_num((values + 1) / 2, nan=0.5)))[..., :3]
    return np.where(np.isnan(values)[..., None], 0.85, colours)


def save(figure: Figure, path: Path, file_format: str) -> None:
    """Write a figure to a file, atomically."""
    file = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(file, format=file_format, dpi=DPI, metadata=METADATA[file_format])
    content = optimized(file.getvalue()) if file_format == "png" else file.getvalue()
    with atomic_write(path) as unfinished:
        unfinished.write_bytes(content)


def optimized(png: bytes) -> bytes:
    """Return a PNG file without transparency and in fewer colours, which takes less than half of the space."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        few = image.convert("RGB").quantize(COLOURS, Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE)
        few.save(file, "png", optimize=True)
    return file.getvalue()
