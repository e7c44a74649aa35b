"""Pages of records that a test makes up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from reports.build import read_sources
from reports.pages import render
from reports.sources import Pages
from reproductions.lab.results.run_record import Record, Run
from tests.helpers.records import STUDIES, as_runs


def pages(records: Iterable[Record | Run], **sources: Any) -> Pages:
    """Pages of these records, with the published figures and computed tables of the suite."""
    runs = [record if isinstance(record, Run) else as_runs(record)[0] for record in records]
    made = replace(read_sources(STUDIES), runs=runs, comparisons=(), searches=(), pictures={})
    return render(replace(made, **sources))
