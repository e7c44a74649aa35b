"""Saved scores of a test, from which figures, ensembles and errors by class are computed without the network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from reproductions.lab import json_files, npz_files
from reproductions.lab.errors import UsageError
from reproductions.lab.files import atomic_write, remove_unfinished, written_to
from reproductions.lab.results.entries import ErrorRate, EvaluationResult, Misclassified
from reproductions.lab.spec.protocols import Protocol

TOP = 5
ADVICE = "make it again with: reproduce evaluate"
METADATA = ("network", "protocol", "dataset", "sha256", "weights")
SAME = {"sha256": "data", "protocol": "protocol"}


@dataclass(frozen=True)
class Predictions:
    """Predictions of one test.

    Attributes:
        scores: Scores (images, classes), float32, of which the largest wins.
        labels: Labels (images,).
        names: Names of the images (images,).
        metadata: What was tested on what: network, protocol, dataset, sha256 of the data and of the weights.
    """

    scores: np.ndarray
    labels: np.ndarray
    names: np.ndarray
    metadata: dict[str, str]

    def write(self, path: Path) -> None:
        """Write the predictions to an npz file, atomically; UsageError if it cannot be written."""
        metadata = np.frombuffer(json.dumps(self.metadata).encode(), np.uint8)
        for name in (path.name, f"{path.stem}.unfinished*"):
            remove_unfinished(path.parent, name)
        with written_to(path.parent), atomic_write(path) as unfinished:
            np.savez(unfinished, scores=self.scores, labels=self.labels, names=self.names, metadata=metadata)


@dataclass(frozen=True)
class ClassErrors:
    """Errors on the images of one class: of the answers, and of the best five answers."""

    label: int
    images: int
    errors: int
    top5_errors: int


def read(path: Path) -> Predictions:
    """Return the predictions in a file; UsageError names a file that has none."""
    with npz_files.open_npz(path, ADVICE) as file:
        metadata = metadata_in(file, path)
        scores = file.array("scores", npz_files.FLOATS, (None, None))
        images, classes = scores.shape
        labels = file.array("labels", npz_files.INTEGERS, (images,))
        names = file.array("names", npz_files.INTEGERS + npz_files.BYTES + npz_files.TEXTS, (images,))
        if not images or not classes:
            raise ValueError("it has no scores")
        if not np.isfinite(scores).all():
            raise ValueError("it has scores that are not finite")
        if labels.min() < 0 or labels.max() >= classes:
            raise ValueError(f"it has labels outside of 0..{classes - 1}")
        return Predictions(scores, labels, names, metadata)


def read_metadata(path: Path) -> dict[str, str]:
    """Return the metadata of the predictions in a file, without reading the scores; UsageError as for `read`."""
    with npz_files.open_npz(path, ADVICE) as file:
        return metadata_in(file, path)


def metadata_in(file: npz_files.NpzReader, path: Path) -> dict[str, str]:
    """Return the metadata of the predictions in an open file; UsageError if some of `METADATA` are missing."""
    content = json_files.parse(file.array("metadata", "u", (None,)).tobytes(), path)
    metadata = json_files.convert(content, dict[str, str], path, "predictions", "$.metadata")
    if missing := [name for name in METADATA if name not in metadata]:
        raise UsageError(f"{path} lacks {', '.join(missing)} in its metadata; {ADVICE}")
    return metadata


def folder_of(tested: Path) -> Path:
    """Return where the predictions of a run's folder, or of a file of weights, are saved."""
    return tested / "predictions" if tested.is_dir() else tested.with_name(f"{tested.name}.predictions")


def path_of(tested: Path, protocol: Protocol) -> Path:
    """Return the file with the predictions by a protocol."""
    return folder_of(tested) / f"{protocol.slug}.npz"


def predicted_classes(scores: np.ndarray) -> np.ndarray:
    """Return the class with the largest score of each image (images,), the first of equal ones."""
    return scores.argmax(axis=1)


