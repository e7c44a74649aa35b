"""A preset: what is known of a published file of weights, and which of its tensors belongs where in a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from reproductions.lab.spec.provenance import Provenance
from reproductions.lab.spec.recipe import Transform

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Placement:
    """Where a weight of the network comes from.

    Attributes:
        variable: Path of the Keras variable: "conv1/kernel".
        tensors: Names of the tensors in the file that it is made of.
        convert: Function from these tensors to the variable's value.
    """

    variable: str
    tensors: tuple[str, ...]
    convert: Callable[..., np.ndarray]


@dataclass(frozen=True)
class PublisherFigure:
    """An error rate that the publisher of the weights gives for them.

    Attributes:
        metric: "error", "top-1" or "top-5".
        error: Error rate in percent.
        protocol: Test protocol, a key of `reproductions.lab.spec.protocols.PROTOCOLS` or a description.
        source: Where it is published.
        images: Number of images it was measured on, if it is only a part of the test images.
    """

    metric: str
    error: float
    protocol: str
    source: str
    images: int | None = None

    def __str__(self) -> str:
        """Return the figure as text: "top-1 error 31.3%, centre crop (SOURCE)"."""
        metric = "error" if self.metric == "error" else f"{self.metric} error"
        part = f", {self.images:,} images" if self.images else ""
        return f"{metric} {self.error}%, {self.protocol}{part} ({self.source})"


def figures_of(top1: float, top5: float, protocol: str, source: str) -> tuple[PublisherFigure, ...]:
    """Return the errors for the top-1 and top-5 accuracy, in percent, that a publisher gives."""
    rows = (("top-1", top1), ("top-5", top5))
    # Accuracies have at most three decimals.
    return tuple(PublisherFigure(metric, round(100 - accuracy, 3), protocol, source) for metric, accuracy in rows)


@dataclass(frozen=True)
class Preset:
    """A published file of weights that fits a network.

    Attributes:
        name: Name, unique among the presets of the network: the publisher's short name.
        network: Name of the network.
        publisher: Who published the weights.
        file_name: Usual name of the file.
        url: Where to download it, or where it is described.
        placements: Function from the network to where each of its variables comes from.
        options: Arguments of the network's builder that the weights need.
        transforms: Test transforms: from an image in RGB, 0..255, to the input.
        unused: Beginnings of the names of tensors that the network has no place for, such as auxiliary heads.
        sha256: Checksums of the files that are known, if any.
        sha1: Checksum that the publisher gives instead, if any.
        figures: What the publisher says about their error.
        deviations: Differences from the paper's network, recipe and test.
    """

    name: str
    network: str
    publisher: str
    file_name: str
    url: str
    placements: Callable[[keras.Model], Iterator[Placement]]
    options: Mapping[str, Any] = field(default_factory=dict)
    transforms: tuple[Transform, ...] = ()
    unused: tuple[str, ...] = ()
    sha256: tuple[str, ...] = ()
    sha1: str = ""
    figures: tuple[PublisherFigure, ...] = ()
    deviations: tuple[str, ...] = ()

    def checksums(self) -> tuple[str, tuple[str, ...]]:
        """Return the algorithm of `hashlib` of the known checksums, and these, if any."""
        return ("sha1", (self.sha1,)) if self.sha1 else ("sha256", self.sha256)

    def provenance(self, file_name: str, sha256: str) -> Provenance:
        """Return the provenance of weights in a file of this name and checksum."""
        return Provenance(
            self.network, self.name, self.publisher, file_name, sha256, dict(self.options), self.transforms
        )
