"""Test error by the number of training images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.figures.chart import Chart
from reports.figures.training import training_set_sizes
from reproductions.lab.results.run_group import RunGroup


@dataclass(frozen=True)
class SizeRow:
    """Test error of a network trained on some number of images."""

    network: str
    images: int
    measured: str
    runs: int


@dataclass(frozen=True)
class SizeSection:
    """Rows of the table, and the figure."""

    rows: list[SizeRow]
    chart: Chart


def by_size(groups: Sequence[RunGroup]) -> list[list[RunGroup]]:
    """Return groups by the network's own recipe on all or the first training images, by increasing number.

    There is one list for each network with at least two numbers.
    """
    networks: dict[str, list[RunGroup]] = {}
    for group in groups:
        if group.data == group.own_recipe.dataset and not group.changed_fields - {"training_images"}:
            networks.setdefault(group.network, []).append(group)
    return [sorted(own, key=lambda each: each.first.training_images) for own in networks.values() if len(own) > 1]


def size_section(groups: Sequence[RunGroup]) -> SizeSection | None:
    """Return the section; None if no network was trained on two numbers of images."""
    sized = by_size(groups)
    if not sized:
        return None
    rows = [
        SizeRow(group.network, group.first.training_images, str(group.spread()), len(group.runs))
        for own in sized
        for group in own
    ]
    return SizeSection(rows, training_set_sizes(sized))
