"""Pages in Markdown as HTML, by the parser that builds the site."""

from docutils.core import publish_parts
from myst_parser.parsers.docutils_ import Parser

from reports.site import SETTINGS

STRICT = {"report_level": 5, "myst_heading_anchors": SETTINGS["myst_heading_anchors"]}


def to_html(page: str) -> str:
    """Return a page as HTML; links to other pages stay as they are."""
    return publish_parts(page, parser=Parser(), writer="html5", settings_overrides=STRICT)["html_body"]
