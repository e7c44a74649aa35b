"""The commands `reproduce claims` and `reproduce audit`."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

import reproductions
from reproductions.cli.options import add_format, add_recompute
from reproductions.lab import environment
from reproductions.lab.text import fitted

COLUMNS = ["slide", "quote", "published", "computed", "source", "verdict", "reason"]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands `claims` and `audit`."""
    claims = subparsers.add_parser("claims", help="check the statements of the lecture")
    claims.add_argument("--study", help="only the statements about this paper")
    add_format(claims)
    add_recompute(claims)
    claims.set_defaults(run=show_claims)

    audit = subparsers.add_parser("audit", help="recompute architecture tables, profiles and statements for the report")
    audit.set_defaults(run=write_audit)


def check_claims() -> list[dict[str, Any]]:
    """Return the results of the lecture's claims, computed now, as data; see `ClaimResult`."""
    from reports.paths import RUNS
    from reproductions.lab.analysis.claims import Evidence, audit
    from reproductions.lab.results.run_record import read_all
    from reproductions.lecture import CLAIMS
    from reproductions.lecture.measured import measured

    environment.set_up_keras()
    evidence = Evidence(reproductions.build, measured(read_all(RUNS), reproductions.networks()))
    return [asdict(result) for result in audit(CLAIMS, evidence)]


def claims_of(study: str | None, recompute: bool) -> list[dict[str, Any]]:
    """Return the results of the claims about one paper or all.

    Args:
        study: Name of the paper.
        recompute: Whether they are computed even if those of `reproduce audit` are of the present code.
    """
    from reports import audited

    current = not recompute and audited.is_current("claims")
    results = audited.read("claims") if current else check_claims()
    return [result for result in results if study in (None, result["study"])]


def show_claims(options: argparse.Namespace) -> None:
    """Print the lecture's claims with their verdicts."""
    if options.study:
        reproductions.find_study(options.study)
    results = claims_of(options.study, options.recompute)
    if options.format == "json":
        print(json.dumps(results, indent=1, ensure_ascii=False))
        return
    import pandas

    from reports.formats import format_table

    table = pandas.DataFrame(results, columns=COLUMNS)
    print(format_table(table.set_index("slide"), options.format))
    if options.format == "text":
        counts = table["verdict"].value_counts()
        print("\n" + fitted(", ".join(f"{counts[verdict]} {verdict}" for verdict in counts.index)))


def write_audit(options: argparse.Namespace) -> None:
    """Write all architecture tables and claims to the folder that the report reads."""
    from reports import audited
    from reports.paths import require_checkout
    from reproductions.lab.analysis import architecture_tables
    from reproductions.lab.analysis.blocks import profile_network

    environment.set_up_keras()
    require_checkout("audit")
    tables: dict[str, object] = {}
    for name in reproductions.studies():
        published = architecture_tables.published_cells(name)
        if not published.empty:
            tables[name] = architecture_tables.check_cells(published, reproductions.build).to_dict("records")
    networks = [asdict(profile_network(network)) for network in reproductions.networks().values()]
    for path in audited.write({"tables": tables, "networks": networks, "claims": check_claims()}):
        print(f"wrote {path}")
