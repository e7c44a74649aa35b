"""`reproduce results`: the result tables, published beside measured."""

from __future__ import annotations

import argparse
from pathlib import Path

import reproductions
from reproductions.cli.options import Subparsers, add_format


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = commands.add_parser("results", help="show the result tables, published and measured")
    parser.add_argument("study", nargs="?", help="name of the paper (default: every paper that has runs)")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="folder of records or of runs (default: committed)")
    add_format(parser)
    parser.set_defaults(run=results)


def results(options: argparse.Namespace) -> None:
    """Print the result table of a paper, or those of all papers."""
    from reports.formats import format_table
    from reports.frames import printed, results_document

    table = reproductions.results(options.study, options.runs)
    studies = reproductions.studies()
    if options.format in ("csv", "json"):
        print(format_table(table.set_index("study"), options.format))
        return
    for name, rows in table.groupby("study", sort=False):
        study = studies[str(name)]
        if options.study is None and not rows["runs"].any():
            continue
        if options.format == "latex":
            print(results_document(study, rows))
            continue
        heading = f"{study.title}, {study.year}"
        print(f"## {heading}\n" if options.format == "markdown" else f"{study.name}: {heading}\n")
        print(format_table(printed(rows), options.format), end="\n\n")
