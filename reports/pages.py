"""From studies, published figures and records to pages: no clock, no disk, the same bytes every time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import jinja2

from reports import figures, markup
from reports.ensembles import EnsembleRow, ensemble_rows, measured_ensembles
from reports.published import Figure, PublishedComparison
from reports.run_groups import groups_of
from reports.sections.architecture import Cell, architecture_tables
from reports.sections.comparisons import ComparisonSection, comparison_sections
from reports.sections.deviations import deviation_groups
from reports.sections.rerun import RerunCommand, needs_record, rerun_commands
from reports.sections.results import (
    FurtherTest,
    Matrix,
    PublishedMistakes,
    ResultRow,
    confusion,
    further_tests,
    headline,
    other_recipes,
    published_mistakes,
    result_rows,
)
from reports.sections.training_set_size import size_section
from reports.sections.tuning import Search, tuning_section
from reports.weights import WeightsRow, check_networks, weights_rows
from reproductions.lab.analysis.claim_result import ClaimResult
from reproductions.lab.analysis.published import FAILS
from reproductions.lab.results.ensemble_record import EnsembleRecord
from reproductions.lab.results.run_group import RunGroup
from reproductions.lab.results.run_record import Run
from reproductions.lab.results.verdict import RULE
from reproductions.lab.results.weights_record import WeightsRecord
from reproductions.lab.spec import recipe_changes
from reproductions.lab.spec.protocols import slug
from reproductions.lab.spec.study import Study

LONGEST_NAME = 100  # characters of the name of a figure, which is made from names in records


@dataclass(frozen=True)
class Sources:
    """All that pages are made from.

    Attributes:
        studies: The papers by name.
        figures: The published figures of each paper.
        runs: Records of runs.
        tables: Computed cells of architecture tables, by paper.
        claims: The lecture's statements, each checked.
        comparisons: What papers say about networks compared with each other.
        searches: Hyperparameter searches.
        ensembles: Records of ensembles.
        weights: Records of published weights.
    """

    studies: Mapping[str, Study]
    figures: Mapping[str, Sequence[Figure]]
    runs: Sequence[Run]
    tables: Mapping[str, Sequence[Cell]]
    claims: Sequence[ClaimResult]
    comparisons: Sequence[PublishedComparison] = ()
    searches: Sequence[Search] = ()
    ensembles: Sequence[EnsembleRecord] = ()
    weights: Sequence[WeightsRecord] = ()


@dataclass(frozen=True)
class Pages:
    """Pages and SVG figures by file name, and the image files that pages show.

    Attributes:
        texts: Content by name.
        images: Existing image files by the name under which pages show them.
        headlines: One sentence for each group of runs.
        summary: The table of the README, in Markdown.
    """

    texts: dict[str, str] = field(default_factory=dict)
    images: dict[str, Path] = field(default_factory=dict)
    headlines: list[str] = field(default_factory=list)
    summary: str = ""


@dataclass(frozen=True)
class StudySummary:
    """A paper's part of the overview."""

    study: Study
    rows: list[ResultRow]
    comparisons: list[ComparisonSection]
    ensembles: list[EnsembleRow]
    weights: list[WeightsRow]
    has_runs: bool


@dataclass(frozen=True)
class RunSection:
    """One group of runs on its paper's page."""

    group: RunGroup
    commands: list[RerunCommand]
    needs_record: bool
    curves: str | None
    sheet: str | None
    confusion: Matrix | None
    mistakes: list[PublishedMistakes]
    tests: list[FurtherTest]


