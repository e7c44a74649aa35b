"""Read records and published figures, render the pages, and write them or compare them with those on disk."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reports import audited
from reports.build_files import drawings, figure_files, inside, relinked, write_files
from reports.ensembles import read_ensembles
from reports.pages import render
from reports.paths import (
    BENCHMARKS,
    DOCS,
    ENSEMBLES,
    PAGES,
    PICTURES,
    PUBLISHED,
    README,
    RUNS,
    TUNED,
    WEIGHTS,
    require_checkout,
)
from reports.published import read_comparisons, read_entries, read_figures
from reports.run_groups import check_studies
from reports.sections.tuning import read_searches
from reports.site import build_site
from reports.sources import Pages, Sources
from reproductions.lab.analysis.claim_result import ClaimResult
from reproductions.lab.errors import UsageError
from reproductions.lab.results import benchmark, ensemble_record, picture_record, weights_record
from reproductions.lab.results.run_record import read_all
from reproductions.lab.spec.study import Study

MARKS = ("<!-- results: made by `reproduce report` -->\n", "<!-- end of results -->")


@dataclass(frozen=True)
class ReportOptions:
    """Options of `reproduce report`.

    Attributes:
        runs: Folder of records or runs; by default the committed records.
        out: Folder of the pages; by default the committed pages.
        html: Folder for the site of the pages and docs/; by default none is built.
        figures: Folder for the figures as PDF, PNG and SVG; by default none are written.
        check: Whether nothing is written, and pages that differ are an error.
    """

    runs: Path | None = None
    out: Path | None = None
    html: Path | None = None
    figures: Path | None = None
    check: bool = False


def read_sources(studies: Mapping[str, Study], runs: Path | None = None) -> Sources:
    """Read all that pages are made from.

    Raises:
        UsageError: If a file is missing or damaged.
    """
    return Sources(
        studies=studies,
        figures={name: read_figures(PUBLISHED, name) for name in studies},
        runs=read_all(runs or RUNS),
        tables=audited.read("tables"),
        claims=[ClaimResult(**row) for row in audited.read("claims")],
        comparisons=read_comparisons(PUBLISHED),
        ensembles=read_ensembles(runs / ensemble_record.FOLDER if runs else ENSEMBLES, studies),
        weights=weights_record.read_all(runs / weights_record.FOLDER if runs else WEIGHTS),
        # The committed searches belong to the committed records.
        searches=read_searches(TUNED) if runs is None else [],
        networks=audited.read_networks(),
        entries=read_entries(PUBLISHED),
        pictures={PICTURES / record.picture: record for record in picture_record.read_all(PICTURES)},
        benchmarks=benchmark.read(BENCHMARKS) if BENCHMARKS.is_file() else (),
    )


def report(studies: Mapping[str, Study], options: ReportOptions) -> None:
    """Make the pages, or check them.

    Raises:
        UsageError: If a record is damaged, `runs` is given without `out` or `html`, a folder cannot be written, or,
            with `check`, a page is not what the records give.
    """
    apart = options.html or options.figures  # from the committed pages
    if options.check and apart:
        raise UsageError("--check writes nothing: leave out --html and --figures, which are not checked")
    if options.runs is not None and options.out is None and not apart:
        raise UsageError("--runs needs --out or --html: the committed pages are made from the committed records")
    if options.out is None and not apart:
        require_checkout("report without --out DIR")
    sources = read_sources(studies, options.runs)
    check_studies(sources.runs, studies)
    pages = render(sources)
    if options.html is not None:
        build_site(pages, options.html)
        print(f"HTML: {options.html / 'index.html'}")
    if options.figures is not None:
        write_files(figure_files(pages, options.figures))
        print(f"figures: {options.figures}")
    if apart and options.out is None:
        return
    committed = options.out is None
    files = committed_files(pages) if committed else own_files(options.out or PAGES, pages)
    folder = options.out or PAGES
    stale = [path for path in folder.glob("*") if path not in files]
    if options.check:
        check_pages(files, stale)
        return
    write_files(files)
    if committed:  # another folder may hold its owner's files too
        for path in stale:
            path.unlink()
    print("\n".join(pages.headlines))
    print(f"report: {DOCS / 'results.md' if committed else folder / 'index.md'}")


def committed_files(pages: Pages) -> dict[Path, bytes]:
    """Return the committed pages by path: images are those beside the records, overviews are in docs."""
    places = {name: PAGES / name for name in (*pages.texts, *pages.charts)} | pages.images
    places |= {"index.md": DOCS / "results.md", "networks.md": DOCS / "networks.md"}
    files = {places[name]: relinked(text, places[name].parent, places) for name, text in pages.texts.items()}
    files[PAGES / "README.md"] = PAGES_README
    if README.exists():
        summary = relinked(pages.summary, README.parent, places)
        files[README] = with_summary(README.read_text(encoding="utf-8"), summary)
    return {path: text.encode() for path, text in files.items()} | drawings(pages, PAGES)


PAGES_README = "Made by `reproduce report`; the overview is [docs/results.md](../../docs/results.md).\n"


def own_files(folder: Path, pages: Pages) -> dict[Path, bytes]:
    """Return the pages of a folder of one's own by path, with copies of the images."""
    files = {inside(folder, name): text.encode() for name, text in pages.texts.items()} | drawings(pages, folder)
    return files | {inside(folder, name): path.read_bytes() for name, path in pages.images.items()}


def with_summary(readme: str, summary: str) -> str:
    """Return the README with the table between its two marks replaced."""
    if readme.count(MARKS[0]) != 1 or MARKS[1] not in readme.split(MARKS[0])[1]:
        raise UsageError(f"README.md must have the lines {MARKS[0].strip()} and {MARKS[1]} around its table, once")
    before, rest = readme.split(MARKS[0])
    after = rest.split(MARKS[1], 1)[1]
    return before + MARKS[0] + summary + MARKS[1] + after


def check_pages(files: Mapping[Path, bytes], stale: Sequence[Path]) -> None:
    """Raise UsageError, with all differences, unless every file is what it should be.

    A figure that was drawn from the same numbers is returned as it is by `drawings`, whatever matplotlib's version.
    """
    found = [f"{path} is not made from any record" for path in stale]
    for path, content in files.items():
        if not path.exists():
            found.append(f"{path} is missing")
        elif path.read_bytes() != content:
            found.append(f"{path} is not what the records give\n{first_differences(path.read_bytes(), content)}")
    if found:
        raise UsageError("\n".join([*found, "run: reproduce report"]))
    print(f"{len(files)} files are what the records give")


def first_differences(found: bytes, content: bytes) -> str:
    """Return the first lines in which a file differs from what it should be."""
    before, after = (text.decode(errors="replace").splitlines() for text in (found, content))
    lines = difflib.unified_diff(before, after, "committed", "from the records", n=0)
    return "\n".join(line[:120] for line in list(lines)[:8])
