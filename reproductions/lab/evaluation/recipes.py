"""The recipe by which a trained network is tested. Without Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reproductions.lab.errors import UsageError
from reproductions.lab.results.run_record import Record
from reproductions.lab.spec import protocols
from reproductions.lab.spec.provenance import Provenance
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.spec.study import Network
from reproductions.lab.weights import presets


def recipe_of(record: Record) -> Recipe:
    """Return the recipe of a record; fields that are newer than the record have their default."""
    return recipe_from(record.recipe)


def recipe_from(data: Mapping[str, Any]) -> Recipe:
    """Return the recipe that a record or a file of weights holds as data."""
    try:
        return Recipe(**data)
    except TypeError as error:
        raise UsageError(f"the recipe of the record has fields that this version does not have: {error}") from None


def weights_recipe(network: Network, provenance: Provenance | None) -> Recipe:
    """Return the recipe by which weights in a file are tested that no run of this suite made.

    Args:
        network: Specification of the network.
        provenance: Where the weights come from, if they were imported: their preprocessing and the protocol of the
            publisher's figure, if it is known, replace those of the network's own recipe.

    Raises:
        UsageError: If the network has no recipe.
    """
    recipe = network.to_train()
    if provenance is None:
        return recipe
    known = [each.protocol for each in presets.figures(provenance) if each.protocol in protocols.PROTOCOLS]
    protocol = next(iter(known), recipe.protocol)
    return replace(recipe, test_transforms=provenance.transforms, protocol=protocol)
