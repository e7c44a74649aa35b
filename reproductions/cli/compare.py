"""`reproduce compare`: runs compared over seeds and image by image, from records and predictions alone."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from reproductions.cli.options import Subparsers, add_format

if TYPE_CHECKING:
    import pandas

    from reproductions.lab.results.compare import Comparison


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = commands.add_parser("compare", help="compare runs over seeds and image by image")
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folder of a run, or file of a record")
    parser.add_argument("--protocol", help="test protocol (default: the first by which all runs were tested)")
    parser.add_argument(
        "--training-error", type=float, metavar="PERCENT", help="also compare the epochs to this training error"
    )
    add_format(parser)
    parser.set_defaults(run=compare)


def compare(options: argparse.Namespace) -> None:
    """Compare runs and print tables and sentences."""
    from reproductions.lab.results.compare import compare as compare_results
    from reproductions.lab.results.comparison_text import sentences

    found = compare_results(options.runs, options.protocol, options.training_error)
    if options.format == "json":
        print(json.dumps(asdict(found), indent=1))
        return
    from reports.formats import format_table

    with_text = options.format in ("text", "markdown")
    if with_text:
        print(f"Test errors on {found.data}, {found.protocol}.\n")
    print("\n\n".join(format_table(table, options.format) for table in tables(found)))
    if with_text:
        start = "- " if options.format == "markdown" else ""
        print("\n" + "\n".join(start + sentence for sentence in sentences(found)))


def tables(found: Comparison) -> list[pandas.DataFrame]:
    """Return the comparison as tables: the runs, each network over its seeds, and every comparison."""
    import pandas

    runs = [
        {
            "network": run.network,
            "seed": run.seed,
            "errors": f"{run.errors} of {run.images:,}",
            "test error": f"{run.error:.2f}%",
            "95% interval": format_interval(run.interval),
        }
        for run in found.runs
    ]
    networks = [
        {"network": each.network, "seeds": seeds(each.seeds), "mean ± deviation": str(each.spread)}
        for each in found.networks
    ]
    pairs = [
        {
            "second - first": f"{pair.second} - {pair.first}",
            "seeds": seeds(pair.seeds),
            "difference": f"{pair.difference:+.2f} points",
            "95% interval": format_interval(pair.interval),
            "paired t, p": format_p(pair.p),
        }
        for pair in found.pairs
        if pair.difference is not None
    ]
    images = [
        {
            "first, second": f"{row.first}, {row.second}",
            "seeds": seeds(row.seeds),
            "both wrong": row.both,
            "only first": row.only_first,
            "only second": row.only_second,
            "McNemar, p": format_p(row.p),
        }
        for row in found.images
        if row.p is not None
    ]
    frames = [pandas.DataFrame(rows) for rows in (runs, networks, pairs, images) if rows]
    return [frame.set_index(frame.columns[0]) for frame in frames]


def seeds(values: Sequence[int]) -> str:
    """Return seeds as text."""
    return ", ".join(map(str, values))


def format_interval(interval: tuple[float, float] | None) -> str:
    """Return an interval as text."""
    return f"{interval[0]:.2f} to {interval[1]:.2f}" if interval else "-"


def format_p(p: float | None) -> str:
    """Return a p value as text."""
    return "-" if p is None else f"{p:.2g}"
