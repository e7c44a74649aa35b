"""The pictures that `reproduce show --all` makes. Data only."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass

from reproductions.lab.results.picture_record import Kind
from reproductions.lab.spec.protocols import slug

# The paper whose figure a picture follows: Figure 3; Figure 2; section 3.4; Figure 6.
METHODS: dict[str, str] = {"filters": "alexnet", "deconv": "zfnet", "guided": "all_cnn", "occlusion": "zfnet"}


@dataclass(frozen=True)
class Picture:
    """A picture of every network that it fits.

    Attributes:
        kind: What is shown.
        layer: Name of the layer; by default what `reproduce show` shows without one.
        image: Image that the networks see; by default that of `reproduce show`.
        networks: Patterns of the names of networks.
        datasets: Patterns of the names of the data sets that they are trained on.
        note: What to see in it, added to the caption.
    """

    kind: Kind
    layer: str | None = None
    image: str | None = None
    networks: tuple[str, ...] = ("*",)
    datasets: tuple[str, ...] = ("*",)
    note: str = ""

    def fits(self, network: str, dataset: str) -> bool:
        """Return whether it is made of a network that is trained on a data set."""
        return matches(network, self.networks) and matches(dataset, self.datasets)

    def name(self, network: str) -> str:
        """Return the name of its files, without ending."""
        return slug("-".join(filter(None, (network, self.kind, self.layer, self.image))))


PICTURES = (
    Picture("filters"),
    Picture(
        "filters",
        layer="C3",
        networks=("lenet5",),
        note="The empty places are those of the paper's Table I.",
    ),
    Picture("features"),
    Picture("deconv"),
    Picture("guided"),
    Picture(
        "guided",
        layer="linear",
        image="coffee",
        networks=("googlenet*",),
        note="The classes hardly differ: guided backpropagation shows what the layers respond to more than what tells "
        "classes apart.",
    ),
    Picture("occlusion"),
    Picture("occlusion", image="coffee", datasets=("imagenet*",)),
    Picture("errors", datasets=("mnist*", "cifar10*")),
)


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Return whether a name has one of these patterns."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def pictures_of(network: str, dataset: str) -> Iterator[Picture]:
    """Yield the pictures of a network that is trained on a data set."""
    return (picture for picture in PICTURES if picture.fits(network, dataset))
