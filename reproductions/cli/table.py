"""The command `reproduce table`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import reproductions
from reproductions.cli.options import add_format, add_recompute
from reproductions.lab import environment
from reproductions.lab.errors import UsageError
from reproductions.lab.spec import Network, Study

if TYPE_CHECKING:
    import pandas


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `table`."""
    parser = subparsers.add_parser("table", help="compare a paper's architecture tables with its networks")
    parser.add_argument("study", help="name of the paper, or of a network to show, see `reproduce list`")
    parser.add_argument("--network", help="show this network layer by layer instead")
    add_format(parser)
    add_recompute(parser)
    parser.set_defaults(run=show_table)


def show_table(options: argparse.Namespace) -> None:
    """Print the architecture tables of a paper, or the layers of a network."""
    study, network = reproductions.find(options.study)
    if options.network or options.study != study.name:
        show_layers(reproductions.find_network(options.network or network.name, study), options.format)
        return
    from reports.formats import format_table, side_by_side

    cells = cells_of(study, options.recompute)
    if options.format in ("csv", "json"):
        print(format_table(cells.set_index("table"), options.format))
        return
    for title, own in cells.groupby("table", sort=False):
        table, notes = side_by_side(own)
        print(f"{title}: published (computed)\n\n{format_table(table, options.format)}\n")
        for number, note in enumerate(notes, 1):
            print(f"[{number}] {note}")
        print()


def cells_of(study: Study, recompute: bool) -> pandas.DataFrame:
    """Return the cells of a paper's architecture tables, as `architecture_tables.check_cells` does.

    Args:
        study: The paper.
        recompute: Whether they are computed even if those of `reproduce audit` are of the present code.

    Raises:
        UsageError: If no table of the paper is available.
    """
    import pandas

    from reports import audited
    from reproductions.lab.analysis import architecture_tables

    cells = architecture_tables.published_cells(study.name)
    if cells.empty:
        raise UsageError(
            f"no published architecture tables of {study.name} are available; to show a network layer by layer, run: "
            f"reproduce table {study.name} --network {study.networks[0].name}"
        )
    if not recompute and audited.is_current("tables"):
        return pandas.DataFrame(audited.read("tables")[study.name])
    environment.set_up_keras()
    return architecture_tables.check_cells(cells, reproductions.build)


def show_layers(network: Network, output_format: str) -> None:
    """Print the layers of a network."""
    from reports.formats import format_table
    from reproductions.lab.analysis import architecture_tables

    environment.set_up_keras()
    print(format_table(architecture_tables.layer_table(network.build), output_format))
