"""The commands `reproduce weights list` and `import`; other actions have their modules. The list imports no Keras."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import reproductions
from reproductions.cli import export, publish
from reproductions.cli.options import Subparsers, add_format
from reproductions.lab import environment, files
from reproductions.lab.evaluation.tested import relatives
from reproductions.lab.spec.recipe import format_options, format_transform

if TYPE_CHECKING:
    from reproductions.lab.weights.matching import Match
    from reproductions.lab.weights.preset import Preset
    from reproductions.lab.weights.tensor_file import TensorFile


def add_parser(subparsers: Subparsers) -> None:
    """Add the command `weights` with its actions."""
    parser = subparsers.add_parser("weights", help="list and import published weights, and export networks")
    actions = parser.add_subparsers(dest="action", required=True)

    listing = actions.add_parser("list", help="list the published files that fit, and what is known of them")
    listing.add_argument("network", nargs="?", metavar="NETWORK", help="only the files for this network")
    add_format(listing)
    listing.set_defaults(run=list_presets)

    importing = actions.add_parser("import", help="make a network of this suite from a published file")
    importing.add_argument("network", metavar="NETWORK", help="name of the network, see `reproduce list`")
    importing.add_argument("file", type=Path, metavar="FILE", help="published file of weights")
    importing.add_argument("--preset", help="which of the listed files it is (default: the one of its name)")
    importing.add_argument(
        "--to", type=Path, metavar="OUT.keras", help="file to write (default: NETWORK-PRESET.keras in this folder)"
    )
    importing.add_argument("--verbose", action="store_true", help="print where each tensor of the file went")
    importing.set_defaults(run=import_weights)
    export.add_action(actions)
    publish.add_action(actions)


# --- The list


def list_presets(options: argparse.Namespace) -> None:
    """Print the presets, all or those of a network."""
    from reproductions.lab.weights import presets

    found = (
        presets.of(relatives(options.network, reproductions.networks())) if options.network else presets.all_presets()
    )
    if options.format == "json":
        print(json.dumps([describe(preset) for preset in found], indent=2))
        return
    import pandas

    from reports.formats import blocks, format_table
    from reproductions.lab.text import terminal_width

    table = pandas.DataFrame(map(row, found))
    if options.format == "text":  # a table of such long texts would break the checksums
        print(blocks(table, terminal_width()))
    else:
        print(format_table(table.set_index("network"), options.format))


def row(preset: Preset) -> dict[str, str]:
    """Return what is known of a published file, as texts by the names of columns."""
    algorithm, known = preset.checksums()
    return {
        "network": preset.network,
        "preset": preset.name,
        "publisher": preset.publisher,
        "file": f"{preset.file_name}, from {preset.url}",
        "checksum": f"{algorithm.replace('sha', 'SHA-')} {', '.join(known) or 'not known'}",
        "preprocessing": "; ".join(map(format_transform, preset.transforms)) or "none",
        "options": format_options({**preset.options}),
        "published": "; ".join(map(str, preset.figures)),
        "deviations": " ".join(preset.deviations),
    }


def describe(preset: Preset) -> dict[str, object]:
    """Return what is known of a published file as data for JSON."""
    from dataclasses import asdict, fields

    from reproductions.lab.spec.recipe import plain

    skipped = ("placements", "figures")
    known = {field.name: getattr(preset, field.name) for field in fields(preset) if field.name not in skipped}
    known["figures"] = [asdict(figure) for figure in preset.figures]
    return {name: value if isinstance(value, str) else plain(value) for name, value in known.items()}


# --- The import


def import_weights(options: argparse.Namespace) -> None:
    """Match the tensors of a file to the weights of a network, and save it with its provenance."""
    from reproductions.lab.weights import imported, matching, others, presets, tensor_file

    networks = relatives(options.network, reproductions.networks())
    file = tensor_file.read(options.file)
    others.check(file)
    named = [] if options.preset else [each for each in presets.of(networks) if each.file_name == options.file.name]
    preset = named[0] if len(named) == 1 else presets.find(options.network, options.preset, networks[1:])
    path = options.to or Path(f"{preset.network}-{preset.name}.keras")
    environment.set_up_keras()
    imported.check_target(path)
    model = reproductions.build(preset.network, **preset.options)
    matches = matching.match(model, file, preset)
    matching.assign(matches)
    imported.write(path, model, preset.provenance(options.file.name, file.sha256))
    if options.verbose:
        print_matches(matches, file)
    report(matches, file, preset)
    if preset.network != options.network:
        print(f"the preset is listed for {preset.network}, which has the architecture of {options.network}")
    print(f"written to {path}; test it with: reproduce evaluate {path}")


def print_matches(matches: Sequence[Match], file: TensorFile) -> None:
    """Print which tensor went where, with the shapes."""
    for each in matches:
        sources = ", ".join(f"{name} {file.tensors[name].shape}" for name in each.placement.tensors)
        print(f"{sources or 'a constant'} -> {each.variable.path} {each.value.shape}")


def report(matches: Sequence[Match], file: TensorFile, preset: Preset) -> None:
    """Print how many tensors were used, and whether the file is the published one."""
    used = {name for each in matches for name in each.placement.tensors}
    unused = len(set(file.tensors) - used)
    rest = f"; {unused} of parts that the network does not have ({', '.join(preset.unused)})" if unused else ""
    print(f"{len(used)} tensors of {file.path} are the {len(matches)} weights of {preset.network}{rest}")
    algorithm, known = preset.checksums()
    if known and (own := files.checksum(file.path, algorithm)) not in known:
        title = algorithm.replace("sha", "SHA-")
        print(f"note: its {title}, {own}, is not that of the published file: {', '.join(known)}")
