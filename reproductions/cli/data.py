"""The commands `reproduce data status`, `verify` and `prepare`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from reproductions.cli.options import Subparsers, add_data_dir
from reproductions.lab import environment


def add_parser(subparsers: Subparsers) -> None:
    """Add the command `data` with its actions."""
    parser = subparsers.add_parser("data", help="find, verify and prepare data sets")
    actions = parser.add_subparsers(dest="action", required=True)

    status = actions.add_parser("status", help="list the data sets, found or missing, and where to get them")
    add_data_dir(status)
    status.set_defaults(run=show_status)

    verify = actions.add_parser("verify", help="compare prepared files with their checksums")
    verify.add_argument("folder", type=Path, metavar="DIR", help="prepared folder, or the folder that contains it")
    verify.set_defaults(run=verify_data)

    add_prepare(actions)


def add_prepare(actions: Subparsers) -> None:
    """Add the action `prepare`."""
    parser = actions.add_parser("prepare", help="convert ImageNet's official files to shards; resumes if interrupted")
    subject = parser.add_argument_group("what to prepare")
    subject.add_argument("name", choices=("imagenet",), help="data set to prepare")
    subject.add_argument(
        "--from",
        dest="source",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder with the official tars and devkit, or with train/WNID/*.JPEG and val/*.JPEG or val/WNID/*.JPEG",
    )
    subject.add_argument("--train-only", action="store_true", help="prepare the training images alone")
    subject.add_argument("--subset", action="store_true", help="accept all 1,000 classes with missing images")
    subject.add_argument(
        "--blacklist",
        type=Path,
        metavar="FILE",
        help="numbers of blacklisted validation images, one per line (default: the devkit's list)",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--to", dest="destination", type=Path, required=True, metavar="DIR", help="folder to create the prepared one in"
    )
    output.add_argument(
        "--keep-originals", dest="originals", action="store_true", help="do not resize images to a short side of 256"
    )
    output.add_argument(
        "--shards", type=int, metavar="N", help="number of training shards (default: one per 5,005 images)"
    )
    parser.add_argument_group("performance").add_argument(
        "--workers", type=int, metavar="N", help="number of processes (default: one per core)"
    )
    parser.set_defaults(run=prepare_data, resume_hint="the same command resumes where it stopped")


def show_status(options: argparse.Namespace) -> None:
    """Print which data sets are found and how to get the others."""
    from reproductions.lab.data.status import status

    print(status(options.data_dir))


def verify_data(options: argparse.Namespace) -> None:
    """Print damaged files and exit with status 1 if there are any."""
    from reproductions.lab.data.status import verify

    problems = verify(options.folder)
    print("\n".join(problems) or "all files match their checksums")
    sys.exit(1 if problems else 0)


def prepare_data(options: argparse.Namespace) -> None:
    """Prepare ImageNet and print the folder."""
    from reproductions.lab.data.imagenet.layout import PrepareOptions
    from reproductions.lab.data.imagenet.prepare import prepare

    folder = prepare(
        PrepareOptions(
            source=options.source,
            destination=options.destination,
            originals=options.originals,
            workers=environment.cores() if options.workers is None else options.workers,
            shards=options.shards,
            train_only=options.train_only,
            subset=options.subset,
            blacklist=options.blacklist,
        )
    )
    print(f"prepared: {folder}")
