"""The `reproduce` command. Nothing here imports TensorFlow before it is needed."""

from __future__ import annotations

import argparse
import os
import select
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import reproductions
from reproductions.cli import claims, compare, evaluate, listing, localization, report, table, train, tune
from reproductions.lab import environment
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
    add_data(commands)

    report.add_parser(commands)
    return top


def add_data(commands: Any) -> None:
    data = commands.add_parser("data", help="data sets: what is there, ImageNet prepared, files verified")
    actions = data.add_subparsers(dest="action", required=True)

    status = actions.add_parser("status", help="what is where, what is missing, and where to get it")
    status.add_argument("--data-dir", type=Path, help="default: the folder that REPRODUCTIONS_DATA names")
    status.set_defaults(run=show_status)

    verify = actions.add_parser("verify", help="hold prepared files to the checksums they were written with")
    verify.add_argument("folder", type=Path, metavar="DIR", help="a prepared folder, or the one that holds it")
    verify.set_defaults(run=verify_data)

    prepare = actions.add_parser("prepare", help="make shards of ImageNet's official files; goes on where it stopped")
    prepare.add_argument("name", choices=("imagenet",))
    prepare.add_argument(
        "--from", dest="source", type=Path, required=True, metavar="DIR",
        help="holds the official tars and devkit, or train/WNID/*.JPEG and val/*.JPEG or val/WNID/*.JPEG",
    )  # fmt: skip
    prepare.add_argument("--to", type=Path, required=True, metavar="DIR", help="gets a folder with the shards")
    prepare.add_argument(
        "--keep-originals", dest="originals", action="store_true", help="do not shrink short sides to 256 pixels"
    )
    prepare.add_argument("--workers", type=int, help="processes; default: as many as there are cores")
    prepare.add_argument("--shards", type=int, help="of the training set; default: one for 5,005 pictures")
    prepare.add_argument("--train-only", action="store_true", help="there are no validation pictures")
    prepare.add_argument("--subset", action="store_true", help="all 1,000 classes, but not all pictures, are meant")
    prepare.add_argument("--blacklist", type=Path, help="numbers of blacklisted validation pictures, one a line")
    prepare.set_defaults(run=prepare_data, go_on="the same command goes on where it stopped")


def show_status(options: argparse.Namespace) -> None:
    from reproductions.lab.data.status import status

    print(status(options.data_dir))


def verify_data(options: argparse.Namespace) -> None:
    from reproductions.lab.data.status import verify

    wrong = verify(options.folder)
    print("\n".join(wrong) or "every file is as it was written")
    sys.exit(1 if wrong else 0)


def prepare_data(options: argparse.Namespace) -> None:
    from reproductions.lab.data.imagenet import prepare
    from reproductions.lab.data.imagenet.layout import Options

    names = ("source", "to", "originals", "shards", "train_only", "subset", "blacklist")
    asked = {name: getattr(options, name) for name in names}
    count = environment.cores() if options.workers is None else options.workers
    print(f"prepared: {prepare.prepare(Options(workers=count, **asked))}")


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
