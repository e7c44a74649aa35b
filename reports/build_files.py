"""Files of pages: where links lead, figures that are drawn if their numbers changed, and writing all of them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from reports.figures.chart import FORMATS, drawn, is_drawn_from
from reports.paths import PAGES
from reports.sources import Pages
from reproductions.lab.errors import UsageError
from reproductions.lab.files import atomic_write

LINK = re.compile(r"\]\((?P<name>[^()\s#:]+)(?P<anchor>#[^()\s]*)?\)")


def drawings(pages: Pages, folder: Path) -> dict[Path, bytes]:
    """Return the figures of pages by path; those in the folder or in the committed pages are not drawn again."""
    found: dict[Path, bytes] = {}
    for name, chart in pages.charts.items():
        path = inside(folder, name)
        existing = (each.read_bytes() for each in (path, PAGES / name) if each.is_file())
        content = next((each for each in existing if is_drawn_from(each, chart)), None)
        found[path] = drawn(chart) if content is None else content
    return found


def figure_files(pages: Pages, folder: Path) -> dict[Path, bytes]:
    """Return the figures of pages by path, in every format, each with its numbers as JSON."""
    found: dict[Path, bytes] = {}
    for name, chart in pages.charts.items():
        path = inside(folder, name)
        found |= {path.with_suffix(f".{kind}"): drawn(chart, kind) for kind in FORMATS}
        found[path.with_suffix(".json")] = json.dumps(chart.data, indent=1).encode()
    return found


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file in a folder; UsageError if the name leads elsewhere."""
    if name in ("", ".", "..") or Path(name).name != name:
        raise UsageError(f"{name} is not the name of a page or figure: it would lie outside of {folder}")
    return folder / name


def relinked(text: str, folder: Path, places: Mapping[str, Path]) -> str:
    """Return a page of a folder with the links to other pages, figures and images leading to where these are."""

    def target(link: re.Match[str]) -> str:
        place = places.get(link["name"])
        return link[0] if place is None else f"]({os.path.relpath(place, folder)}{link['anchor'] or ''})"

    return LINK.sub(target, text)


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write files, each atomically; UsageError if a folder cannot be written."""
    for path, content in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as unfinished:
                unfinished.write_bytes(content)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}") from None
