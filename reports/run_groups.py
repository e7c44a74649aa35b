"""The runs of a paper, grouped by network and recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reproductions.lab.errors import unknown
from reproductions.lab.results.run_group import RunGroup, group_runs
from reproductions.lab.results.run_record import Run
from reproductions.lab.spec.study import Study


def check_studies(runs: Sequence[Run], studies: Mapping[str, Study]) -> None:
    """Raise UsageError if a record is of a paper that does not exist."""
    for run in runs:
        if run.record.study not in studies:
            raise unknown(f"study (in {run.path})", run.record.study, studies)


def groups_of(study: Study, runs: Sequence[Run]) -> list[RunGroup]:
    """Return the runs of a paper in groups that differ in the seed only, in the order of its networks.

    Groups on the data and by the recipe of the network itself come first.

    Raises:
        UsageError: If a record names a network that the paper does not have, or two records are of the same run.
    """
    networks = {model.name: model for model in study.models}
    own = [run for run in runs if run.record.study == study.name]
    for run in own:
        if run.record.network not in networks:
            raise unknown(f"network of {study.name} (in {run.path})", run.record.network, networks)
    found = [replace(group, own=networks[group.network].to_train()) for group in group_runs(own)]
    order = list(networks)
    return sorted(
        found,
        key=lambda group: (order.index(group.network), not group.comparable, group.data, repr(group.first.recipe)),
    )
