"""The command `reproduce compare`. It needs neither TensorFlow nor the networks: records and predictions tell all."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def add_compare(commands: Any) -> None:
    comparison = commands.add_parser("compare", help="runs against each other: over seeds, and image by image")
    comparison.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="a run's folder, or the file of a record")
    comparison.add_argument("--protocol", help="of the tests; default: the first that all runs were tested by")
    comparison.add_argument(
        "--training-error", type=float, metavar="PERCENT", help="tell the passes that each network took to it"
    )
    comparison.add_argument("--format", choices=("text", "markdown", "json"), default="text")
    comparison.set_defaults(run=compare)


def compare(options: argparse.Namespace) -> None:
    from reproductions.lab.results import compare as lab

    found = lab.compare(options.runs, options.protocol, options.training_error)
    if options.format == "json":
        print(json.dumps(found, indent=1))
        return
    from reports.formats import written

    print(f"Test errors on {found['data']}, {found['protocol']}.\n")
    for table in tables(found):
        print(written(table, options.format), end="\n\n")
    start = "- " if options.format == "markdown" else ""
    print("\n".join(start + sentence for sentence in lab.sentences(found)))


def tables(found: dict[str, Any]) -> list[Any]:
    """What was found as data frames: the runs, each network over its seeds, and every comparison."""
    import pandas

    runs = [
        {"network": run["network"], "seed": run["seed"], "errors": f"{run['errors']} of {run['images']:,}",
         "test error": f"{run['error']:.2f}%", "95% interval": span(run["interval"])}
        for run in found["runs"]
    ]  # fmt: skip
    networks = [
        {"network": each["network"], "seeds": ", ".join(map(str, each["seeds"])), "mean ± deviation": mean(each)}
        for each in found["networks"]
    ]
    pairs = [
        {"second - first": f"{pair['second']} - {pair['first']}", "seeds": ", ".join(map(str, pair["seeds"])),
         "difference": f"{pair['difference']:+.2f} points", "95% interval": span(pair["interval"]),
         "paired t, p": p(pair)}
        for pair in found["pairs"] if pair["seeds"]
    ]  # fmt: skip
    images = [
        {"first, second": f"{row['first']}, {row['second']}", "seeds": ", ".join(map(str, row["seeds"])),
         "both wrong": row["both"], "only first": row["only_first"], "only second": row["only_second"],
         "McNemar, p": p(row)}
        for row in found["images"] if row["p"] is not None
    ]  # fmt: skip
    frames = [pandas.DataFrame(rows) for rows in (runs, networks, pairs, images) if rows]
    return [frame.set_index(frame.columns[0]) for frame in frames]


def span(interval: list[float] | None) -> str:
    return f"{interval[0]:.2f} to {interval[1]:.2f}" if interval else "-"


def mean(network: dict[str, Any]) -> str:
    from reproductions.lab.results.stats import mean_in_words

    return mean_in_words(network["error"], network["deviation"])


def p(test: dict[str, Any]) -> str:
    return "-" if test["p"] is None else f"{test['p']:.2g}"
