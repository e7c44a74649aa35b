"""The 1,000 classes of ILSVRC-2012 in the order of their labels: WNIDs, sorted, and words."""

from __future__ import annotations

import csv
import functools
from pathlib import Path

CLASSES = Path(__file__).parents[3] / "published" / "imagenet_classes.csv"


@functools.cache
def words() -> dict[str, str]:
    """Return the words of each class by WNID, in the order of the labels."""
    with CLASSES.open(encoding="utf-8", newline="") as file:
        return {row["wnid"]: row["words"] for row in csv.DictReader(file)}


@functools.cache
def labels() -> dict[str, int]:
    """Return the label of each class by WNID."""
    return {wnid: label for label, wnid in enumerate(words())}
