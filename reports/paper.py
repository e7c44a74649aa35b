"""The page of a paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.citations import bibtex
from reports.ensembles import EnsembleRow, MeasuredEnsemble, ensemble_rows
from reports.figures import network, training
from reports.published import Figure
from reports.sections.architecture import architecture_tables
from reports.sections.comparisons import ComparisonSection, comparison_sections
from reports.sections.deviations import deviation_groups
from reports.sections.rerun import RerunCommand, needs_record, rerun_commands
from reports.sections.results import ResultRow, figure_of, other_recipes, result_rows
from reports.sections.run_details import FurtherTest, PublishedMistakes, confusion, further_tests, published_mistakes
from reports.sections.training_set_size import size_section
from reports.sections.tuning import tuning_section
from reports.sources import Pages, Sources
from reports.weights import WeightsRow, weights_rows
from reproductions.lab.results.picture_record import PictureRecord
from reproductions.lab.results.run_group import RunGroup
from reproductions.lab.spec.protocols import slug
from reproductions.lab.spec.study import Study
from reproductions.lab.weights import presets

KINDS = ("filters", "features", "deconv", "guided", "occlusion", "errors")  # in the order of a page
LONGEST_NAME = 100  # characters of a part of a file name that comes from a record


@dataclass(frozen=True)
class StudySummary:
    """A paper's part of the overview."""

    study: Study
    rows: list[ResultRow]
    comparisons: list[ComparisonSection]
    ensembles: list[EnsembleRow]
    weights: list[WeightsRow]
    has_runs: bool

    @property
    def answered(self) -> list[ResultRow]:
        """The rows that have runs."""
        return [row for row in self.rows if row.runs]

    @property
    def unanswered(self) -> list[ResultRow]:
        """The published figures that no run answers."""
        return [row for row in self.rows if not row.runs]


@dataclass(frozen=True)
class RunSection:
    """One group of runs on its paper's page; figures are file names."""

    group: RunGroup
    commands: list[RerunCommand]
    needs_record: bool
    curves: str | None
    sheet: str | None
    confusion: str | None
    mistakes: list[tuple[PublishedMistakes, str]]
    tests: list[FurtherTest]


def summarize(
    study: Study, sources: Sources, groups: Sequence[RunGroup], ensembles: Sequence[MeasuredEnsemble]
) -> StudySummary:
    """Return the results of a paper."""
    averaged = ensemble_rows(ensembles, study.name)
    return StudySummary(
        study=study,
        rows=result_rows(sources.figures[study.name], groups, ensembles),
        comparisons=comparison_sections(sources.comparisons, study.name, groups),
        ensembles=averaged,
        weights=weights_rows(sources.weights, study.name),
        has_runs=bool(groups or averaged),
    )


def page(summary: StudySummary, sources: Sources, groups: Sequence[RunGroup], pages: Pages) -> dict[str, Any]:
    """Return what the template of a paper's page is given, and add the figures that the page shows."""
    study, name = summary.study, summary.study.name
    sections = [run_section(number, group, sources.figures[name], pages) for number, group in enumerate(groups, 1)]
    tunings = [tuning_section(search, groups) for search in sources.searches if search.record.study == name]
    sizes = size_section(groups)
    return {
        "study": study,
        "summary": summary,
        "own": [section for section in sections if not section.group.changes],
        "others": [section for section in sections if section.group.changes],
        "other_rows": other_recipes(groups),
        "sizes": sizes,
        "size_figure": pages.add(f"{name}-sizes", sizes.chart) if sizes else None,
        "tunings": [(t, pages.add(f"{name}-search-{file_part(t.search.name)}", t.chart)) for t in tunings],
        "figures": sources.figures[name],
        "tables": architecture_tables(sources.tables.get(name, ())),
        "deviations": deviation_groups(study),
        "drawings": [drawings for each in study.drawn for drawings in network_figures(each, sources, pages)],
        "charts": pages.charts,
        "profiles": sources.networks,
        "presets": [
            each for each in presets.all_presets() if each.network in {network.name for network in study.networks}
        ],
        "pictures": pictures_of(study, sources, pages),
        "bibtex": bibtex(study),
    }


def file_part(text: str) -> str:
    """Return text as part of a file name that is not too long."""
    return slug(text)[:LONGEST_NAME]


def pictures_of(study: Study, sources: Sources, pages: Pages) -> list[PictureRecord]:
    """Add the pictures of what a paper's networks learnt, or that show its method, and return their records."""
    found = []
    for path, record in sources.pictures.items():
        if study.name in (record.study, record.method):
            pages.images[record.picture] = path
            found.append(record)
    return sorted(found, key=lambda record: (record.study != study.name, KINDS.index(record.kind), record.name))


def network_figures(name: str, sources: Sources, pages: Pages) -> list[str]:
    """Add the figures of a network and return their names."""
    if name not in sources.networks:
        return []
    profile = sources.networks[name]
    return [
        pages.add(f"network-{name}-blocks", network.diagram(profile)),
        pages.add(f"network-{name}-costs", network.layer_costs(profile)),
        pages.add(f"network-{name}-fields", network.receptive_fields(profile)),
    ]


def run_section(number: int, group: RunGroup, published: Sequence[Figure], pages: Pages) -> RunSection:
    """Return the section of a group of runs, and add the figures that it shows."""
    name = f"{group.first.study}-{number}-{file_part(f'{group.network}-{group.data}')}"
    figure = None if group.changes else figure_of(group, published)
    curves = pages.add(f"{name}-curves", training.training_curves(group, figure)) if group.first.history else None
    matrix = confusion(group)
    title = f"{group.network} on {group.data}"
    map_name = None
    if matrix:
        chart = training.confusion_map(title, matrix, "Misclassified test images, summed over the runs,")
        map_name = pages.add(f"{name}-confusion", chart)
    mistakes = [
        (each, pages.add(f"{name}-published-{i}", training.confusion_map(each.figure.label, each.matrix, "Mistakes")))
        for i, each in enumerate(published_mistakes(group, published), 1)
    ]
    sheet = group.runs[0].sheet
    if sheet.is_file():
        pages.images[f"{name}-misclassified.png"] = sheet
    return RunSection(
        group=group,
        commands=rerun_commands(group),
        needs_record=needs_record(group),
        curves=curves,
        sheet=f"{name}-misclassified.png" if sheet.is_file() else None,
        confusion=map_name,
        mistakes=mistakes,
        tests=further_tests(group),
    )
