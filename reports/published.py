"""Published figures, and what papers say about networks compared with each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas

from reports.ensembles import MeasuredEnsemble
from reproductions.lab.results.ensemble_record import parse_networks
from reproductions.lab.results.run_group import Measure, RunGroup
from reproductions.lab.results.verdict import PublishedFigure

# What papers call the images that a data set's networks are tested on; for others, the set's own name and "test".
TEST_IMAGES = {
    "imagenet": ("imagenet-2012", "validation"),
    "imagenet-originals": ("imagenet-2012", "validation"),
    "cifar10-whitened": ("cifar10", "test"),
    "mnist-deslanted": ("mnist", "test"),
}


@dataclass(frozen=True)
class Figure:
    """One row of `published/NAME.csv`.

    Attributes:
        network: Network of this suite; empty if the figure is of something else.
        label: What the paper calls it.
        dataset: Data set, as papers call it.
        split: Split that was tested.
        metric: "error", "top-1" or "top-5".
        published: The figure as published.
        error: Error rate in percent; None if the figure is not a single number.
        protocol: Test protocol.
        conditions: Further conditions.
        place: Where it is published.
        status: "confirmed", or how certain it is.
        mistakes: Published mistakes, "label->answer" separated by spaces.
        images: Number of test images, if the figure is of a sample of the test set.
        out_of_scope: Data that the suite does not have and the figure needs; the figure then has no network.
        ensemble: Networks that are averaged, such as "5 alexnet" or "inception-v4 + 3 inception-resnet-v2"; the figure
            then has no `network`.
    """

    network: str
    label: str
    dataset: str
    split: str
    metric: str
    published: str
    error: float | None
    protocol: str
    conditions: str
    place: str
    status: str
    mistakes: str = ""
    images: int | None = None
    out_of_scope: str = ""
    ensemble: str = ""

    @property
    def measure(self) -> Measure:
        """What the figure measures."""
        return Measure(self.protocol, self.metric)

    @property
    def value(self) -> PublishedFigure | None:
        """The error rate, if it is a single number."""
        return None if self.error is None else PublishedFigure(self.error, self.images)

    @property
    def text(self) -> str:
        """The figure as published, with its uncertainty and with its status unless confirmed."""
        uncertain = ""
        if self.value and self.images:
            low, high = self.value.interval
            uncertain = f" ({low:.1f} to {high:.1f}% for {self.images:,} images)"
        return self.published + uncertain + ("" if self.status == "confirmed" else f" ({self.status})")

    def is_answered_by(self, group: RunGroup) -> bool:
        """Return whether runs are of the figure's network and test images."""
        return group.network == self.network and self.is_on_test_images_of(group.own_recipe.dataset)

    def is_answered_by_ensemble(self, ensemble: MeasuredEnsemble) -> bool:
        """Return whether an ensemble has the figure's networks, and was tested on its images by its protocol."""
        return (
            bool(self.ensemble)
            and parse_networks(self.ensemble) == ensemble.record.networks
            and self.measure in ensemble.measures
            and self.is_on_test_images_of(ensemble.dataset)
        )

    def is_on_test_images_of(self, dataset: str) -> bool:
        """Return whether the figure is of the test images of a data set."""
        return TEST_IMAGES.get(dataset, (dataset, "test")) == (self.dataset, self.split)


@dataclass(frozen=True)
class PublishedComparison:
    """One row of `published/comparisons.csv`.

    Attributes:
        study: Name of the paper.
        what: What is compared.
        networks: Networks in the paper's order, the best first.
        training_error: Training error in percent, if the paper compares the epochs to it; else None.
        published: What the paper says.
        place: Where it says so.
    """

    study: str
    what: str
    networks: tuple[str, ...]
    training_error: float | None
    published: str
    place: str


def read_figures(folder: Path, study: str) -> list[Figure]:
    """Return the published figures of a paper."""
    table = pandas.read_csv(folder / f"{study}.csv", dtype=str, keep_default_na=False)
    rows = table.to_dict("records")
    return [
        Figure(
            **{
                **{str(name): value for name, value in row.items()},
                "error": float(row["error"]) if row["error"] else None,
                "images": int(row["images"]) if row.get("images") else None,
            }
        )
        for row in rows
    ]


def read_comparisons(folder: Path) -> list[PublishedComparison]:
    """Return what all papers say about networks compared with each other."""
    table = pandas.read_csv(folder / "comparisons.csv", dtype=str, keep_default_na=False)
    return [
        PublishedComparison(
            study=row["study"],
            what=row["what"],
            networks=tuple(row["networks"].split()),
            training_error=float(row["training_error"]) if row["training_error"] else None,
            published=row["published"],
            place=row["place"],
        )
        for row in table.to_dict("records")
    ]


def read_entries(folder: Path) -> dict[str, float]:
    """Return top-5 test errors of ILSVRC in percent by "year/name", from the sources of the lecture's statements."""
    table = pandas.read_csv(folder / "lecture_sources.csv", dtype=str, keep_default_na=False)
    found = table[table["key"].str.startswith("ilsvrc")]
    return {key.removeprefix("ilsvrc"): float(value) for key, value in zip(found["key"], found["value"])}
