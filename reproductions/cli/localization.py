"""The command `reproduce localization`."""

from __future__ import annotations

import argparse
from pathlib import Path

from reproductions.cli.evaluate import format_rate
from reproductions.cli.options import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the command `localization`."""
    parser = subparsers.add_parser("localization", help="compute ILSVRC's localization error of a file of predictions")
    parser.add_argument(
        "predictions",
        type=Path,
        metavar="PREDICTIONS",
        help="one line per image: up to five of LABEL XMIN YMIN XMAX YMAX",
    )
    parser.add_argument("--truth", type=Path, required=True, help="folder with one XML file of boxes per image")
    parser.add_argument("--devkit", type=Path, help="folder of the development kit, for classes given by number")
    parser.add_argument("--blacklist", type=Path, help="file with the numbers of images to leave out, one per line")
    parser.set_defaults(run=localization)


def localization(options: argparse.Namespace) -> None:
    """Print the localization error."""
    from reproductions.lab.evaluation.localization import evaluate_predictions

    result = evaluate_predictions(options.predictions, options.truth, options.devkit, options.blacklist)
    print(
        f"localization error {format_rate(result.localization, result.images)}\n"
        f"classification error of the same guesses {result.classification.error:.2f}%"
    )
