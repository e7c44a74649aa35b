"""Test error by the number of training images, where networks were trained on parts of the set too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jinja2

from reports import figures
from reports.run_groups import Runs
from reproductions.lab.spec import recipe_changes


def by_size(found: Sequence[Runs]) -> list[list[Runs]]:
    """Runs on parts of their training set and on all of it, else by the network's own recipe, the smallest first.

    One list a network that has at least two sizes.
    """
    together: dict[str, list[Runs]] = {}
    for runs in found:
        own = runs.network.to_train()
        further = recipe_changes.changed_fields(runs.records[0].recipe, own.as_data()).keys() - {"training_images"}
        if runs.data == own.dataset and not further:
            together.setdefault(runs.network.name, []).append(runs)
    return [sorted(own, key=lambda runs: runs.images) for own in together.values() if len(own) > 1]


def described(environment: jinja2.Environment, found: Sequence[Runs]) -> dict[str, Any] | None:
    """Rows of a table and the picture; None where no network was trained on two sizes."""
    sized = by_size(found)
    if not sized:
        return None
    rows = [
        {"network": runs.network.name, "images": runs.images, "measured": runs.measured(runs.measures[0]),
         "runs": len(runs.records)}
        for own in sized for runs in own
    ]  # fmt: skip
    return {"rows": rows, "picture": figures.sizes(environment, sized)}
