"""The `reproduce` command. Nothing here imports TensorFlow before it is needed."""

from __future__ import annotations

import argparse
import os
import select
import sys
from collections.abc import Sequence

import reproductions
from reproductions.cli import claims, compare, data, evaluate, listing, localization, report, table, train, tune
from reproductions.lab.errors import UsageError


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="reproduce", description="Regenerate the tables of classic papers.")
    top.add_argument("--version", action="version", version=f"reproductions {reproductions.__version__}")
    commands = top.add_subparsers(dest="command", required=True)

    listing.add_parser(commands)

    train.add_parser(commands)
    evaluate.add_parser(commands)
    localization.add_parser(commands)
    compare.add_parser(commands)
    tune.add_parser(commands)

    table.add_parser(commands)
    claims.add_parser(commands)
    data.add_parser(commands)

    report.add_parser(commands)
    return top


def main(words: Sequence[str] | None = None) -> None:
    options = parser().parse_args(words)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        options.run(options)
        sys.stdout.flush()
    except UsageError as mistake:
        print(f"reproduce: {mistake}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        if not output_is_closed():
            raise
        # Python flushes the output when it exits, which would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        go_on = getattr(options, "go_on", "the same command with --resume goes on from the last saved state")
        print(f"\nreproduce: stopped; {go_on}", file=sys.stderr)
        sys.exit(130)


def output_is_closed() -> bool:
    """Return whether the reader of the standard output, such as `head`, has closed the pipe."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), select.POLLOUT)
    return any(events & select.POLLERR for _, events in poll.poll(0))


if __name__ == "__main__":
    main()