def ranks(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the rank of the correct class of each image (images,), from 0; of equal scores the first class leads."""
    own = scores[np.arange(len(labels)), labels][:, np.newaxis]
    earlier = np.arange(scores.shape[1]) < labels[:, np.newaxis]
    return (scores > own).sum(axis=1) + ((scores == own) & earlier).sum(axis=1)


def result_of(scores: np.ndarray, labels: np.ndarray, protocol: str) -> EvaluationResult:
    """Return the result of a test; the error of the best five answers only for more than ten classes."""
    positions, images, classes = ranks(scores, labels), len(labels), scores.shape[1]
    return EvaluationResult(
        protocol=protocol,
        images=images,
        images_per_class=np.bincount(labels, minlength=classes).tolist(),
        top1=ErrorRate.of(int((positions > 0).sum()), images),
        top5=ErrorRate.of(int((positions >= TOP).sum()), images) if classes > 2 * TOP else None,
    )


def errors_by_class(scores: np.ndarray, labels: np.ndarray) -> list[ClassErrors]:
    """Return the errors of each class that has images."""
    positions, rows = ranks(scores, labels), []
    for label in np.unique(labels):
        own = positions[labels == label]
        rows.append(ClassErrors(int(label), len(own), int((own > 0).sum()), int((own >= TOP).sum())))
    return rows


def misclassified(predicted: np.ndarray, labels: np.ndarray) -> Misclassified:
    """Return the misclassified images in the order of the test split.

    Args:
        predicted: Predicted classes (images,).
        labels: Labels (images,).
    """
    index = np.flatnonzero(predicted != labels)
    return Misclassified(index.tolist(), labels[index].tolist(), predicted[index].tolist())


@dataclass(frozen=True)
class MemberResult:
    """One network of an ensemble: its run's folder or file of weights, its metadata, and its own result."""

    path: Path
    metadata: dict[str, str]
    result: EvaluationResult


@dataclass(frozen=True)
class Ensemble:
    """Averaged predictions of several networks.

    Attributes:
        predictions: Mean scores, with the images of the first network; their metadata are those of all networks.
        members: The networks, ordered by name and weights.
        result: Result of the mean scores.
    """

    predictions: Predictions
    members: tuple[MemberResult, ...]
    result: EvaluationResult


def ensemble(tested: Sequence[Path], protocol: Protocol) -> Ensemble:
    """Average the saved predictions of several networks. Their order does not matter.

    Args:
        tested: Folders of runs, or files of weights; at least two, with different weights.
        protocol: Test protocol of the predictions.

    Raises:
        UsageError: If predictions are missing, not of the same images in the same order, or of one network twice.
    """
    paths = ordered(tested, protocol)
    first = read(path_of(paths[0], protocol))
    total, members = np.zeros(first.scores.shape), []
    for path in paths:
        each = read(path_of(path, protocol))
        check_same_images(first, each, path_of(paths[0], protocol), path_of(path, protocol))
        total += each.scores
        members.append(MemberResult(path, each.metadata, result_of(each.scores, each.labels, protocol.name)))
    mean = replace(first, scores=(total / len(paths)).astype(np.float32), metadata={})
    return Ensemble(mean, tuple(members), result_of(mean.scores, mean.labels, protocol.name))


def ordered(tested: Sequence[Path], protocol: Protocol) -> list[Path]:
    """Return what is tested, ordered by name and weights of the network: sums depend on the order in the last bits.

    Raises:
        UsageError: If there is only one, predictions are missing, or two are of the same weights.
    """
    if len(tested) < 2:
        raise UsageError("an ensemble needs at least two runs")
    found: dict[tuple[str, str], Path] = {}
    for each in tested:
        path = path_of(each, protocol)
        if not path.exists():
            raise UsageError(
                f"{each} has no predictions by this protocol; make them with: "
                f"reproduce evaluate {each} --protocol {protocol.name!r}"
            )
        metadata = read_metadata(path)
        key = metadata["network"], metadata["weights"]
        if key in found:
            raise UsageError(f"{each} and {found[key]} have the same weights: name each network of an ensemble once")
        found[key] = each
    return [path for _, path in sorted(found.items())]


def check_same_images(one: Predictions, other: Predictions, path: Path, other_path: Path) -> None:
    """Raise UsageError unless both are of the same classes and images of the same data, in the same order."""
    for name, noun in SAME.items():
        if one.metadata[name] != other.metadata[name]:
            raise UsageError(
                f"{other_path} and {path} differ in {noun}: {other.metadata[name]}, not {one.metadata[name]}; "
                "only predictions on the same images can be averaged"
            )
    if one.scores.shape != other.scores.shape:
        raise UsageError(f"{other_path} has scores of shape {other.scores.shape}, but {path} {one.scores.shape}")
    if not (np.array_equal(one.names, other.names) and np.array_equal(one.labels, other.labels)):
        raise UsageError(f"{other_path} does not have the images of {path} in the same order")
