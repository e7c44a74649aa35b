"""A figure as its numbers and the function that draws them, and how it becomes a file."""

from __future__ import annotations

import functools
import hashlib
import inspect
import io
import json
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports import markup
from reports.figures import style

if TYPE_CHECKING:
    import matplotlib.figure

DIGEST = re.compile(rb"drawn from ([0-9a-f]{64})")
FORMATS = ("svg", "png", "pdf")
LONGEST = 70  # characters of a text that comes from a record


@dataclass(frozen=True)
class Chart:
    """A figure of a page.

    Attributes:
        draw: Function that draws `data` on a matplotlib figure.
        data: What is drawn: numbers and text, as JSON has them.
        size: Width and height in inches.
        caption: What to see in it, in words.
        alt: What stands in its place for readers who cannot see it.
    """

    draw: Callable[[matplotlib.figure.Figure, Mapping[str, Any]], None]
    data: Mapping[str, Any]
    size: tuple[float, float]
    caption: str
    alt: str

    @property
    def digest(self) -> str:
        """Checksum of what is drawn and of the code that draws it, but not of matplotlib, whose versions differ."""
        code = [source(inspect.getfile(self.draw)), source(style.__file__)]
        numbers = json.dumps([self.draw.__name__, self.data, self.size], sort_keys=True, allow_nan=False)
        return hashlib.sha256(b"\0".join([*code, numbers.encode()])).hexdigest()

    def _repr_svg_(self) -> str:
        """Return the figure for a notebook."""
        return drawn(self).decode()


@functools.cache
def source(path: str) -> bytes:
    """Return the content of a file of code, which many figures share."""
    return Path(path).read_bytes()


def drawn(chart: Chart, kind: str = "svg") -> bytes:
    """Return a figure as a file.

    Args:
        chart: The figure.
        kind: "svg", which says what it was drawn from; "png" or "pdf".
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    content = io.BytesIO()
    with matplotlib.rc_context(style.SETTINGS):
        figure = Figure(figsize=chart.size, layout="constrained")
        FigureCanvasAgg(figure)
        chart.draw(figure, as_text(chart.data))
        figure.savefig(content, format=kind, metadata=metadata(chart, kind), dpi=200)
    return content.getvalue()


def as_text(data: Any) -> Any:
    """Return data with all text in it as short lines that an XML file may contain."""
    if isinstance(data, str):
        return textwrap.shorten(markup.line(data), LONGEST, placeholder="...")
    if isinstance(data, Mapping):
        return {as_text(name): as_text(value) for name, value in data.items()}
    return [as_text(value) for value in data] if isinstance(data, list | tuple) else data


def metadata(chart: Chart, kind: str) -> dict[str, str | None]:
    """Return the metadata of a file, none of which changes from one day or version to the next."""
    if kind == "svg":
        return {"Date": None, "Creator": None, "Description": f"drawn from {chart.digest}"}
    return {"CreationDate": None, "Creator": None, "Producer": None} if kind == "pdf" else {"Software": None}


def is_drawn_from(content: bytes, chart: Chart) -> bool:
    """Return whether an SVG file was drawn from a figure's numbers, by the code as it is now."""
    found = DIGEST.search(content)
    return found is not None and found[1].decode() == chart.digest
