"""What pages are made from, and what they are: texts, figures and images by file name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reports.figures.chart import Chart
from reports.published import Figure, PublishedComparison
from reports.sections.architecture import Cell
from reports.sections.tuning import Search
from reproductions.lab.analysis.claim_result import ClaimResult
from reproductions.lab.analysis.network_profile import NetworkProfile
from reproductions.lab.results.benchmark import Benchmark
from reproductions.lab.results.ensemble_record import EnsembleRecord
from reproductions.lab.results.picture_record import PictureRecord
from reproductions.lab.results.run_record import Run
from reproductions.lab.results.weights_record import WeightsRecord
from reproductions.lab.spec.study import Study


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
        networks: Profiles of networks by name.
        entries: Top-5 test errors of ILSVRC by "year/name".
        pictures: Records of pictures of what networks learnt, by the path of the picture.
        benchmarks: Measured ratios.
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
    networks: Mapping[str, NetworkProfile] = field(default_factory=dict)
    entries: Mapping[str, float] = field(default_factory=dict)
    pictures: Mapping[Path, PictureRecord] = field(default_factory=dict)
    benchmarks: Sequence[Benchmark] = ()


@dataclass(frozen=True)
class Pages:
    """Pages, their figures, and the image files that they show, by file name.

    Attributes:
        texts: Markdown by name.
        charts: Figures by the name of the SVG file.
        images: Existing image files by the name under which pages show them.
        headlines: One sentence for each group of runs.
        summary: The table of the README, in Markdown.
    """

    texts: dict[str, str] = field(default_factory=dict)
    charts: dict[str, Chart] = field(default_factory=dict)
    images: dict[str, Path] = field(default_factory=dict)
    headlines: list[str] = field(default_factory=list)
    summary: str = ""

    def add(self, name: str, chart: Chart) -> str:
        """Add a figure, and return what shows it on a page: the name of its file."""
        self.charts[f"{name}.svg"] = chart
        return f"{name}.svg"
