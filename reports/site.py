"""The pages and docs/ as one static site, built by Sphinx."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from reports.build_files import LINK, drawings, inside, write_files
from reports.paths import DOCS, REPORTS, ROOT
from reports.sources import Pages
from reproductions.lab.errors import UsageError

STATIC = REPORTS / "static"
GENERATED = ("results.md", "networks.md")  # of docs/: pages of the site under other names
METHOD = ("design.md", "testing.md", "benchmarks.md", "reproducing-a-run.md", "contributing.md", "changelog.md")
LISTS = {
    "guides.md": ("How to", "How to use the suite, by what you want to do."),
    "method.md": ("Method", "How the suite is built and tested, and how its numbers come about."),
}
FIRST_SENTENCE = re.compile(r"# (?P<title>[^\n]+)\n*(?P<text>[^\n#|`].*?(?=\.\s|\n\n|$))?", re.DOTALL)
SETTINGS = {
    "project": "Reproductions",
    "html_title": "Reproductions",
    "extensions": ["myst_nb"],
    "nb_execution_mode": "off",
    "nb_merge_streams": True,  # the notebook is stored with its outputs; a test executes it
    "html_theme": "pydata_sphinx_theme",
    "html_static_path": [str(STATIC)],
    "html_css_files": ["site.css"],
    "html_js_files": ["tablesort.min.js", "tablesort.number.min.js", "site.js"],
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_sidebars": {"index": [], "claims": []},
    "html_theme_options": {
        "navbar_align": "left",
        "show_prev_next": False,
        "secondary_sidebar_items": ["page-toc"],
        "footer_start": ["last-updated"],
        "footer_end": [],
    },
    "language": "en",
    "myst_heading_anchors": 3,
    "exclude_patterns": ["code"],
    "highlight_language": "text",
    "suppress_warnings": ["misc.highlighting_failure"],  # GitHub knows more languages than Pygments
}


def build_site(pages: Pages, folder: Path) -> None:
    """Build the site, and replace the files of a folder by it.

    Args:
        pages: The pages that are made from records.
        folder: Folder of the site.

    Raises:
        UsageError: If Sphinx, its theme or its Markdown parser is not installed, Sphinx warns of anything, or the
            folder cannot be written.
    """
    try:
        import myst_nb  # noqa: F401
        import pydata_sphinx_theme  # noqa: F401
        from sphinx.application import Sphinx
        from sphinx.errors import SphinxError
    except ImportError as error:
        raise UsageError(f'{error}; install what builds the site: pip install "reproductions[site]"') from None
    with tempfile.TemporaryDirectory() as temporary:
        source, built = Path(temporary, "source"), Path(temporary, "built")
        write_files(staged(pages, source))
        warnings = io.StringIO()
        try:
            app = Sphinx(
                str(source),
                None,
                str(built),
                str(Path(temporary, "doctrees")),
                "html",
                confoverrides=SETTINGS,
                status=None,
                warning=warnings,
                warningiserror=True,
            )
            app.build(force_all=True)
        except SphinxError as error:
            raise UsageError(f"the site cannot be built: {error}") from None
        if app.statuscode:
            raise UsageError(f"the site has mistakes: {plain(warnings.getvalue())}")
        try:
            shutil.copytree(built, folder, dirs_exist_ok=True)
        except (OSError, shutil.Error) as error:
            raise UsageError(f"{folder} cannot be written: {error}") from None


def plain(text: str) -> str:
    """Return text without the codes that colour it on a terminal."""
    return re.sub(r"\x1b\[[\d;]*m", "", text).strip()


def staged(pages: Pages, folder: Path) -> dict[Path, bytes]:
    """Return the source files of the site by path: pages, figures, images, docs, and code that these link to."""
    texts = {name: text for name, text in pages.texts.items()}
    files = drawings(pages, folder) | {inside(folder, name): path.read_bytes() for name, path in pages.images.items()}
    guides, notebooks = docs(), sorted(DOCS.glob("*.ipynb"))
    files |= {folder / path.name: path.read_bytes() for path in notebooks}
    for name, path in guides.items():
        texts[name], code = moved(path, guides)
        files |= {folder / "code" / place: (ROOT / place).read_bytes() for place in code}
    texts["networks.md"] = re.sub(r"\[(`[^`]*`)\]\(\.\./[^)]*\)", r"\1", texts["networks.md"])
    contents = {
        "guides.md": [*(path.name for path in notebooks), *sorted(name for name in guides if name not in METHOD)],
        "method.md": [name for name in METHOD if name in texts],
    }
    for name, entries in contents.items():
        texts[name] = list_of(name, entries, texts)
    papers = [name for name in pages.texts if name not in ("index.md", "networks.md", "claims.md", *METHOD)]
    texts["networks.md"] += toctree(papers)
    texts["index.md"] += toctree(["networks.md", "claims.md", *contents], "networks.md", "claims.md")
    return files | {folder / name: text.encode() for name, text in texts.items()}


def docs() -> dict[str, Path]:
    """Return the pages that people wrote, by their name in the site; none of an installed package."""
    found = {path.name: path for path in sorted(DOCS.glob("*.md")) if path.name not in GENERATED}
    for name in ("CONTRIBUTING.md", "CHANGELOG.md"):
        if (ROOT / name).is_file():
            found[name.lower()] = ROOT / name
    return found


def moved(path: Path, guides: Mapping[str, Path]) -> tuple[str, list[str]]:
    """Return the text of a page with links that are right in the site, and the files of code that they lead to."""
    names = {place.resolve(): name for name, place in guides.items()}
    names |= {DOCS / "results.md": "index.md", DOCS / "networks.md": "networks.md", ROOT / "README.md": "index.md"}
    code = []

    def target(link: re.Match[str]) -> str:
        place = Path(os.path.normpath(path.parent / link["name"]))
        anchor = link["anchor"] or ""
        if place in names:
            return f"]({names[place]}{anchor})"
        if place.suffix == ".md":
            return f"]({place.name}{anchor})"
        if place.is_file() and place.is_relative_to(ROOT):
            code.append(str(place.relative_to(ROOT)))
            return f"](code/{code[-1]})"
        return "](index.md)" if place.is_dir() else link[0]

    return LINK.sub(target, path.read_text(encoding="utf-8")), code


def list_of(name: str, entries: list[str], texts: Mapping[str, str]) -> str:
    """Return a page that lists others with their first sentences."""
    title, sentence = LISTS[name]
    lines = []
    for entry in entries:
        found = FIRST_SENTENCE.match(texts[entry] if entry in texts else first_cell(DOCS / entry))
        heading, text = (found["title"], " ".join((found["text"] or "").split())) if found else (entry, "")
        words = re.sub(r"[\[\]]", "", LINK.sub("]", text))
        lines.append(f"- [{heading}]({entry}){': ' if words else ''}{words}")
    return f"# {title}\n\n{sentence}\n\n" + "\n".join(lines) + "\n" + toctree(entries)


def first_cell(notebook: Path) -> str:
    """Return the text with which a notebook begins."""
    return "".join(json.loads(notebook.read_text(encoding="utf-8"))["cells"][0]["source"])


TITLES = {"networks.md": "Papers and networks", "claims.md": "Lecture"}


def toctree(entries: list[str], *titled: str) -> str:
    """Return the directive by which Sphinx knows the pages below a page."""
    lines = [f"{TITLES[entry]} <{entry}>" if entry in titled else entry for entry in entries]
    return "\n```{toctree}\n:hidden:\n\n" + "\n".join(lines) + "\n```\n"
