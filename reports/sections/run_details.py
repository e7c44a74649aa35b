"""What the page of a paper shows of its runs: tests seed by seed, and which images are taken for which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from reports.published import Figure
from reproductions.lab.results.entries import WHOLE_IMAGE, ErrorRate
from reproductions.lab.results.run_group import ERROR, Measure, RunGroup

MOST_CLASSES = 20  # of a confusion matrix that can be read

Matrix = list[list[int]]


@dataclass(frozen=True)
class FurtherTest:
    """One test of a run, by a protocol and metric."""

    seed: int
    measure: Measure
    images: int
    rate: ErrorRate


@dataclass(frozen=True)
class PublishedMistakes:
    """Published mistakes of a network, as a matrix of labels (rows) and answers (columns)."""

    figure: Figure
    matrix: Matrix
    count: int


def confusion(group: RunGroup) -> Matrix | None:
    """Return test images by class (rows) and answer (columns), summed over runs; None for too many classes."""
    classes = len(group.first.test.images_per_class)
    if classes > MOST_CLASSES:
        return None
    matrix = [[0] * classes for _ in range(classes)]
    for record in group.records:
        for label, images in enumerate(record.test.images_per_class):
            matrix[label][label] += images
        for _, label, predicted in record.misclassified:
            matrix[label][label] -= 1
            matrix[label][predicted] += 1
    return matrix


def published_mistakes(group: RunGroup, figures: Sequence[Figure]) -> list[PublishedMistakes]:
    """Return published mistakes ("4->9": label, answer) of a network, in the shape of `confusion`."""
    classes = len(group.first.test.images_per_class)
    found = []
    for figure in figures:
        counts = Counter(figure.mistakes.split())
        if counts and group.comparable and figure.is_answered_by(group):
            matrix = [[counts[f"{label}->{answer}"] for answer in range(classes)] for label in range(classes)]
            found.append(PublishedMistakes(figure, matrix, counts.total()))
    return found


def further_tests(group: RunGroup) -> list[FurtherTest]:
    """Return all tests seed by seed, if there is more than the error on whole images."""
    if group.measures == [Measure(WHOLE_IMAGE, ERROR)]:
        return []
    return [
        FurtherTest(record.seed, measure, result.images, measure.rate(result))
        for measure in group.measures
        for record, result in zip(group.records, group.results(measure.protocol))
    ]
