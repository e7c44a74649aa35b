"""Records and result tables as pandas DataFrames, and result tables for a LaTeX document."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas

from reports.build import read_sources
from reports.citations import bibtex, citation_key
from reports.ensembles import measured_ensembles
from reports.formats import with_tex_symbols
from reports.paths import PUBLISHED, RUNS
from reports.published import Figure, read_figures
from reports.run_groups import check_studies, groups_of
from reports.sections.results import figure_of, result_rows, verdict_of
from reproductions.lab.results import run_record
from reproductions.lab.results.run_group import RunGroup
from reproductions.lab.results.run_record import Record
from reproductions.lab.spec.study import Study

# Columns of a result table that a terminal or document has room for.
PRINTED = ("published", "measured", "difference", "confidence", "runs", "verdict")
SPECIAL = re.compile(r"([&%#_])")  # characters that LaTeX does not print as they are
# Columns of the result table in a LaTeX document and their shares of its width. The difference is left out for lack of
# room; long texts are wrapped.
TEX_WIDTHS = {
    "label": 0.24, "published": 0.165, "measured": 0.19, "confidence": 0.175, "runs": 0.07, "verdict": 0.16,
}  # fmt: skip


def records(studies: Mapping[str, Study], folder: Path | None = None) -> pandas.DataFrame:
    """Return the records of runs as a table; see `reproductions.records`."""
    runs = run_record.read_all(Path(folder or RUNS))
    check_studies(runs, studies)
    columns: dict[Path, dict[str, object]] = {}
    for study in studies.values():
        figures = read_figures(PUBLISHED, study.name)
        for group in groups_of(study, runs):
            verdict = own_verdict(group, figures)
            columns |= {run.path: {**summarize(run.record, group), "verdict": verdict} for run in group.runs}
    return pandas.DataFrame([{**vars(run.record), **columns[run.path]} for run in runs])


def summarize(record: Record, group: RunGroup) -> dict[str, object]:
    """Return the further columns of a record in `records`."""
    return {
        "test_error": record.test.top1.error,
        "test_errors": record.test.top1.errors,
        "training_images": record.training_images,
        "own_recipe": group.own is not None and not group.changed_fields,
    }


def own_verdict(group: RunGroup, figures: Sequence[Figure]) -> str:
    """Return the verdict on a group of runs by its network's own recipe; an empty string for another recipe."""
    if group.changes:
        return ""
    return verdict_of(group, group.measures[0], figure_of(group, figures))


def results(studies: Mapping[str, Study], names: Sequence[str], runs: Path | None = None) -> pandas.DataFrame:
    """Return the result tables of papers as one table.

    Args:
        studies: All papers by name.
        names: Names of the papers to show.
        runs: Folder of records or of runs; by default the committed ones.

    Returns:
        A row for each published figure and its runs, then for runs without a published figure. `study` and the fields
        of `ResultRow` are the columns.
    """
    sources = read_sources(studies, runs)
    ensembles = measured_ensembles(studies, sources.ensembles)
    rows = [
        {"study": name, **asdict(row)}
        for name in names
        for row in result_rows(sources.figures[name], groups_of(studies[name], sources.runs), ensembles)
    ]
    return pandas.DataFrame(rows)


def printed(table: pandas.DataFrame) -> pandas.DataFrame:
    """Return the columns of a paper's result table that a terminal or document has room for, by label."""
    return table.set_index("label")[list(PRINTED)].rename_axis(None)


def results_document(study: Study, table: pandas.DataFrame) -> str:
    """Return a paper's results as a LaTeX table as wide as the text; it needs the packages array, booktabs, longtable.

    Args:
        study: The paper.
        table: Its rows of `results`.
    """
    title = SPECIAL.sub(r"\\\1", study.title)
    columns = (
        rf">{{\{'raggedleft' if name == 'runs' else 'raggedright'}\arraybackslash}}"
        rf"p{{\dimexpr {share}\linewidth-2\tabcolsep}}"
        for name, share in TEX_WIDTHS.items()
    )
    text = (
        table.set_index("label")[list(TEX_WIDTHS)[1:]]
        .rename_axis(None)
        .style.format(escape="latex", formatter={"runs": "{:d}"})
        .format_index(escape="latex")
        .to_latex(
            hrules=True,
            environment="longtable",
            column_format=f"@{{}}{''.join(columns)}@{{}}",
            caption=f"{title}: published and measured results \\cite{{{citation_key(study)}}}.",
            label=f"tab:{study.name}",
        )
    )
    small = "\\begingroup\\footnotesize\\setlength{\\tabcolsep}{3pt}\n"
    needed = "% needs \\usepackage{array,booktabs,longtable}; for the bibliography:\n"
    return needed + commented(bibtex(study)) + small + with_tex_symbols(text) + "\\endgroup"


def commented(text: str) -> str:
    """Return lines as comments of LaTeX."""
    return "".join(f"% {line}\n" for line in text.splitlines())
