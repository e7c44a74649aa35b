"""Published weights: the publisher's figures beside ours, as a table on the page of a paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reproductions.lab.errors import unknown
from reproductions.lab.results.run_group import ERROR, Measure, measures_of
from reproductions.lab.results.stats import wilson_interval
from reproductions.lab.results.weights_record import WeightsRecord
from reproductions.lab.spec.study import Study
from reproductions.lab.weights import presets
from reproductions.lab.weights.preset import PublisherFigure


@dataclass(frozen=True)
class WeightsRow:
    """One row of the table: weights, protocol and metric, the publisher's figure, and ours; all but `images` is text.

    Attributes:
        network: Name of the network.
        publisher: Who published the weights.
        file: Name of the file.
        measure: Metric and protocol.
        published: The publisher's figure, with its 95% interval if it is of a part of the images.
        measured: Our error.
        interval: Its 95% interval.
        difference: Measured minus published, in points.
        images: Number of images.
        data: Name of the data set.
    """

    network: str
    publisher: str
    file: str
    measure: str
    published: str
    measured: str
    interval: str
    difference: str
    images: int
    data: str


def check_networks(studies: Mapping[str, Study], records: Sequence[WeightsRecord]) -> None:
    """Raise UsageError if the network of a record does not exist."""
    networks = {network.name: study.name for study in studies.values() for network in study.networks}
    for record in records:
        if networks.get(record.network) != record.study:
            raise unknown(f"network (in a record of {record.weights.publisher}'s weights)", record.network, networks)


def weights_rows(records: Sequence[WeightsRecord], study: str) -> list[WeightsRow]:
    """Return the table of the published weights for a paper's networks; without samples, which are no error rates."""
    rows = [
        weights_row(record, measure)
        for record in records
        if record.study == study and not record.sample
        for measure in measures_of(record.test)
    ]
    return sorted(rows, key=lambda row: (row.network, row.publisher, row.measure))


def weights_row(record: WeightsRecord, measure: Measure) -> WeightsRow:
    """Return the row of a measurement."""
    rate, weights = measure.rate(record.test), record.weights
    figures = presets.figures(weights)
    same = [each for each in figures if (each.metric, each.protocol) == (measure.metric, measure.protocol)]
    return WeightsRow(
        network=record.network,
        publisher=weights.publisher,
        file=weights.file_name,
        measure=str(measure) or ERROR,
        published=format_figure(same[0]) if same else "",
        measured=f"{rate.error:.2f}%",
        interval=f"{rate.interval[0]:.2f} to {rate.interval[1]:.2f}",
        difference=f"{rate.error - same[0].error:+.2f}" if same else "",
        images=record.test.images,
        data=record.data.name,
    )


def format_figure(figure: PublisherFigure) -> str:
    """Return a publisher's figure as text."""
    if figure.images is None:
        return f"{figure.error}%"
    low, high = wilson_interval(figure.error * figure.images / 100, figure.images)
    return f"{figure.error}% ({low:.1f} to {high:.1f}% for {figure.images:,} images)"
