"""Scores of a test as a file: what figures, ensembles and errors by class are made from, without the network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.files import atomic_write
from reproductions.lab.results.stats import wilson_interval
from reproductions.lab.spec.protocols import Protocol

TOP = 5
SAME = {"sha256": "the data", "protocol": "the protocol"}


@dataclass(frozen=True)
class Predictions:
    """Scores (images, classes) float32, the largest of which wins; labels and names of the images, in order.

    `told` says what was tested on what: network, protocol, dataset, sha256 of the data, weights (their sha256).
    """

    scores: np.ndarray
    labels: np.ndarray
    names: np.ndarray
    told: dict[str, Any]

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        told = np.frombuffer(json.dumps(self.told).encode(), np.uint8)
        with atomic_write(path) as unfinished:
            np.savez(unfinished, scores=self.scores, labels=self.labels, names=self.names, told=told)


def read(path: Path) -> Predictions:
    """The predictions in a file; UsageError names a file that holds none."""
    with file_errors(path, "make it again with: reproduce evaluate"), np.load(path, allow_pickle=False) as file:
        told = json.loads(file["told"].tobytes())
        return Predictions(file["scores"], file["labels"], file["names"], told)


def folder(tested: Path) -> Path:
    """Where the predictions of a run's folder, or of a file of weights, are kept."""
    return tested / "predictions" if tested.is_dir() else tested.with_name(f"{tested.name}.predictions")


def path_of(tested: Path, protocol: Protocol) -> Path:
    return folder(tested) / f"{protocol.slug}.npz"


def predicted_classes(scores: np.ndarray) -> np.ndarray:
    """The answers: for each image the class of the largest score, the first of them where they are equal."""
    return scores.argmax(axis=1)


def ranks(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The place of the right class among all, 0 for the answer itself; of equal scores the first class comes first."""
    own = scores[np.arange(len(labels)), labels][:, np.newaxis]
    earlier = np.arange(scores.shape[1]) < labels[:, np.newaxis]
    return (scores > own).sum(axis=1) + ((scores == own) & earlier).sum(axis=1)


def figures(scores: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """What a record says of a test: errors, images, error and interval in percent, images per class.

    Where there are more than ten classes, also top5_errors, top5_error and top5_interval.
    """
    places = ranks(scores, labels)
    told = {
        **shares(int((places > 0).sum()), len(labels)),
        "images": len(labels),
        "per_class": np.bincount(labels, minlength=scores.shape[1]).tolist(),
    }
    if scores.shape[1] > 2 * TOP:
        of_five = shares(int((places >= TOP).sum()), len(labels))
        told.update({f"top5_{name}": value for name, value in of_five.items()})
    return told


def shares(errors: int, images: int) -> dict[str, Any]:
    return {"errors": errors, "error": 100 * errors / images, "interval": list(wilson_interval(errors, images))}


def by_class(scores: np.ndarray, labels: np.ndarray) -> list[dict[str, int]]:
    """Images and errors of each class, of its answers and of the best five: a row a class that has images."""
    places, rows = ranks(scores, labels), []
    for label in np.unique(labels):
        own = places[labels == label]
        wrong, outside = int((own > 0).sum()), int((own >= TOP).sum())
        rows.append({"class": int(label), "images": len(own), "errors": wrong, "top5_errors": outside})
    return rows


def ensemble(tested: Sequence[Path], protocol: Protocol) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """Figures, mean scores and labels of several networks, from predictions that were saved.

    UsageError where there are none, and where they are not of the same images in the same order.
    """
    if len(tested) < 2:
        raise UsageError("an ensemble needs two runs or more")
    paths = [path_of(each, protocol) for each in tested]
    for each, path in zip(tested, paths):
        if not path.exists():
            raise UsageError(
                f"{each} has no predictions by this protocol; make them with: "
                f"reproduce evaluate {each} --protocol {protocol.name!r}"
            )
    first = read(paths[0])
    total = first.scores.astype(np.float64)
    for path in paths[1:]:
        other = read(path)
        same_images(first, other, paths[0], path)
        total += other.scores
    scores = (total / len(paths)).astype(np.float32)
    return {**figures(scores, first.labels), "protocol": protocol.name}, scores, first.labels


def same_images(one: Predictions, other: Predictions, here: Path, there: Path) -> None:
    """UsageError unless both are of the same classes of the same images of the same data, in the same order."""
    for name, words in SAME.items():
        if one.told[name] != other.told[name]:
            raise UsageError(
                f"{there} and {here} differ in {words}: {other.told[name]}, not {one.told[name]}; "
                "only predictions on the same images can be averaged"
            )
    if one.scores.shape != other.scores.shape:
        raise UsageError(f"{there} has {other.scores.shape} scores and {here} {one.scores.shape}: they do not fit")
    if not (np.array_equal(one.names, other.names) and np.array_equal(one.labels, other.labels)):
        raise UsageError(f"{there} has not the images of {here}, or has them in another order")
