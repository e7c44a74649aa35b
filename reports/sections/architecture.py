"""The architecture tables of a paper, published beside computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import pandas

from reports.formats import format_table, side_by_side


@dataclass(frozen=True)
class ArchitectureTable:
    """One published table in Markdown, each cell with the computed value, and notes on cells that differ."""

    title: str
    table: str
    notes: list[str]


class Cell(TypedDict):
    """A cell of a published table and what was computed, as `architecture_tables.check_cells` of the lab gives it."""

    table: str
    row: str
    column: str
    network: str
    layers: str
    quantity: str
    published: str
    kilo: str
    reason: str
    computed: str
    verdict: str


def architecture_tables(cells: Sequence[Cell]) -> list[ArchitectureTable]:
    """Return the tables of a paper from their cells."""
    if not cells:
        return []
    found = []
    for title, own in pandas.DataFrame(cells).groupby("table", sort=False):
        table, notes = side_by_side(own)
        found.append(ArchitectureTable(str(title), format_table(table, "markdown"), notes))
    return found
