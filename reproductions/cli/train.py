"""The command `reproduce train`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import reproductions
from reproductions.cli.evaluate import format_rate
from reproductions.cli.options import Container, Subparsers, add_data_dir, add_network, find_model
from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.spec import Classifier, Network, Study

if TYPE_CHECKING:
    from reproductions.lab.training.options import TrainOptions

PATHS = ("recipe", "init_from", "data_dir", "run_dir")  # options that name files


def add_parser(subparsers: Subparsers) -> None:
    """Add the command `train`."""
    parser = subparsers.add_parser("train", help="train a network by its paper's recipe, test it and write the record")
    subject = parser.add_argument_group("what to train")
    add_network(subject)
    subject.add_argument("--seed", type=int, default=1, help="random seed (default: 1)")
    subject.add_argument(
        "--input-size", type=int, metavar="PIXELS", help="height and width of the input (default: the network's)"
    )
    subject.add_argument(
        "--init-from", type=Path, metavar="RUN_DIR", help="finished run from which layers are initialized"
    )
    add_recipe(parser.add_argument_group("recipe"))
    data = parser.add_argument_group("data")
    add_data_dir(data)
    data.add_argument(
        "--training-images", type=int, metavar="N", help="train only on the first N images (default: all)"
    )
    data.add_argument(
        "--hold-out",
        action="store_true",
        help="do not train on the validation split, and report its error, not the test's",
    )
    add_run(parser.add_argument_group("running and resuming"))
    add_devices(parser.add_argument_group("devices and performance"))
    parser.add_argument_group("output").add_argument(
        "--report", action="store_true", help="afterwards make the pages of all runs in the run's parent folder"
    )
    parser.set_defaults(run=train)


def add_recipe(options: Container) -> None:
    """Add the options that change the recipe."""
    options.add_argument(
        "--recipe", type=Path, metavar="FILE", help="JSON file with fields that replace those of the recipe"
    )
    options.add_argument("--epochs", type=int, metavar="N", help="number of epochs (default: the recipe's)")
    options.add_argument(
        "--scale-batch", default="1", metavar="K", help="multiply batch size and learning rates by K, such as 4 or 1/4"
    )


def add_run(options: Container) -> None:
    """Add the options of the run's folder and state."""
    options.add_argument(
        "--run-dir", type=Path, metavar="DIR", help="folder of the run (default: runs/NETWORK-DATA-seedN)"
    )
    options.add_argument("--resume", action="store_true", help="resume the run in the folder, if there is one")
    options.add_argument(
        "--save-every",
        type=float,
        default=600,
        metavar="SECONDS",
        help="minimum time between checkpoints within an epoch (default: 600)",
    )


def add_devices(options: Container) -> None:
    """Add the options of devices and clusters."""
    options.add_argument(
        "--strategy",
        choices=("auto", "single", "mirrored", "multi-worker"),
        default="auto",
        help="distribution over devices (default: auto, all workers of a cluster or all suitable GPUs)",
    )
    options.add_argument(
        "--accumulate", type=int, metavar="N", help="accumulate gradients over N steps (default: by the recipe)"
    )
    options.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
        default="float32",
        help="Keras dtype policy (default: float32)",
    )
    options.add_argument("--jit", action="store_true", help="compile with XLA; runs may then differ in the last bits")
    options.add_argument(
        "--threads", type=int, metavar="N", help="intra-op threads (default: 1 for small networks, else one per core)"
    )


def parse_fraction(option: str, text: str) -> Fraction:
    """Return the number that an option is given; UsageError if it is not a number."""
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"invalid value for {option}: expected a number such as 4 or 1/4, got {text!r}") from None


def train_options(options: argparse.Namespace) -> TrainOptions:
    """Return the options of a training from those of the command."""
    from reproductions.lab.training.options import TrainOptions

    values = {field.name: getattr(options, field.name) for field in fields(TrainOptions)}
    return TrainOptions(**{**values, "scale_batch": parse_fraction("--scale-batch", options.scale_batch)})


def train_model(name: str, options: Mapping[str, Any]) -> Path:
    """Train a network or fit a classifier from Python; see `reproductions.train`."""
    from reproductions.lab.training.options import TrainOptions

    study, model = reproductions.find(name)
    known = [field.name for field in fields(TrainOptions)]
    for option in options:
        if option not in known:
            raise unknown("option of train", option, known)
    paths: dict[str, Any] = {name: Path(options[name]) for name in PATHS if options.get(name) is not None}
    folder = run(study, model, TrainOptions(**{**options, **paths}))
    if folder is None:
        raise UsageError("in a cluster only the first worker has the record")
    return folder


def run(study: Study, model: Network | Classifier, options: TrainOptions) -> Path | None:
    """Train a network or fit a classifier; return its folder, or None in a cluster's workers other than the first."""
    if isinstance(model, Classifier):
        from reproductions.lab.training.fit import fit

        return fit(study, model, options)
    from reproductions.lab.training.plan import plan

    planned = plan(study, model, options)  # before TensorFlow is imported
    import layers  # noqa: F401, which registers what recipes name
    from reproductions.lab.training.train import train_planned

    return train_planned(planned)


def train(options: argparse.Namespace) -> None:
    """Train a network or classifier, and print its test error."""
    from reproductions.lab.training.stopping import Stopped

    study, model = find_model(options)
    if isinstance(model, Classifier):
        options.resume_hint = "the same command fits it again; networks that it combines continue"
    try:
        folder = run(study, model, train_options(options))
    except Stopped as stopped:
        print(f"\nreproduce: {stopped}", file=sys.stderr, flush=True)
        sys.exit(stopped.status)
    if folder is None:  # in a cluster only the first worker prints the result
        return
    print_result(folder, study, options.hold_out)
    if options.report:
        from reports.build import ReportOptions, report

        report(reproductions.studies(), ReportOptions(runs=folder.parent, out=folder.parent / "report"))


def print_result(folder: Path, study: Study, hold_out: bool) -> None:
    """Print the error of a finished run.

    Args:
        folder: Folder of the run.
        study: Its paper.
        hold_out: Whether the validation split is held out, to choose settings by its error. The test error, by which
            none may be chosen, is then not shown.
    """
    from reports.paths import PUBLISHED
    from reports.published import read_figures
    from reports.run_groups import groups_of
    from reports.sections.results import comparison
    from reproductions.lab.results.run_record import read_run

    run, path = read_run(folder), folder / "record.json"
    record = run.record
    name = f"{record.network} on {record.data.name}"
    if hold_out:
        error = record.validation.error if record.validation else record.history[-1].val_error
        print(f"{name}: validation error {error:.2f}%; the test error is in the record and not shown, so that settings")
        print(f"are chosen by the validation error alone\nrecord: {path}")
        return
    (group,) = groups_of(study, [run])
    print(f"{name}: test error {format_rate(record.test.top1, record.test.images)}")
    print(f"{comparison(group, read_figures(PUBLISHED, study.name))}\nrecord: {path}")
