"""Three networks, each trained on what the ones before it find hard: Drucker, Schapire and Simard 1993."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from reproductions.lab.errors import UsageError
from reproductions.lab.progress import progress

Scores = Callable[[np.ndarray], np.ndarray]  # from inputs of a network to scores (n, classes), the largest wins
Choice = Callable[["Patterns"], np.ndarray]  # from patterns to the indices of those that are kept


class Patterns(NamedTuple):
    """Labelled images, as a network takes them or as they are stored."""

    images: np.ndarray
    labels: np.ndarray


class Trainer(Protocol):
    """Trains the networks that a classifier combines, and prepares what they see."""

    def train(self, number: int, patterns: Patterns, prepared: bool) -> Scores:
        """Train a network, and return the function from inputs to its scores.

        Args:
            number: Number of the network, from 1.
            patterns: What it is trained on.
            prepared: Whether these are inputs; else they are images, which the transforms of its recipe prepare.
        """

    def copies(self, number: int, patterns: Patterns, count: int) -> Iterator[Patterns]:
        """Yield copies of images in blocks, as the random transforms of the recipe prepare them.

        Args:
            number: Number of the network that they are for. No two networks see the same copies.
            patterns: Images.
            count: Number of copies of each.
        """

    def inputs(self, images: np.ndarray) -> np.ndarray:
        """Return images as they are prepared in a test."""


MakeTrainer = Callable[[str, Mapping[str, Any]], Trainer]  # from the name of a network and the fields of a recipe


class BoostedNetworks(ClassifierMixin, BaseEstimator):
    """Three networks whose outputs are added: LeCun et al. 1998, section III-C.

    The first is trained on images, with the transforms of its recipe. Further copies of the images, of which its
    transforms make patterns that differ, are chosen for the others: for the second all that the first gets wrong and
    equally many that it gets right, for the third those on which the first and the second disagree.

    Args:
        network: Name of the network, one of the same paper.
        recipe: Fields of the `Recipe` by which each is trained; without those whose values are the defaults.
        copies: Number of copies of each image from which the patterns of the second network are chosen, and again
            those of the third.
        trainer: Function that returns what trains the networks.
    """

    def __init__(
        self,
        network: str = "",
        recipe: Mapping[str, Any] | None = None,
        copies: int = 10,
        trainer: MakeTrainer | None = None,
    ) -> None:
        self.network = network
        self.recipe = recipe
        self.copies = copies
        self.trainer = trainer

    def fit(self, X: np.ndarray, y: np.ndarray) -> BoostedNetworks:
        """Train the networks.

        Args:
            X: Images (n, height, width), with pixels in 0..1.
            y: Labels (n,).

        Raises:
            UsageError: If the network does not exist, its recipe is invalid, or no patterns are found for another one.
        """
        if self.trainer is None:
            raise ValueError("networks need a trainer")
        if not isinstance(self.copies, int) or self.copies < 1:
            raise UsageError(f"the copies of BoostedNetworks must be a positive integer; got {self.copies!r}")
        self.classes_ = np.unique(y)
        self.trainer_ = self.trainer(self.network, self.recipe or {})
        images = Patterns(X, y)
        first = self.trainer_.train(1, images, prepared=False)
        second = self.trainer_.train(2, self.chosen(2, images, half_wrong(first)), prepared=True)
        third = self.trainer_.train(3, self.chosen(3, images, disagreed(first, second)), prepared=True)
        self.networks_ = (first, second, third)
        return self

    def chosen(self, number: int, images: Patterns, choose: Choice) -> Patterns:
        """Return the patterns for a network, chosen from all copies of the images."""
        what = f"choosing patterns for network {number}"
        found = collect(
            self.trainer_.copies(number, images, self.copies), choose, len(images.labels) * self.copies, what
        )
        if not found.labels.size:
            raise UsageError(
                f"no patterns were found for network {number} among {self.copies} copies of each image: use more copies"
            )
        return found

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the sum of the networks' scores (n, classes)."""
        inputs = self.trainer_.inputs(X)
        total: np.ndarray = np.sum([network(inputs) for network in self.networks_], axis=0)
        return total

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the class with the largest score of each image (n,)."""
        return self.decision_function(X).argmax(axis=1)


def half_wrong(network: Scores) -> Choice:
    """Return the choice of all patterns that a network gets wrong, and the first of those that it gets right."""

    def choose(patterns: Patterns) -> np.ndarray:
        right = network(patterns.images).argmax(axis=1) == patterns.labels
        count = min(right.sum(), (~right).sum())
        return np.sort(np.concatenate([np.flatnonzero(each)[:count] for each in (right, ~right)]))

    return choose


def disagreed(first: Scores, second: Scores) -> Choice:
    """Return the choice of the patterns to which two networks give different answers."""

    def choose(patterns: Patterns) -> np.ndarray:
        answers = (network(patterns.images).argmax(axis=1) for network in (first, second))
        return np.flatnonzero(next(answers) != next(answers))

    return choose


def collect(blocks: Iterable[Patterns], choose: Choice, total: int, what: str) -> Patterns:
    """Return the chosen patterns of all blocks in their order.

    Args:
        blocks: Patterns, at least one block.
        choose: Choice of those that are kept.
        total: Number of patterns in all blocks, for the progress.
        what: The job, for the progress.
    """
    kept, done = [], 0
    with progress(what, total, "images") as job:
        for block in blocks:
            indices = choose(block)
            kept.append(Patterns(block.images[indices], block.labels[indices]))
            done += len(block.labels)
            job.update(done, f"{sum(len(each.labels) for each in kept):,} chosen")
    return Patterns(*(np.concatenate(each) for each in zip(*kept)))
