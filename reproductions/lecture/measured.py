"""Results of runs that decide statements of the lecture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from reproductions.lab.analysis.published import Fact, Value

if TYPE_CHECKING:
    from reproductions.lab.results.run_group import RunGroup
    from reproductions.lab.results.run_record import Run
    from reproductions.lab.spec.study import Network

REPLACED_POOLS = "all-cnn-c minus base-cnn-c"
PATCHES_AND_REFLECTIONS = "all-cnn-c with and without patches and reflections"


def measured(runs: Sequence[Run], networks: Mapping[str, Network]) -> dict[str, Value]:
    """Return what runs say about statements, by the keys of their sources; nothing about which they say nothing.

    Only runs by their networks' own recipes count, at least three of each network.

    Args:
        runs: Runs with their records.
        networks: The networks of the suite by name.
    """
    found = own_groups(runs, networks)
    values: dict[str, Value] = {}
    if {"all-cnn-c", "base-cnn-c"} <= set(found):
        worse, text = has_higher_error(found["all-cnn-c"], found["base-cnn-c"])
        values[REPLACED_POOLS] = Fact(not worse, text)
    if {"all-cnn-c", "all-cnn-c-augmented"} <= set(found):
        values[PATCHES_AND_REFLECTIONS] = Fact(*has_higher_error(found["all-cnn-c"], found["all-cnn-c-augmented"]))
    return values


def own_groups(runs: Sequence[Run], networks: Mapping[str, Network]) -> dict[str, RunGroup]:
    """Return the runs by their networks' own recipes, by network, if they are enough for a verdict."""
    from reproductions.lab.results.run_group import group_runs
    from reproductions.lab.results.verdict import FEW

    known = [run for run in runs if run.record.network in networks]
    groups = [replace(group, own=networks[group.network].to_train()) for group in group_runs(known)]
    return {group.network: group for group in groups if group.comparable and len(group.runs) not in FEW}


def has_higher_error(one: RunGroup, other: RunGroup) -> tuple[bool, str]:
    """Return whether a network has a significantly higher test error than another, and both errors as text."""
    from reproductions.lab.results.compare import compare_runs
    from reproductions.lab.results.comparison_text import all_significant

    significant = all_significant(compare_runs([*one.runs, *other.runs]))
    text = f"{one.network} {one.spread()}, {other.network} {other.spread()}"
    higher = significant and one.spread().mean > other.spread().mean
    return higher, text if significant else f"{text}, no significant difference"
