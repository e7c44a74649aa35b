"""The command `reproduce weights export`."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

import reproductions
from reproductions.cli.options import Subparsers
from reproductions.lab import environment
from reproductions.lab.spec.recipe import format_transform

FORMATS = ("onnx", "safetensors", "h5", "savedmodel")


def add_action(actions: Subparsers) -> None:
    """Add the action `export`."""
    parser = actions.add_parser("export", help="write a trained network in a format of other programs")
    parser.add_argument("trained", type=Path, metavar="RUN_OR_FILE", help="folder of a run, or file as for evaluate")
    parser.add_argument("--format", required=True, choices=FORMATS, help="format to write")
    parser.add_argument("--network", help="name of the network in a file that does not say it")
    parser.add_argument(
        "--to", type=Path, metavar="OUT", help="file, or folder of a SavedModel (default: named after the network)"
    )
    parser.set_defaults(run=export, resume_hint="nothing was written")


def export(options: argparse.Namespace) -> None:
    """Write a trained network in another format, and say what it takes and returns."""
    from reproductions.lab.evaluation import tested

    found = tested.find(options.trained, options.network, reproductions.networks())
    import layers  # noqa: F401, which registers what recipes name
    from reproductions.lab.evaluation import evaluate, export
    from reproductions.lab.spec import protocols

    environment.set_up_keras()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what is half written is removed
    form = export.FORMATS[options.format]
    path = options.to or Path(f"{found.network.name}{form.ending or '-savedmodel'}")
    export.check(form, path)
    exported = export.load(found)
    difference = export.export(exported, form, path)
    print(f"{found.network.name} is written to {path}; its outputs differ by {difference:.1e} of the largest at most")
    recipe = tested.recipe_of(found)
    transforms = evaluate.transforms_for(recipe, protocols.find(recipe.protocol))
    size = " x ".join(map(str, exported.model.input_shape[1:]))
    print(f"input: images, {size}, after {'; '.join(map(format_transform, transforms)) or 'no transform'}")
    print(f"output: {found.network.outputs} of {exported.model.output_shape[-1]} classes")
