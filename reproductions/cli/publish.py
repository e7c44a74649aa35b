"""The command `reproduce weights publish`, by which the suite's own trained networks are given out."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import reproductions
from reproductions.cli.options import Subparsers
from reproductions.lab import environment, files
from reproductions.lab.errors import UsageError

if TYPE_CHECKING:
    from reports.model_cards import GivenOut
    from reproductions.lab.results.run_group import RunGroup
    from reproductions.lab.results.run_record import Run
    from reproductions.lab.spec import Study


def add_action(actions: Subparsers) -> None:
    """Add the action `publish`."""
    from reproductions.lab.weights import trained

    parser = actions.add_parser("publish", help="give out networks that the suite trained (for its maintainers)")
    parser.add_argument(
        "runs",
        type=Path,
        nargs="+",
        metavar="RUN",
        help="folders of runs whose records are committed; of each network the run with the median error is taken",
    )
    parser.add_argument(
        "--nearest",
        action="store_true",
        help="without the run with the median error, take the nearest to it; the model card says so",
    )
    parser.add_argument("--to", type=Path, default=trained.FOLDER, metavar="DIR", help="folder (default: the suite's)")
    parser.set_defaults(run=publish)


def publish(options: argparse.Namespace) -> None:
    """Write weights, model card and entry of the list for each network."""
    from reports import paths
    from reproductions.lab.results import run_record

    environment.set_up_keras()
    found = [run_record.read_run(path) for path in options.runs]
    committed = run_record.read_all(paths.RUNS)
    for name in dict.fromkeys(run.record.network for run in found):
        own = [run for run in found if run.record.network == name]
        chosen, folder = choose(name, own, committed, options.nearest)
        print(f"written to {write(chosen, folder, options.to)}")


def choose(name: str, runs: Sequence[Run], committed: Sequence[Run], near: bool) -> tuple[GivenOut, Path]:
    """Return what is given out of a network, and the folder of its run.

    Args:
        name: Name of the network.
        runs: Runs of it in folders.
        committed: All committed runs.
        near: Whether to take the run nearest to the median if that one is not among the runs.

    Raises:
        UsageError: If no run is by the network's own recipe with a committed record, or the median is not among them.
    """
    from reports import model_cards

    network = reproductions.find_network(name)
    study, group = committed_group(name, committed)
    folders = {run.path: own.path for own in runs for run in group.runs if own.record.as_data() == run.record.as_data()}
    at_hand = [run for run in group.runs if run.path in folders]
    median = model_cards.median(group)
    if median not in at_hand and not (near and at_hand):
        raise UsageError(
            f"{name}: of its committed runs, {median.path.stem} has the median error, and none of the named folders "
            "has the same record: name its folder too, or add --nearest"
        )
    run = median if median in at_hand else model_cards.nearest(group, at_hand)
    return model_cards.GivenOut(study, network, group, run), folders[run.path]


def committed_group(name: str, committed: Sequence[Run]) -> tuple[Study, RunGroup]:
    """Return the paper of a network and its committed runs by its own recipe; UsageError if there are none."""
    from reports.run_groups import groups_of

    for study in reproductions.studies().values():
        for group in groups_of(study, committed):
            if group.network == name and group.comparable:
                return study, group
    raise UsageError(f"{name} has no committed runs by its own recipe: commit their records first")


def write(given: GivenOut, folder: Path, to: Path) -> Path:
    """Write what is given out, and return the file of weights.

    Args:
        given: What is given out.
        folder: Folder of the run.
        to: Folder to write to.

    Raises:
        UsageError: If the network is too large.
    """
    import layers  # noqa: F401, which registers what recipes name
    from reports.model_cards import model_card
    from reproductions.lab.evaluation import networks
    from reproductions.lab.weights import suite_file, trained

    record = given.run.record
    size = 4 * sum(record.parameters.values())
    if size > trained.LARGEST:
        raise UsageError(
            f"{record.network} is too large to be given out: {size:,} bytes, more than {trained.LARGEST:,}"
        )
    path = to / f"{record.network}{trained.ENDING}"
    model = networks.trained(folder, given.network, record)
    suite_file.write(path, model, networks.contents_of(record))
    entry = trained.TrainedFile(given.run.path.stem, files.sha256(path))
    listed = {**trained.read_list(to), record.network: entry}
    path.with_suffix(".md").write_text(model_card(given, entry.sha256), encoding="utf-8")
    files.write_json(to / trained.LIST, {name: asdict(listed[name]) for name in sorted(listed)})
    return path
