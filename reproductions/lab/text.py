"""Text for a terminal: lines that fit it, and what others wrote, made harmless."""

from __future__ import annotations

import re
import shutil
import textwrap
from typing import Any

# Control characters but for line feeds and tabs; and those that change lines or the direction of writing.
CONTROLS = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

PAGE_WIDTH = 160  # characters


def terminal_width() -> int:
    """Return the width of the terminal in characters, or of a page where there is none."""
    return shutil.get_terminal_size((PAGE_WIDTH, 24)).columns


def fitted(line: str) -> str:
    """Return a line in as many lines as the terminal needs, all but the first with a deeper indent."""
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(line, terminal_width(), subsequent_indent=f"{indent}    ", break_on_hyphens=False)


def visible(text: str) -> str:
    r"""Return text with escapes such as "\x1b" for control characters, which a terminal would obey."""
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def visible_values(value: Any) -> Any:
    """Return a JSON value, all texts of which, keys included, are as by `visible`."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(key): visible_values(each) for key, each in value.items()}
    return [visible_values(each) for each in value] if isinstance(value, list) else value
