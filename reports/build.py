"""From disk to disk: records and figures are read, pages rendered and written, or held against those there."""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas

import reproductions
from reports import run_groups
from reports.pages import Computed, Pages, render
from reports.sections import tuning
from reproductions.lab.files import atomic_write
from reproductions.lab.results import run_record

HERE = Path(__file__).parent
PUBLISHED = Path(reproductions.__file__).parent / "published"
COMPUTED = HERE / "computed"
SEARCHES = HERE / "tuned"
README = HERE.parent / "README.md"
MARKS = ("<!-- results: made by `reproduce report` -->\n", "<!-- end of results -->")


def published_figures(study: str) -> pandas.DataFrame:
    """What a study's paper printed, one figure a row; empty cells are empty strings but in `error`."""
    dtypes: dict[str, type] = defaultdict(lambda: str, error=float)  # a column without an entry has no type
    table = pandas.read_csv(PUBLISHED / f"{study}.csv", dtype=dtypes)
    texts = table.columns.drop("error")
    return table.assign(**{name: table[name].fillna("").astype(str) for name in texts})


def published_comparisons() -> list[dict[str, Any]]:
    """What papers printed of networks held against each other; all texts."""
    table = pandas.read_csv(PUBLISHED / "comparisons.csv", dtype=str, keep_default_na=False)
    return table.to_dict("records")


def computed() -> Computed:
    """The tables and claims that `reproduce audit` left in reports/computed."""
    try:
        return Computed(*(json.loads((COMPUTED / f"{name}.json").read_text()) for name in ("tables", "claims")))
    except (OSError, ValueError) as error:
        raise reproductions.UsageError(f"{COMPUTED} cannot be read: {error}; run: reproduce audit") from None


def with_results(readme: str, index: str) -> str:
    """The README with the results between its two marks replaced by those of the index."""
    before, rest = readme.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    shown = index.split("\n", 2)[2].replace("## [", "### [").replace("](", "](reports/pages/")
    return before + MARKS[0] + shown + MARKS[1] + after


def report(runs: Path | None = None, out: Path | None = None, check: bool = False) -> None:
    """Makes the pages from a folder of records; the committed ones where none is named.

    With `check` nothing is written. Raises UsageError for a damaged record, for records of one's own without
    a folder `out`, and, with `check`, for pages that are not what the records give.
    """
    if runs is not None and out is None:
        raise reproductions.UsageError("--runs needs --out: the committed pages are made from the committed records")
    studies = reproductions.studies()
    published = {name: published_figures(name) for name in studies}
    records = run_record.read_all(runs or reproductions.RUNS)
    # The committed searches belong to the committed records: those of one's own have pages in their folders.
    searched = tuning.read_all(SEARCHES) if runs is None else []
    pages: Pages = render(studies, published, records, computed(), published_comparisons(), searched)
    folder = out or HERE / "pages"
    files = {folder / name: text for name, text in pages.items()}
    if out is None and README.exists():
        files[README] = with_results(README.read_text(), pages["index.md"])
    stale = [path for path in folder.glob("*") if path not in files]
    if check:
        check_pages(files, stale)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise reproductions.UsageError(f"{folder} cannot be made: {error.strerror}") from None
    for path, text in files.items():
        with atomic_write(path) as unfinished:
            unfinished.write_bytes(text.encode())
    if out is None:  # the folder of the committed pages; another one may hold its owner's files too
        for path in stale:
            path.unlink()
    for study in studies.values():
        for found in run_groups.runs_of(study, records):
            print(run_groups.headline(found, published[study.name]))
    print(f"report: {folder / 'index.md'}")


def check_pages(files: dict[Path, str], stale: list[Path]) -> None:
    """UsageError, with the first differences, unless every file is what it should be."""
    for path in stale:
        raise reproductions.UsageError(f"{path} is made from no record; run: reproduce report")
    for path, text in files.items():
        there = path.read_text() if path.exists() else ""
        if there != text:
            lines = difflib.unified_diff(there.splitlines(), text.splitlines(), "committed", "from the records", n=0)
            shown = "\n".join(line[:120] for line in list(lines)[:8])
            raise reproductions.UsageError(f"{path} is not what the records give; run: reproduce report\n{shown}")
    print(f"{len(files)} pages are what the records give")
