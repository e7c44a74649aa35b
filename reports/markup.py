"""What a record or a CSV file says is text on a page: it is never read as markup, neither in Markdown nor in HTML."""

from __future__ import annotations

import re

import jinja2
from markupsafe import Markup

# Neither XML nor a line of Markdown may contain them.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]+")
# Within a word, `_` is not emphasis; a bracket is a link only with another behind it, or, at the start, with a colon.
MARKDOWN = re.compile(r"[\\`*|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?<=\])\(|^\[(?=[^\]]*\]:)")
ENTITY = re.compile(r"&(?=#?\w+;)")


def line(value: object) -> str:
    """Return a value as text without control characters, in one line."""
    return CONTROL.sub(" ", str(value))


def text(value: object) -> Markup:
    """Return Markdown that shows a value as it is."""
    plain = ENTITY.sub("&amp;", line(value)).replace("<", "&lt;").replace("~~", "~&#126;")
    return Markup(MARKDOWN.sub(r"\\\g<0>", plain))


def code(value: object) -> Markup:
    """Return what stands between backticks in Markdown to show a value as code."""
    return Markup(line(value).replace("`", "'"))


@jinja2.pass_context
def finalize(context: jinja2.runtime.Context, value: object) -> object:
    """Return what a template writes for the value of an expression, unless that is markup already."""
    if hasattr(value, "__html__"):
        return value
    return text(value) if (context.name or "").endswith(".md.jinja") else line(value)
