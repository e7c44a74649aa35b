"""The `reproduce` command. Commands import what they need when they run, so that help and mistakes answer at once."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout

import reproductions
from reproductions.cli import (
    claims,
    classify,
    compare,
    data,
    evaluate,
    listing,
    localization,
    output,
    report,
    table,
    train,
    tune,
    weights,
)
from reproductions.cli.output import LastingOutput
from reproductions.lab.environment import BACKEND
from reproductions.lab.errors import UsageError

COMMANDS = (listing, train, evaluate, classify, localization, compare, tune, table, claims, data, weights, report)
LASTING = ("train", "tune", "data")  # commands that go on without a reader of their output
RESUME = "the same command with --resume continues from the last checkpoint"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="reproduce", description="Regenerate the tables of classic papers.")
    top.add_argument("--version", action="version", version=f"reproductions {reproductions.__version__}")
    subparsers = top.add_subparsers(dest="command", required=True)
    for command in COMMANDS:
        command.add_parser(subparsers)
    return top


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command: exit status 2 for a mistake of the user, 130 for Ctrl-C."""
    output.set_up()
    options = parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = BACKEND  # before keras.json
    try:
        with redirect_stdout(LastingOutput(sys.stdout)) if options.command in LASTING else nullcontext():
            options.run(options)
            sys.stdout.flush()
    except UsageError as error:
        print(f"reproduce: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        if not output.is_closed():
            raise
        output.silence()
        sys.exit(1)
    except KeyboardInterrupt:
        print(f"\nreproduce: stopped; {getattr(options, 'resume_hint', RESUME)}", file=sys.stderr)
        sys.exit(130)
