"""Declarative specification of a paper and its networks."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from reproductions.lab.errors import UsageError
from reproductions.lab.spec.classifier import Classifier, FitRecipe
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.spec.search_space import Domain

if TYPE_CHECKING:
    import keras


def training_of(recipe: Recipe | FitRecipe | None) -> list[str]:
    """Return how something is trained in a few words: data set and epochs; none without a recipe."""
    if recipe is None:
        return []
    return [recipe.dataset, *([f"{recipe.epochs} epochs"] if isinstance(recipe, Recipe) else [])]


@dataclass(frozen=True)
class Network:
    """A network under the name by which it is built, trained and reported.

    Attributes:
        name: Name, unique in the suite.
        build: Function that returns the `keras.Model`; its docstring gives the shapes. `model` also checks them.
        recipe: How the paper trains the network; None if the suite cannot train it yet.
        outputs: What the model returns: "logits" (the largest wins) or "penalties" (the smallest wins).
        deviations: Deviations from the paper: what the paper does, what is done here, why. One item each.
        search_space: Domains of `reproduce tune` by name: "learning_rate" (the first one; the others of the schedule
            keep their ratio to it), further fields of the recipe, and arguments of the builder.
        shapes: Output shapes of layers by name, without the batch, at the default input size; those that the paper
            gives or that follow from it. The tests assert them.
        trainable_parameters: Number of trainable parameters of the default model; the tests assert it.
        other_names: Names of the network in other projects, by which a mistake is understood.
    """

    name: str
    build: Callable[..., keras.Model]
    recipe: Recipe | None = None
    outputs: Literal["logits", "penalties"] = "logits"
    deviations: tuple[str, ...] = ()
    search_space: Mapping[str, Domain] = field(default_factory=dict)
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    trainable_parameters: int | None = None
    other_names: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Network({', '.join([repr(self.name), *training_of(self.recipe)])})"

    @property
    def architecture(self) -> tuple[object, ...]:
        """What builds the network: a function and its arguments, except for the name; equal for one architecture."""
        if not isinstance(self.build, functools.partial):
            return self.build, (), {}
        arguments = {name: value for name, value in self.build.keywords.items() if name != "name"}
        return self.build.func, self.build.args, arguments

    def model(self, **options: object) -> keras.Model:
        """Return the model, untrained, with the paper's initial weights.

        Args:
            **options: Arguments of `build`.

        Raises:
            ValueError: If `build` raises it, or if the input is so small that a layer has an empty output. Not every
                version of Keras checks this.
        """
        model = self.build(**options)
        for layer in model.layers:
            shape = tuple(layer.output.shape)
            if any(size is not None and size < 1 for size in shape[1:]):
                raise ValueError(f"the input is too small: the output of {layer.name} would have the shape {shape}")
        return model

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
    """One paper: its bibliography, its networks, the paper's own first, and classifiers that it compares them with.

    Attributes:
        name: Name on the command line, and of the paper's file.
        title: Title.
        authors: Family names as a citation has them.
        year: Year.
        url: Address.
        networks: Networks.
        classifiers: Classifiers that are not networks.
        label: What the paper is known for, such as "AlexNet"; by default its name.
        contribution: What the paper contributed, in sentences.
        pictured: Names of the networks that its page draws; by default the first one.
    """

    name: str
    title: str
    authors: str
    year: int
    url: str
    networks: tuple[Network, ...] = field(default_factory=tuple)
    classifiers: tuple[Classifier, ...] = ()
    label: str = ""
    contribution: tuple[str, ...] = ()
    pictured: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Study({self.name!r}, {self.year}, {len(self.networks)} networks, {len(self.classifiers)} classifiers)"

    def _repr_html_(self) -> str:
        """Return the paper and its networks as a table, for notebooks."""
        rows = "".join(
            f"<tr><td>{html.escape(model.name)}</td><td>{html.escape(', '.join(training_of(model.recipe)))}</td></tr>"
            for model in self.models
        )
        title = html.escape(f"{self.authors}, {self.title}, {self.year}")
        return f"<table><caption>{title}</caption><tr><th>network</th><th>recipe</th></tr>{rows}</table>"

    @property
    def drawn(self) -> tuple[str, ...]:
        """Names of the networks that the paper's page draws."""
        return self.pictured or tuple(network.name for network in self.networks[:1])

    @property
    def citation(self) -> str:
        """First author and year: "Krizhevsky et al. 2012"."""
        first, *others = re.split(r", | and | (?=et al\.)", self.authors)
        if len(others) == 1 and others[0] != "et al.":
            return f"{first} and {others[0]} {self.year}"
        return f"{first}{' et al.' if others else ''} {self.year}"

    @property
    def models(self) -> tuple[Network | Classifier, ...]:
        """Everything that can be trained: the networks, then the classifiers."""
        return (*self.networks, *self.classifiers)
