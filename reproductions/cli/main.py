"""The `reproduce` command. Nothing here imports TensorFlow before it is needed."""

from __future__ import annotations

import argparse
import os
import select
import sys
from collections.abc import Sequence
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import reproductions
from reproductions.cli import claims, compare, evaluate, listing, localization, report, table, tune
from reproductions.lab import environment
from reproductions.lab.errors import UsageError


def fraction(word: str) -> Fraction:
    try:
        return Fraction(word)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"{word!r} is no number such as 4 or 1/4") from None


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="reproduce", description="Regenerate the tables of classic papers.")
    top.add_argument("--version", action="version", version=f"reproductions {reproductions.__version__}")
    commands = top.add_subparsers(dest="command", required=True)

    listing.add_parser(commands)

    training = commands.add_parser("train", help="train a network by its paper's recipe, and write the record")
    training.add_argument("study")
    training.add_argument("--network", help="default: the paper's own, the first that `list` names")
    training.add_argument("--seed", type=int, default=1)
    training.add_argument("--recipe", type=Path, metavar="FILE", help="JSON: settings in place of the recipe's own")
    training.add_argument("--epochs", type=int, help="passes, where not the recipe's")
    training.add_argument("--data-dir", type=Path, help="default: the folder that REPRODUCTIONS_DATA names")
    training.add_argument("--run-dir", type=Path, help="default: runs/NETWORK-DATA-seedN")
    training.add_argument("--resume", action="store_true", help="go on with the run in the folder, if there is one")
    training.add_argument("--save-every", type=float, default=600, metavar="SECONDS", help="beside after each pass")
    training.add_argument("--strategy", choices=("auto", "single", "mirrored", "multi-worker"), default="auto")
    training.add_argument("--scale-batch", type=fraction, default=Fraction(1), metavar="K", help="batch and rates by K")
    training.add_argument("--accumulate", type=int, metavar="N", help="take a device's share of a batch in N parts")
    training.add_argument("--precision", choices=("float32", "mixed_bfloat16", "mixed_float16"), default="float32")
    training.add_argument("--jit", action="store_true", help="compile with XLA; another run may differ in last bits")
    training.add_argument("--threads", type=int, metavar="N", help="that share an operation; default: one a core")
    training.add_argument("--input-size", type=int, metavar="PIXELS", help="where not the network's own")
    training.add_argument("--training-images", type=int, metavar="N", help="train on the first N alone")
    training.add_argument("--init-from", type=Path, metavar="RUN_DIR", help="the finished run to take weights from")
    training.add_argument("--hold-out", action="store_true", help="keep the validation part out, and show its error")
    training.add_argument("--report", action="store_true", help="then report all runs beside the run, in report/")
    training.set_defaults(run=train)

    evaluate.add_parser(commands)
    localization.add_parser(commands)
    compare.add_parser(commands)
    tune.add_tune(commands)

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


def train(options: argparse.Namespace) -> None:
    study = reproductions.find_study(options.study)
    network = reproductions.find_network(options.network or study.networks[0].name, study)
    if options.threads is not None:
        if options.threads < 1:
            raise UsageError(f"--threads must be at least 1; got {options.threads}")
        os.environ[environment.THREADS] = str(options.threads)
    import layers  # noqa: F401, which registers what networks are made of
    from reproductions.lab.results import run_record
    from reproductions.lab.training.config import Options
    from reproductions.lab.training.loop import Stopped
    from reproductions.lab.training.train import train as run

    try:
        folder = run(study, network, Options(**{field.name: getattr(options, field.name) for field in fields(Options)}))
    except Stopped as stopped:
        print(f"\nreproduce: {stopped}", file=sys.stderr, flush=True)
        sys.exit(stopped.status)
    if folder is None:  # a worker that is not the first: that one tells of the run
        return
    done = run_record.read(folder / "record.json")
    low, high = done.test["interval"]
    print(
        f"{network.name} on {done.data['name']}: test error {done.test['error']:.2f}% "
        f"({done.test['errors']} of {done.test['images']}; 95% interval {low:.2f} to {high:.2f}%)\n"
        f"record: {folder / 'record.json'}"
    )
    if options.report:
        from reports.build import report

        report(folder.parent, folder.parent / "report")


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
