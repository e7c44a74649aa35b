"""The `reproduce` command. Commands import what they need when they run, so that help and mistakes answer at once."""

from __future__ import annotations

import gc
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
    quiet_import,
    report,
    results,
    show,
    table,
    train,
    tune,
    weights,
)
from reproductions.cli.output import LastingOutput
from reproductions.cli.parser import Parser
from reproductions.lab.environment import BACKEND
from reproductions.lab.errors import UsageError
from reproductions.lab.text import visible

COLLECT_AFTER = 10_000  # new objects

DESCRIPTION = "Train, test and tabulate the classic convolutional networks, and compare them with their papers."
EPILOG = "Exit status: 0 done, 1 a comparison differs, 2 a mistake in the arguments or files, 130 stopped by Ctrl-C."
START = f"""{DESCRIPTION}

To start:
    reproduce list            papers and their networks
    reproduce train lenet5    train LeNet-5, test it, and compare it with its paper
    reproduce table vgg       the tables of a paper, published and computed

All commands: reproduce --help"""

COMMANDS = (
    listing, train, evaluate, classify, show, tune, compare, results, table, claims, data, weights, localization,
    report,
)  # fmt: skip
LASTING = ("train", "tune", "data")  # commands that go on without a reader of their output
RESUME = "the same command with --resume continues from the last checkpoint"


def parser() -> Parser:
    """Return the parser of the command line."""
    top = Parser(prog="reproduce", description=DESCRIPTION, epilog=EPILOG)
    top.add_argument("--version", action="version", version=f"reproductions {reproductions.__version__}")
    subparsers = top.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    return top


def complete(top: Parser) -> None:
    """Answer the shell if it asks for completions, and exit."""
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(top)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command: exit status 2 for a mistake of the user, 130 for Ctrl-C."""
    output.set_up()
    top = parser()
    complete(top)
    options = top.parse_args(arguments)
    if options.command is None:
        print(START)
        return
    quiet_import.install()
    # To import TensorFlow and to build networks makes millions of objects that stay: looking for garbage after every
    # 700 of them, as by default, takes 5 to 20% of the time of `reproduce claims --recompute`.
    gc.set_threshold(COLLECT_AFTER)
    os.environ["KERAS_BACKEND"] = BACKEND  # before keras.json
    try:
        with redirect_stdout(LastingOutput(sys.stdout)) if options.command in LASTING else nullcontext():
            options.run(options)
            sys.stdout.flush()
    except UsageError as error:
        print(f"reproduce: {visible(str(error))}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        if not output.is_closed():
            raise
        output.silence()
        sys.exit(1)
    except KeyboardInterrupt:
        print(f"\nreproduce: stopped; {getattr(options, 'resume_hint', RESUME)}", file=sys.stderr)
        sys.exit(130)
