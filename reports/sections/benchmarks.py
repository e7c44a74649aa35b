"""Measured ratios: by network, by quantity, and one by one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from reproductions.lab.results.benchmark import Benchmark


@dataclass(frozen=True)
class NetworkTable:
    """Ratios measured of several networks.

    Attributes:
        columns: One ratio of each column, for what it says of the column.
        rows: Network, and its ratio in each column; None where it is not measured.
    """

    columns: list[Benchmark]
    rows: list[tuple[str, list[Benchmark | None]]]


@dataclass(frozen=True)
class Curve:
    """How a cost grows along a quantity, relative to a first value."""

    what: str
    baseline: str
    along: str
    points: list[Benchmark]


@dataclass(frozen=True)
class BenchmarkSection:
    """All measured ratios.

    Attributes:
        networks: Those measured of several networks.
        curves: Those that are points of a curve.
        others: All others, by name.
        missed: What takes the time where aims are missed, each with the names of the ratios.
        machines: Machines and versions.
    """

    networks: NetworkTable
    curves: list[Curve]
    others: list[Benchmark]
    missed: list[tuple[str, list[str]]]
    machines: list[str]


def benchmark_section(benchmarks: Sequence[Benchmark]) -> BenchmarkSection:
    """Return all measured ratios."""
    others = [row for row in benchmarks if not row.along and not row.network]
    return BenchmarkSection(
        network_table(benchmarks), curves(benchmarks), others, missed_by_note(benchmarks), machines(benchmarks)
    )


def network_table(benchmarks: Sequence[Benchmark]) -> NetworkTable:
    """Return the ratios measured of several networks."""
    columns: dict[tuple[str, str], Benchmark] = {}
    rows: dict[str, dict[tuple[str, str], Benchmark]] = {}
    for one in benchmarks:
        if one.network:
            columns.setdefault((one.what, one.baseline), one)
            rows.setdefault(one.network, {})[one.what, one.baseline] = one
    order = sorted(columns)
    return NetworkTable(
        [columns[column] for column in order],
        [(name, [own.get(column) for column in order]) for name, own in sorted(rows.items())],
    )


def format_ratio(row: Benchmark) -> str:
    """Return a ratio with its range, on one line: "0.45 (0.43 to 0.49)"."""
    return f"{row.ratio:.2f} ({row.low:.2f} to {row.high:.2f})".replace(" ", "\N{NO-BREAK SPACE}")


def curves(benchmarks: Sequence[Benchmark]) -> list[Curve]:
    """Return the ratios that are points of a curve, in its order."""
    points = sorted((row for row in benchmarks if row.along), key=lambda point: (*curve(point), point.at or 0))
    return [Curve(*key, list(own)) for key, own in itertools.groupby(points, curve)]


def curve(point: Benchmark) -> tuple[str, str, str]:
    """Return the curve to which a point belongs: what is measured, relative to what, along which quantity."""
    return point.what, point.baseline, point.along or ""


def missed_by_note(benchmarks: Sequence[Benchmark]) -> list[tuple[str, list[str]]]:
    """Return what takes the time where aims are missed, each with the names of the benchmarks."""
    notes: dict[str, list[str]] = {}
    for row in benchmarks:
        if row.is_missed and row.note:
            notes.setdefault(row.note, []).append(row.name)
    return list(notes.items())


def machines(benchmarks: Sequence[Benchmark]) -> list[str]:
    """Return the machines and versions, each once."""
    found = (
        f"{row.machine.processor}, {row.machine.cores} cores{'' if row.machine.quiet else ', with other work'}: "
        + ", ".join(f"{name} {version}" for name, version in row.versions.items())
        for row in benchmarks
    )
    return list(dict.fromkeys(found))
