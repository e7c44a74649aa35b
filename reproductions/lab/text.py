"""Text that others wrote, made harmless for a terminal."""

from __future__ import annotations

import re
from typing import Any

# Control characters but for line feeds and tabs; and those that change lines or the direction of writing.
CONTROLS = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


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