def page_environment() -> jinja2.Environment:
    """Return the environment of the templates."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=True,
        finalize=markup.finalize,
    )
    environment.filters |= {"code": markup.code, "setting": recipe_changes.format_value, "slug": file_part}
    return environment


def file_part(text: str) -> str:
    """Return text as part of a file name that is not too long."""
    return slug(text)[:LONGEST_NAME]


def render(sources: Sources) -> Pages:
    """Return every page: the overview, the lecture's statements, and one page for each paper."""
    environment, pages, summaries = page_environment(), Pages(), []
    ensembles = measured_ensembles(sources.studies, sources.ensembles)
    check_networks(sources.studies, sources.weights)
    for study in sources.studies.values():
        groups = groups_of(study, sources.runs)
        rows = result_rows(sources.figures[study.name], groups, ensembles)
        pages.headlines.extend(headline(group, sources.figures[study.name]) for group in groups)
        comparisons = comparison_sections(sources.comparisons, study.name, groups)
        averaged = ensemble_rows(ensembles, study.name)
        weights = weights_rows(sources.weights, study.name)
        summaries.append(StudySummary(study, rows, comparisons, averaged, weights, bool(groups or averaged)))
        render_study(environment, sources, summaries[-1], groups, pages)
    pages.texts["claims.md"] = render_claims(environment, sources.claims)
    index = environment.get_template("index.md.jinja").render(summaries=summaries, rule=RULE)
    pages.texts["index.md"] = tidy(index)
    networks = environment.get_template("networks.md.jinja").render(studies=sources.studies.values())
    pages.texts["networks.md"] = tidy(networks)
    summary = environment.get_template("summary.md.jinja").render(summaries=summaries)
    return replace(pages, summary=tidy(summary))


def render_study(
    environment: jinja2.Environment, sources: Sources, summary: StudySummary, groups: Sequence[RunGroup], pages: Pages
) -> None:
    """Add the page of a paper, and the figures that it shows."""
    study, name = summary.study, summary.study.name
    published = sources.figures[name]
    sections = [run_section(environment, number, group, published, pages) for number, group in enumerate(groups, 1)]
    tunings = [
        tuning_section(environment, search, groups) for search in sources.searches if search.record.study == name
    ]
    for tuning in tunings:
        pages.texts[f"{name}-search-{file_part(tuning.search.name)}.svg"] = tuning.figure
    sizes = size_section(environment, groups)
    if sizes:
        pages.texts[f"{name}-sizes.svg"] = sizes.figure
    text = environment.get_template("study.md.jinja").render(
        study=study,
        summary=summary,
        rule=RULE,
        others=other_recipes(groups),
        sizes=sizes,
        tunings=tunings,
        figures=published,
        tables=architecture_tables(sources.tables.get(name, ())),
        deviations=deviation_groups(study),
        sections=sections,
    )
    pages.texts[f"{name}.md"] = tidy(text)


def run_section(
    environment: jinja2.Environment, number: int, group: RunGroup, published: Sequence[Figure], pages: Pages
) -> RunSection:
    """Return the section of a group of runs, and add the figures that it shows."""
    name = f"{group.first.study}-{number}-{file_part(f'{group.network}-{group.data}')}"
    curves = f"{name}-curves.svg" if group.first.history else None
    if curves:
        pages.texts[curves] = figures.training_curves(environment, group)
    sheet = group.runs[0].sheet
    if sheet.is_file():
        pages.images[f"{name}-misclassified.png"] = sheet
    return RunSection(
        group=group,
        commands=rerun_commands(group),
        needs_record=needs_record(group),
        curves=curves,
        sheet=f"{name}-misclassified.png" if sheet.is_file() else None,
        confusion=confusion(group),
        mistakes=published_mistakes(group, published),
        tests=further_tests(group),
    )


def render_claims(environment: jinja2.Environment, claims: Sequence[ClaimResult]) -> str:
    """Return the page of the lecture's statements."""
    return tidy(
        environment.get_template("claims.md.jinja").render(
            claims=claims,
            counts=Counter(claim.verdict for claim in claims).most_common(),
            failing=[claim for claim in claims if claim.verdict == FAILS],
        )
    )


def render_html(pages: Pages) -> dict[str, str]:
    """Return each Markdown page as HTML, with its SVG figures inside."""
    environment, found = page_environment(), {}
    for name, text in pages.texts.items():
        if name.endswith(".md"):
            body = markup.to_html(re.sub(r"\]\((\w+)\.md\)", r"](\1.html)", text))
            body = re.sub(r'<img alt="[^"]*" src="([^"]*\.svg)" />', lambda image: pages.texts[image[1]], body)
            title = re.sub(r"\\(.)", r"\1", text.split("\n", 1)[0].removeprefix("# "))
            html = environment.get_template("page.html.jinja").render(title=title, body=body)
            found[name.replace(".md", ".html")] = html
    return found


def tidy(text: str) -> str:
    """Return text without runs of empty lines and with one newline at its end."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
