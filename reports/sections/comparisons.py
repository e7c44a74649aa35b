"""What a paper says of networks held against each other, beside what their runs say."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reports.run_groups import Runs
from reproductions.lab.results import compare
from reproductions.lab.spec import recipe_changes


def compared(printed: Mapping[str, Any], found: Sequence[Runs]) -> list[dict[str, Any]]:
    """A printed comparison with every set of runs that answers it: its networks, trained alike.

    `printed` is a row of published/comparisons.csv, whose networks are in the paper's order, the best first.
    """
    names = printed["networks"].split()
    complete: list[list[Runs]] = []
    for alike in trained_alike(found):
        own = [runs for name in names for runs in alike if runs.network.name == name]
        if [runs.network.name for runs in own] == names and own not in complete:
            complete.append(own)
    return [answer(printed, own) for own in complete]


def trained_alike(found: Sequence[Runs]) -> list[list[Runs]]:
    """Runs on the paper's data, in the same precision: each by its own recipe but for the same settings, or all by one.

    The same runs may come twice.
    """
    together: dict[str, list[Runs]] = {}
    for runs in found:
        record, own = runs.records[0], runs.network.to_train()
        if runs.data == own.dataset:
            for alike in (
                recipe_changes.changed_fields(record.recipe, own.as_data()),
                recipe_changes.completed(record.recipe),
            ):
                together.setdefault(repr((alike, record.precision)), []).append(runs)
    return list(together.values())


def answer(printed: Mapping[str, Any], found: Sequence[Runs]) -> dict[str, Any]:
    """What was seen, in one line; every comparison in sentences; and what is not of the networks' own recipes."""
    wanted = float(printed["training_error"]) if printed["training_error"] else None
    told = compare.compare_runs([run for runs in found for run in as_read(runs)], training_error=wanted)
    # Each network by its recipe: how these differ is told among the deviations.
    told["pairs"] = [{**pair, "changes": []} for pair in told["pairs"]]
    if wanted:
        return {"seen": compare.times_as_fast(*told["training"]), "sentences": [], "changes": changes(found)}
    return {
        "seen": in_order(found, told),
        # Image by image for two networks; of more, `reproduce compare` tells.
        "sentences": compare.sentences({**told, "images": told["images"] if len(found) == 2 else []}),
        "changes": changes(found),
    }


def changes(found: Sequence[Runs]) -> list[str]:
    """What is not of the networks' own recipes; of each network by its name, where that is not the same for all."""
    each = [runs.changes for runs in found]
    if all(own == each[0] for own in each):
        return each[0]
    return [f"{runs.network.name}: {'; '.join(own)}" for runs, own in zip(found, each) if own]


def in_order(found: Sequence[Runs], told: Mapping[str, Any]) -> str:
    """The networks with their errors, the lowest first, and whether that is the order in which they are given."""
    means = {runs.network.name: statistics.mean(runs.errors(runs.measures[0])) for runs in found}
    lowest_first = sorted(found, key=lambda runs: means[runs.network.name])
    rises = all(one < other for one, other in itertools.pairwise(means.values()))
    order = "the printed order" if rises else "not the printed order"
    errors = ", ".join(f"{runs.network.name} {runs.measured(runs.measures[0])}" for runs in lowest_first)
    apart = "" if all_told_apart(told) else ", where not every pair is told apart"
    number = " One run each." if all(len(runs.records) == 1 for runs in found) else ""
    ends = f" {still_to_learn(found, lowest_first)}" if any(runs.changes for runs in found) else ""
    return f"{errors}: {order}{apart}.{number}{ends}"


def all_told_apart(told: Mapping[str, Any]) -> bool:
    """Whether a test tells every two networks apart: over their seeds, or else image by image."""
    for pair in told["pairs"]:
        names = pair["first"], pair["second"]
        by_image = [row["p"] for row in told["images"] if (row["first"], row["second"]) == names]
        found = by_image if pair["p"] is None else [pair["p"]]
        if not found or any(p is None or p >= compare.DOUBT for p in found):
            return False
    return True


def still_to_learn(found: Sequence[Runs], lowest_first: Sequence[Runs]) -> str:
    """The training error at the end, by which a schedule cut short can be told from an order of networks."""
    ends = {runs.network.name: statistics.mean(run.epochs[-1]["error"] for run in runs.records) for runs in found}
    told = ", ".join(f"{name} {error:.2f}%" for name, error in sorted(ends.items(), key=lambda end: end[1]))
    same = all(ends[one.network.name] < ends[other.network.name] for one, other in itertools.pairwise(lowest_first))
    short = ", the same order; trained in full they may stand in another" if same else ""
    return f"Training error in the last pass: {told}{short}."


def as_read(runs: Runs) -> list[compare.Run]:
    return [compare.Run(Path(f"{run.network}-seed{run.seed}"), run) for run in runs.records]
