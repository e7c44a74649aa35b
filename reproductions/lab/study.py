"""The words a paper is told in: Study, Network, Recipe. Data only, so that it prints, compares and records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from reproductions.lab.errors import UsageError

KerasObject = Mapping[str, Any]
Part = Literal["train", "validation"]


def keras_object(class_name: str, **config: Any) -> KerasObject:
    """A Keras object described in Keras' own terms, to be made later, inside the strategy's scope."""
    return {"class_name": class_name, "config": config}


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        dataset: name of the data set, as `reproductions.lab.datasets` knows it.
        images: names of the steps of `reproductions.lab.images` that lead from stored pixels to the input.
        optimizer, loss, initial_weights: Keras objects, described.
        rates: (first pass, learning rate) pairs; passes count from 1, each rate holds until the next.
        batch: images an update, over all replicas together.
        epochs: passes over the training images.
        parts: the parts of the training set that are trained on.
    """

    dataset: str
    images: tuple[str, ...]
    optimizer: KerasObject
    loss: KerasObject
    rates: tuple[tuple[int, float], ...]
    batch: int
    epochs: int
    initial_weights: KerasObject
    parts: tuple[Part, ...] = ("train", "validation")

    def learning_rate(self, epoch: int) -> float:
        """The learning rate of a pass, counted from 1."""
        return [rate for first, rate in self.rates if first <= epoch][-1]

    def as_data(self) -> dict[str, Any]:
        """The recipe as JSON would give it back: lists for tuples."""
        return plain(asdict(self))


def plain(value: Any) -> Any:
    """A copy with dictionaries and lists for every mapping and sequence."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


@dataclass(frozen=True)
class Network:
    """A network under the name by which it is built, trained and reported.

    Attributes:
        build: makes the `keras.Model`; its docstring gives the shapes.
        recipe: how the paper trains it; None where the suite does not train it yet.
        outputs: what the model returns: "logits", the largest wins, or "penalties", the smallest.
        departures: where the run is not the paper's, a sentence each, with the paper's way and ours.
    """

    name: str
    build: Callable[..., Any]
    recipe: Recipe | None = None
    outputs: Literal["logits", "penalties"] = "logits"
    departures: tuple[str, ...] = ()

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
