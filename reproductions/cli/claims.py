"""The commands `reproduce claims` and `reproduce audit`."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import reproductions
from reproductions.lab import environment

if TYPE_CHECKING:
    from reproductions.lab.analysis.claims import ClaimResult

COLUMNS = ["slide", "quote", "published", "computed", "source", "verdict", "reason"]
LINE_WIDTH = 1000  # one cell or claim per line


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands `claims` and `audit`."""
    claims = subparsers.add_parser("claims", help="check the statements of the lecture")
    claims.add_argument("--study", help="only the statements about this paper")
    claims.add_argument(
        "--format", choices=("text", "json", "markdown"), default="text", help="output format (default: text)"
    )
    claims.set_defaults(run=show_claims)

    audit = subparsers.add_parser("audit", help="recompute all architecture tables and statements for the report")
    audit.set_defaults(run=write_audit)


def check_claims(study: str | None = None) -> list[ClaimResult]:
    """Return the results of the lecture's claims, or of those about one paper."""
    from reports.paths import RUNS
    from reproductions.lab.analysis.claims import Evidence, audit
    from reproductions.lab.results.run_record import read_all
    from reproductions.lecture import CLAIMS
    from reproductions.lecture.measured import measured

    environment.set_up_keras()
    evidence = Evidence(reproductions.build, measured(read_all(RUNS), reproductions.networks()))
    return audit(CLAIMS, evidence, study)


def show_claims(options: argparse.Namespace) -> None:
    """Print the lecture's claims with their verdicts."""
    if options.study:
        reproductions.find_study(options.study)
    results = [asdict(result) for result in check_claims(options.study)]
    if options.format == "json":
        print(json.dumps(results, indent=1))
        return
    import pandas

    from reports.formats import format_table

    table = pandas.DataFrame(results, columns=COLUMNS)
    print(format_table(table.set_index("slide"), options.format))
    counts = table["verdict"].value_counts()
    print("\n" + ", ".join(f"{counts[verdict]} {verdict}" for verdict in counts.index))


def write_audit(options: argparse.Namespace) -> None:
    """Write all architecture tables and claims to the folder that the report reads."""
    from reports.paths import COMPUTED, require_checkout
    from reproductions.lab.analysis import architecture_tables
    from reproductions.lab.files import write_json

    require_checkout("audit")
    tables: dict[str, object] = {}
    for name in reproductions.studies():
        published = architecture_tables.published_cells(name)
        if not published.empty:
            tables[name] = architecture_tables.check_cells(published, reproductions.build).to_dict("records")
    claims = [asdict(result) for result in check_claims()]
    COMPUTED.mkdir(exist_ok=True)
    for path, data in ((COMPUTED / "tables.json", tables), (COMPUTED / "claims.json", claims)):
        write_json(path, data, LINE_WIDTH)
        print(f"wrote {path}")
