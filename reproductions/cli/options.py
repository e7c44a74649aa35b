"""Types and values that several commands' options share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import reproductions
from reproductions.lab.spec import Classifier, Network, Study

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]
    Container = argparse._ActionsContainer  # a parser or one of its groups
else:
    Subparsers = Container = object

FORMATS = ("text", "markdown", "csv", "json", "latex")


def add_format(options: Container) -> None:
    """Add the option for the format of tables, the same for every command that prints one."""
    options.add_argument("--format", choices=FORMATS, default="text", help="output format (default: text)")


@contextmanager
def table_alone(output_format: str) -> Iterator[None]:
    """Print to the standard error within the block, if what is printed after it is a table that programs read."""
    with nullcontext() if output_format == "text" else redirect_stdout(sys.stderr):
        yield


def add_recompute(parser: argparse.ArgumentParser) -> None:
    """Add the option to compute what `reproduce audit` has computed."""
    parser.add_argument(
        "--recompute", action="store_true", help="compute again, even if the results of `audit` are of this code"
    )


def add_data_dir(options: Container) -> None:
    """Add the option for the folder of the data sets."""
    options.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="folder of the data sets (default: $REPRODUCTIONS_DATA)"
    )


def add_network(options: Container) -> None:
    """Add the arguments that name a network: its study and, for another one than the paper's own, its name."""
    options.add_argument("study", help="name of the paper or of a network, see `reproduce list`")
    options.add_argument(
        "--network", help="name of the network (default: of a paper its own, the first in `reproduce list`)"
    )


def find_network(options: argparse.Namespace) -> tuple[Study, Network]:
    """Return the study and the network that the arguments of `add_network` name; UsageError if there is none."""
    study, name = named(options)
    return study, reproductions.find_network(name, study)


def find_model(options: argparse.Namespace) -> tuple[Study, Network | Classifier]:
    """Return the study and the network or classifier that the arguments of `add_network` name; else UsageError."""
    study, name = named(options)
    return study, reproductions.find_model(name, study)


def named(options: argparse.Namespace) -> tuple[Study, str]:
    """Return the study and the name of the network that the arguments of `add_network` name."""
    if options.network:
        return reproductions.find_study(options.study), options.network
    study, model = reproductions.find(options.study)
    return study, model.name
