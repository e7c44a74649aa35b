"""What the classes of a data set are called."""

from __future__ import annotations

from collections.abc import Sequence

from reproductions.lab.data.imagenet import classes

DIGITS = tuple("0123456789")
NAMES = {
    "mnist": DIGITS,
    "usps": DIGITS,
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}


def class_names(dataset: str, count: int) -> Sequence[str]:
    """Return the names of the classes of a data set, in the order of the labels.

    Args:
        dataset: Name of the data set, or of a variant such as "cifar10-whitened".
        count: Number of classes of the network; if it is another one, they only have numbers.
    """
    base = dataset.partition("-")[0]
    names = tuple(classes.words().values()) if base == "imagenet" else NAMES.get(base, ())
    return names if len(names) == count else [f"class {label}" for label in range(count)]
