"""Declarative specification of a paper and its networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from reproductions.lab.errors import UsageError
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.spec.search_space import Domain


@dataclass(frozen=True)
class Network:
    """A network under the name by which it is built, trained and reported.

    Attributes:
        build: makes the `keras.Model`; its docstring gives the shapes.
        recipe: how the paper trains it; None where the suite does not train it yet.
        outputs: what the model returns: "logits", the largest wins, or "penalties", the smallest.
        departures: where the run is not the paper's, a sentence each, with the paper's way and ours.
        domains: what `reproduce tune` searches: "rate" (the first learning rate, which all others follow), fields
            of the recipe, and options of the builder, by their names.
    """

    name: str
    build: Callable[..., Any]
    recipe: Recipe | None = None
    outputs: Literal["logits", "penalties"] = "logits"
    departures: tuple[str, ...] = ()
    domains: Mapping[str, Domain] = field(default_factory=dict)

    def to_train(self) -> Recipe:
        """The recipe; UsageError for a network that has none yet."""
        if self.recipe is None:
            raise UsageError(f"{self.name} has no recipe yet: it can be built and tabulated, not trained")
        return self.recipe


@dataclass(frozen=True)
class Study:
    """One paper: what it is, its networks (the paper's own first), and where it may be read."""

    name: str
    title: str
    authors: str
    year: int
    url: str
    networks: tuple[Network, ...] = field(default_factory=tuple)
