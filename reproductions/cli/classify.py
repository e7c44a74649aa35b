"""The command `reproduce classify`."""

from __future__ import annotations

import argparse
from pathlib import Path

import reproductions
from reproductions.cli.options import Subparsers, add_data_dir
from reproductions.lab import environment
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import tested


def add_parser(subparsers: Subparsers) -> None:
    """Add the command `classify`."""
    parser = subparsers.add_parser("classify", help="show the best classes of images by a trained network")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="JPEG or PNG file")
    parser.add_argument(
        "--weights", type=Path, required=True, metavar="FILE", help="folder of a run, or file as for evaluate"
    )
    parser.add_argument("--network", help="name of the network in a file of weights that were not imported")
    parser.add_argument("--top", type=int, default=5, metavar="N", help="number of classes to show (default: 5)")
    parser.add_argument("--protocol", help="test protocol (default: as for evaluate)")
    add_data_dir(parser)
    parser.set_defaults(run=classify, resume_hint="nothing was written")


def classify(options: argparse.Namespace) -> None:
    """Print the best classes of each image."""
    from reproductions.lab.spec import protocols

    if options.top < 1:
        raise UsageError(f"--top must be at least 1; got {options.top}")
    protocol = protocols.find(options.protocol) if options.protocol else None
    found = tested.find(options.weights, options.network, reproductions.networks())
    from reproductions.lab.data import sample

    for path in options.images:  # before TensorFlow is imported
        sample.read_image(path)
    from reproductions.lab.evaluation import classify as answers

    environment.set_up_keras()
    trained = tested.Trained(tested.load(found), found.network, tested.recipe_of(found))
    probable = found.network.outputs == "logits"
    results = answers.classify(trained, options.images, protocol, options.data_dir)
    for path, best in zip(options.images, results):
        print(f"{path}:")
        for answer in best[: options.top]:
            score = f"{100 * answer.score:6.2f}%" if probable else f"penalty {-answer.score:.2f}"
            print(f"    {score}  {answer.name}")
