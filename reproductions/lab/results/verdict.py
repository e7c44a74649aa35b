"""The verdict on a published figure: one rule, for every table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reproductions.lab.results.stats import Spread, wilson_interval

BETTER = "better than published"
REPRODUCED = "reproduced"
SPREAD = "within run-to-run spread"
NOT_REACHED = "not reached"
FEW = {1: "one run", 2: "two runs"}
ONE_ENSEMBLE = "one ensemble"

RULE = f"""\
Measured figures are means over seeds at the last epoch, ± the standard deviation; the difference is measured minus
published, in points. With at least three seeds, the verdict compares the published figure with the 95% confidence
interval of the mean and the 95% prediction interval of one more run, both by Student's t over seeds:

- *{BETTER}*: the published figure is above the prediction interval.
- *{REPRODUCED}*: otherwise, and it is at or above the mean, or inside the confidence interval.
- *{SPREAD}*: otherwise, and it is inside the prediction interval.
- *{NOT_REACHED}*: it is below the prediction interval.
- *one run*, *two runs*, *{ONE_ENSEMBLE}*: too few for a verdict.
- *not comparable*: the data, the test or the images per batch normalization differ from the network's own recipe; of
  an ensemble, also if a member has another recipe, or two have one network and seed.
- *not run*: there is no record.
- *out of scope*: the figure is of something that is not in this suite, or needs data that the suite does not have.
- *nothing published*: no paper gives a figure.

A published figure with an uncertainty of its own counts as an interval, which the table gives, and one value in it is
enough. Wide intervals, from few seeds or a large spread, make *{REPRODUCED}* easier: look at them beside the verdict.
"""


@dataclass(frozen=True)
class PublishedFigure:
    """A published error rate in percent.

    Attributes:
        error: The figure.
        images: Number of images that it was measured on, if that is only a sample of the test set; the figure is then
            uncertain by Wilson's interval.
    """

    error: float
    images: int | None = None

    @property
    def interval(self) -> tuple[float, float]:
        """The figure with its own uncertainty, in percent."""
        if self.images is None:
            return self.error, self.error
        return wilson_interval(self.error * self.images / 100, self.images)


def verdict(published: PublishedFigure, errors: Sequence[float], rounding: float | None = None) -> str:
    """Return the verdict on a published figure.

    Args:
        published: The figure.
        errors: Error rate of each run, in percent; at least one.
        rounding: For a deterministic method, half the unit to which the published figure is rounded: both intervals
            are then the measured error plus or minus this value.
    """
    if rounding is None and len(errors) in FEW:
        return FEW[len(errors)]
    spread = Spread.of(errors)
    confidence, prediction = spread.confidence, spread.prediction
    if rounding is not None or confidence is None or prediction is None:
        confidence = prediction = (spread.mean - (rounding or 0), spread.mean + (rounding or 0))
    low, high = published.interval
    if low > prediction[1]:
        return BETTER
    if high >= confidence[0]:  # at or above the mean, or inside the confidence interval
        return REPRODUCED
    return SPREAD if high >= prediction[0] else NOT_REACHED
