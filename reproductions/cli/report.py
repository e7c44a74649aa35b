"""`reproduce report`: the pages, from the records and the published figures."""

from __future__ import annotations

import argparse
from pathlib import Path

import reproductions
from reproductions.cli.options import Subparsers


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = commands.add_parser("report", help="make the pages from the records and the published figures")
    parser.add_argument("--runs", type=Path, help="folder of records or of runs (default: the committed records)")
    parser.add_argument("--out", type=Path, help="folder of the pages (default: the committed pages)")
    parser.add_argument("--html", type=Path, metavar="DIR", help="build the site of the pages and docs/ in this folder")
    parser.add_argument(
        "--figures", type=Path, metavar="DIR", help="write every figure as PDF, PNG and SVG to this folder"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page would change")
    parser.set_defaults(run=report)


def report(options: argparse.Namespace) -> None:
    """Make or check the pages."""
    from reports.build import ReportOptions
    from reports.build import report as make

    named = {name: getattr(options, name) for name in ("runs", "out", "html", "figures", "check")}
    make(reproductions.studies(), ReportOptions(**named))
