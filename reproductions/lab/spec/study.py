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
        name: Name, unique in the suite.
        build: Function that returns the `keras.Model`; its docstring gives the shapes.
        recipe: How the paper trains the network; None if the suite cannot train it yet.
        outputs: What the model returns: "logits", of which the largest wins, or "penalties", of which the smallest wins.
        deviations: Deviations from the paper: what the paper does, what is done here, why. One item each.
        search_space: Domains of `reproduce tune` by name: "learning_rate" (the first one; the others of the schedule
            keep their ratio to it), further fields of the recipe, and arguments of the builder.
    """

    name: str
    build: Callable[..., Any]
    recipe: Recipe | None = None
    outputs: Literal["logits", "penalties"] = "logits"
    deviations: tuple[str, ...] = ()
    search_space: Mapping[str, Domain] = field(default_factory=dict)

    def to_train(self) -> Recipe:
        """Return the recipe.

        Raises:
            UsageError: If the network has none.
        """
        if self.recipe is None:
            raise UsageError(f"{self.name} has no recipe yet: it can be built and tabulated, not trained")
        return self.recipe


@dataclass(frozen=True)
class Study:
    """One paper: its bibliography and its networks, the paper's own first."""

    name: str
    title: str
    authors: str
    year: int
    url: str
    networks: tuple[Network, ...] = field(default_factory=tuple)
