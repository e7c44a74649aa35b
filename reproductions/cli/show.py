"""The command `reproduce show`."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import reproductions
from reproductions.cli.options import Subparsers
from reproductions.lab import environment
from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.evaluation import tested
from reproductions.lab.evaluation.tested import Tested

if TYPE_CHECKING:
    from reproductions.lab.results.picture_record import Kind
    from reproductions.lab.visualization.figure import Drawing
    from reproductions.lab.visualization.images import Stored
    from reproductions.lab.visualization.subject import Subject

KINDS: tuple[Kind, ...] = ("filters", "features", "deconv", "guided", "occlusion", "errors")
OF_LAYERS = ("filters", "features", "deconv", "guided")  # kinds that can be of one layer
OF_IMAGES = ("features", "deconv", "guided", "occlusion")  # kinds that show what a network makes of an image
FORMATS = ("png", "pdf", "svg")


def add_parser(subparsers: Subparsers) -> None:
    """Add the command `show`."""
    parser = subparsers.add_parser("show", help="draw what a trained network has learnt")
    parser.add_argument(
        "shown",
        nargs="?",
        type=Path,
        metavar="NETWORK_OR_RUN_OR_WEIGHTS",
        help="name of a network that the suite gives out trained, folder of a run, or file of `weights import`",
    )
    parser.add_argument("kind", nargs="?", choices=KINDS, help="what to draw")
    parser.add_argument("--layer", metavar="NAME", help="layer, see `reproduce table NETWORK` (default: by the kind)")
    parser.add_argument(
        "--image",
        metavar="FILE",
        help="JPEG or PNG file, cat, coffee, or number of a test image (default: by the data)",
    )
    parser.add_argument("--network", help="name of the network in a file of weights that were not imported")
    parser.add_argument("--all", action="store_true", help="draw all pictures of all networks that are given out")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="with --all: also those of this run or file")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="file to write (default: NETWORK-KIND.png); with --all, a folder"
    )
    parser.add_argument("--format", choices=FORMATS, help="format (default: by --out, or png)")
    parser.add_argument("--data-dir", type=Path, help="folder of the data sets (default: $REPRODUCTIONS_DATA)")
    parser.set_defaults(run=show, resume_hint="pictures that were complete are in place")


def show(options: argparse.Namespace) -> None:
    """Draw one picture, or all."""
    check_arguments(options)
    if options.all:
        from reproductions.cli import show_all

        show_all.show_all(options.out, options.weights, options.format, options.data_dir)
        return
    path, file_format = target(options)
    if options.kind == "errors":
        drawing = draw_errors(find_record(options.shown, options.network), options.data_dir)
    else:
        drawing = draw_network(options)
    write(drawing, path, file_format)
    print(f"{drawing.caption}\nwritten to {path}")


def check_arguments(options: argparse.Namespace) -> None:
    """Raise UsageError if arguments are missing or do not belong together."""
    if options.all:
        if options.shown or options.layer or options.image or options.network:
            raise UsageError("--all draws what the suite lists: leave out the network, --layer, --image and --network")
        if options.out is None:
            raise UsageError("--all needs --out: name the folder for the pictures")
        if options.out.exists() and not options.out.is_dir():
            raise UsageError(f"--out: {options.out} is a file, not a folder")
        return
    if options.kind is None:
        raise UsageError(f"name a network, run or file of weights and what to show of it: {', '.join(KINDS)}")
    if options.weights:
        raise UsageError("--weights is for --all: name the file in place of the network")
    if options.layer and options.kind not in OF_LAYERS:
        raise UsageError(f"--layer is for {', '.join(OF_LAYERS)}; {options.kind} is of the whole network")
    if options.image and options.kind not in OF_IMAGES:
        raise UsageError(f"--image is for {', '.join(OF_IMAGES)}; {options.kind} has no image to choose")


def target(options: argparse.Namespace) -> tuple[Path, str]:
    """Return the file to write and its format.

    Raises:
        UsageError: If they do not fit, or the folder does not exist.
    """
    from reproductions.lab.spec.protocols import slug

    name = slug("-".join(filter(None, (options.shown.stem, options.kind, options.layer))))
    path = options.out or Path(f"{name}.{options.format or FORMATS[0]}")
    ending = path.suffix.removeprefix(".")
    allowed = [options.format] if options.format else FORMATS
    if ending not in allowed:
        raise UsageError(f"--out: {path} must end with {' or '.join(f'.{each}' for each in allowed)}, for its format")
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(
            f"--out: {path if path.is_dir() else path.parent} is {'' if path.is_dir() else 'not '}a folder"
        )
    return path, ending


# --- What is shown


def find(path: Path, network: str | None = None) -> Tested:
    """Return the trained network at a path, or of a name.

    Raises:
        UsageError: If there is none; for a network without trained weights, how to get them.
    """
    from reproductions.lab.weights import trained

    known, given_out = reproductions.networks(), trained.read_list()
    name = reproductions.other_names(reproductions.studies().values()).get(str(path), str(path))
    if path.exists() or name in given_out:
        return tested.find(path, network, known)
    if name in known:
        raise UsageError(
            f"the suite gives out no trained weights of {name}, only of {', '.join(given_out)}. Train it "
            f"(reproduce train {name}) and name the folder of the run, or import published weights (reproduce weights "
            f"list {name}) and name the file"
        )
    if not path.suffix and len(path.parts) == 1:
        raise unknown("trained network, run or file", name, given_out)
    return tested.find(path, network, known)


def find_record(path: Path, network: str | None = None) -> Tested:
    """Return a run with its record, of which the trained network need not be there.

    Raises:
        UsageError: If there is no record.
    """
    from reproductions.lab.results import run_record

    if path.is_dir() or (path.suffix == ".json" and path.is_file()):
        record = run_record.read_run(path).record
        return Tested(path, tested.named(record.network, reproductions.networks()), record)
    return with_record(find(path, network))


def with_record(found: Tested) -> Tested:
    """Return a network that the suite gives out with the record of its run, a run as it is; else raise UsageError."""
    from reports import paths
    from reproductions.lab.results import run_record

    if found.record is not None:
        return found
    if found.given_out is None:
        raise UsageError(
            f"errors are those of a run, which its record lists; {found.path} is a file of weights: test it with "
            f"reproduce evaluate {found.path} --by-class"
        )
    return replace(found, record=run_record.read(paths.RUNS / f"{found.given_out.record}.json"))


# --- Drawing


def draw_errors(found: Tested, data_dir: Path | None) -> Drawing:
    """Draw the misclassified test images of a run. Without Keras."""
    from reproductions.lab.data.base import InMemoryImages
    from reproductions.lab.visualization import draw_errors

    record = found.record
    assert record is not None
    data = tested.data_of(found, data_dir)
    if not isinstance(data.test, InMemoryImages):
        raise UsageError(f"errors are for images held in memory; {data.name} is read from disk")
    if not len(record.misclassified):
        raise UsageError(f"{found.path} has no misclassified images")
    test = f"{record.data.name} by {record.network}, seed {record.seed}"
    return draw_errors.errors(record.network, data.test.images, record.misclassified, test)


def draw_network(options: argparse.Namespace) -> Drawing:
    """Find and load a network, and draw it. Arguments are checked before Keras is imported."""
    from reproductions.lab.visualization import images

    found = find(options.shown, options.network)
    of_image = options.kind in OF_IMAGES
    stored = images.load(options.image, tested.recipe_of(found).dataset, options.data_dir) if of_image else None
    return draw(load(found, options.data_dir), options.kind, options.layer, stored)


def load(found: Tested, data_dir: Path | None) -> Subject:
    """Return a trained network that was found."""
    import layers  # noqa: F401, which registers what recipes name

    environment.set_up_keras()
    from reproductions.lab.visualization import subject

    return subject.load(found, data_dir)


def draw(loaded: Subject, kind: Kind, layer: str | None, stored: Stored | None) -> Drawing:
    """Return a picture of a network, of any kind but errors.

    Args:
        loaded: The network.
        kind: What to draw.
        layer: Name of a layer; by default chosen by the kind.
        stored: Image that the network is shown, for the kinds that show what it makes of one.

    Raises:
        UsageError: If the network has no such layer, or cannot be shown in this way.
    """
    from reproductions.lab.visualization import draw_layers, draw_occlusion, draw_projections, subject

    if layer is not None:
        loaded.graph.key(layer)
    if stored is None:
        return draw_layers.filters(loaded, layer)
    shown = subject.show(loaded, stored)
    if kind == "features":
        return draw_layers.features(loaded, shown, layer)
    if kind == "occlusion":
        return draw_occlusion.occlusion(loaded, shown)
    return draw_projections.projections(loaded, shown, kind, layer)


def write(drawing: Drawing, path: Path, file_format: str) -> None:
    """Write a picture to a file; UsageError if that cannot be written."""
    from reproductions.lab.visualization import figure

    try:
        figure.save(drawing.figure, path, file_format)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
