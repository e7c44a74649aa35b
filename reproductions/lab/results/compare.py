"""Runs compared with each other: spreads over seeds, paired seeds, and the test images that only one gets wrong."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from reproductions.lab.errors import UsageError
from reproductions.lab.results import predictions
from reproductions.lab.results.entries import EpochResult, EvaluationResult
from reproductions.lab.results.run_group import RunGroup, group_runs
from reproductions.lab.results.run_record import Run, read_run
from reproductions.lab.results.stats import (
    Spread,
    mcnemar_exact,
    paired_difference,
    wilson_interval,
)
from reproductions.lab.spec import protocols, recipe_changes


@dataclass(frozen=True)
class RunSummary:
    """Test errors of one run."""

    network: str
    seed: int
    errors: int
    images: int
    error: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class NetworkSummary:
    """Mean and sample standard deviation of the test error over seeds, in percent."""

    network: str
    seeds: list[int]
    error: float
    deviation: float | None

    @property
    def spread(self) -> Spread:
        """The mean and standard deviation, to print."""
        return Spread(self.error, self.deviation)


@dataclass(frozen=True)
class SeedComparison:
    """Two networks compared over the seeds that both have.

    Attributes:
        first: Name of the first network.
        second: Name of the second network.
        changes: Human-readable differences of the second's recipe to the first's.
        seeds: Seeds that both have.
        difference: Mean error of the second minus that of the first, in points; None without common seeds.
        interval: 95% confidence interval of the difference; None without a t-test.
        p: p value of the paired t-test; None with fewer than two pairs or equal differences.
    """

    first: str
    second: str
    changes: list[str]
    seeds: list[int]
    difference: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None


@dataclass(frozen=True)
class ImageComparison:
    """Two runs compared image by image; counts are None if the misclassified images are not known.

    Attributes:
        first: Name of the first network.
        second: Name of the second network.
        seeds: Seed of the first and of the second run.
        images: Number of test images.
        both: Images that both misclassify.
        only_first: Images that only the first misclassifies.
        only_second: Images that only the second misclassifies.
        p: p value of McNemar's exact test.
    """

    first: str
    second: str
    seeds: tuple[int, int]
    images: int
    both: int | None = None
    only_first: int | None = None
    only_second: int | None = None
    p: float | None = None


@dataclass(frozen=True)
class TimeToError:
    """Epochs until a training error is reached, mean over seeds.

    Attributes:
        network: Name of the network.
        seeds: Seeds of its runs.
        training_error: The training error, in percent.
        epochs: Mean number of epochs; None if a run does not reach it.
        more_than: Lower bound of the mean in that case: runs that do not reach it count with all their epochs.
    """

    network: str
    seeds: list[int]
    training_error: float
    epochs: float | None = None
    more_than: float | None = None

    @property
    def least(self) -> float:
        """The number of epochs, or its lower bound."""
        return self.epochs or self.more_than or 0.0


@dataclass(frozen=True)
class Comparison:
    """All that a comparison of runs finds."""

    protocol: str
    data: str
    runs: list[RunSummary]
    networks: list[NetworkSummary]
    pairs: list[SeedComparison]
    images: list[ImageComparison]
    training: list[TimeToError] = field(default_factory=list)


def compare(paths: Sequence[Path], protocol: str | None = None, training_error: float | None = None) -> Comparison:
    """Compare runs.

    Args:
        paths: Folders of runs, or files of records; at least two.
        protocol: Test protocol; by default the first by which all runs were tested.
        training_error: Training error in percent; the epochs to it are compared too.

    Raises:
        UsageError: If there are fewer than two runs, a record is damaged, a run is named twice, or the runs are on
            different data or have no test in common.
    """
    if len(paths) < 2:
        raise UsageError("name at least two runs to compare")
    return compare_runs([read_run(path) for path in paths], protocol, training_error)


def compare_runs(runs: Sequence[Run], protocol: str | None = None, training_error: float | None = None) -> Comparison:
    """Compare runs that have been read; see `compare`."""
    check_same_data(runs)
    protocol = common_protocol(runs, protocol)
    groups = group_runs(runs)
    couples = list(itertools.combinations(groups, 2))
    return Comparison(
        protocol=protocol,
        data=" and ".join(dict.fromkeys(run.record.data.name for run in runs)),
        runs=[summarize_run(group, seed, protocol) for group in groups for seed in group.by_seed],
        networks=[summarize_network(group, protocol) for group in groups],
        pairs=[compare_seeds(*couple, protocol) for couple in couples],
        images=[row for couple in couples for row in compare_images(*couple, protocol)],
        training=[] if training_error is None else [time_to_error(group, training_error) for group in groups],
    )


def check_same_data(runs: Sequence[Run]) -> None:
    """Raise UsageError unless all runs are on the same data, by checksum."""
    first = runs[0]
    for run in runs[1:]:
        if run.record.data.sha256 != first.record.data.sha256:
            names = [f"{each.path} is on {each.record.data.name}" for each in (run, first)]
            raise UsageError(f"{' and '.join(names)}, by their checksums: only runs on the same data can be compared")


def common_protocol(runs: Sequence[Run], wanted: str | None) -> str:
    """Return the wanted protocol, or the first by which all runs were tested; UsageError if a run was not."""
    for name in [protocols.find(wanted).name] if wanted else runs[0].record.by_protocol:
        missing = [run for run in runs if name not in run.record.by_protocol]
        if not missing:
            return name
    run = missing[0]
    raise UsageError(
        f"{run.path} was tested by {' and '.join(run.record.by_protocol)}, not by {name}; "
        f"test it with: reproduce evaluate {run.path if run.path.is_dir() else 'RUN_DIR'} --protocol {name!r}"
    )


def result_of(run: Run, protocol: str) -> EvaluationResult:
    """Return the result of a run by a protocol."""
    return run.record.by_protocol[protocol]


def summarize_run(group: RunGroup, seed: int, protocol: str) -> RunSummary:
    """Return the test errors of the run with a seed."""
    result = result_of(group.by_seed[seed], protocol)
    errors, images = result.top1.errors, result.images
    return RunSummary(group.name, seed, errors, images, result.top1.error, wilson_interval(errors, images))


def summarize_network(group: RunGroup, protocol: str) -> NetworkSummary:
    """Return the mean and standard deviation over seeds."""
    spread = Spread.of([result_of(run, protocol).top1.error for run in group.runs])
    return NetworkSummary(group.name, list(group.by_seed), spread.mean, spread.deviation)


def compare_seeds(one: RunGroup, other: RunGroup, protocol: str) -> SeedComparison:
    """Compare two networks over their common seeds."""
    seeds = [seed for seed in one.by_seed if seed in other.by_seed]
    changes = recipe_changes.changes(other.settings, one.settings)
    if not seeds:
        return SeedComparison(one.name, other.name, changes, seeds)
    results = [[result_of(group.by_seed[seed], protocol) for seed in seeds] for group in (one, other)]
    errors = [[result.top1.errors for result in own] for own in results]
    point = results[0][0].images / 100
    difference = (statistics.mean(errors[1]) - statistics.mean(errors[0])) / point
    test = paired_difference(errors[1], errors[0]) if len(seeds) > 1 else None
    interval = (test.interval[0] / point, test.interval[1] / point) if test else None
    return SeedComparison(one.name, other.name, changes, seeds, difference, interval, test.p if test else None)


def compare_images(one: RunGroup, other: RunGroup, protocol: str) -> list[ImageComparison]:
    """Compare two networks image by image, for each common seed, or else for the only run of each."""
    couples = [(seed, seed) for seed in one.by_seed if seed in other.by_seed]
    if not couples and len(one.runs) == len(other.runs) == 1:
        couples = list(zip(one.by_seed, other.by_seed))
    return [compare_two_runs(one, other, seeds, protocol) for seeds in couples]


def compare_two_runs(one: RunGroup, other: RunGroup, seeds: tuple[int, int], protocol: str) -> ImageComparison:
    """Count the images that both runs, only the first and only the second misclassify."""
    first, second = one.by_seed[seeds[0]], other.by_seed[seeds[1]]
    images = result_of(first, protocol).images
    wrong, also_wrong = misclassified_images(first, protocol), misclassified_images(second, protocol)
    if wrong is None or also_wrong is None:
        return ImageComparison(one.name, other.name, seeds, images)
    only = len(wrong - also_wrong), len(also_wrong - wrong)
    return ImageComparison(
        one.name, other.name, seeds, images, len(wrong & also_wrong), only[0], only[1], mcnemar_exact(*only)
    )


def misclassified_images(run: Run, protocol: str) -> frozenset[int] | None:
    """Return the indices of misclassified test images, from the record or from saved predictions.

    Returns:
        None if there are neither.

    Raises:
        UsageError: If the predictions are damaged, or not those of the recorded test.
    """
    result = result_of(run, protocol)
    if protocol == run.record.test.protocol and len(run.record.misclassified) == result.top1.errors:
        return frozenset(run.record.misclassified.index)
    path = predictions.path_of(run.path, protocols.find(protocol))
    if not run.path.is_dir() or not path.exists():
        return None
    saved = predictions.read(path)
    wrong = np.flatnonzero(predictions.predicted_classes(saved.scores) != saved.labels)
    if saved.metadata["sha256"] != run.record.data.sha256 or len(wrong) != result.top1.errors:
        raise UsageError(
            f"{path} does not belong to the recorded test; "
            f"make it again with: reproduce evaluate {run.path} --protocol {protocol!r}"
        )
    return frozenset(wrong.tolist())


def epochs_to_error(history: Sequence[EpochResult], error: float) -> float | None:
    """Return the epochs after which the training error is at most `error` percent, interpolated between epochs.

    The training error of an epoch is a running average over it.

    Returns:
        None if it never is.
    """
    for before, row in zip([None, *history], history):
        if row.error <= error:
            return row.epoch - (error - row.error) / (before.error - row.error) if before else row.epoch
    return None


def time_to_error(group: RunGroup, error: float) -> TimeToError:
    """Return the epochs to a training error, mean over seeds."""
    if not group.first.history:
        raise UsageError(f"{group.name} was fitted at once: the epochs to a training error exist for networks only")
    epochs = [epochs_to_error(record.history, error) for record in group.records]
    least = [each or record.history[-1].epoch for each, record in zip(epochs, group.records)]
    mean, reached = statistics.mean(least), None not in epochs
    found = TimeToError(group.name, list(group.by_seed), error)
    return TimeToError(found.network, found.seeds, error, mean if reached else None, None if reached else mean)
