"""The data sets by name, and the functions that load them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from reproductions.lab.data.base import Dataset
from reproductions.lab.errors import unknown


def load_mnist(data_dir: Path | None, deslanted: bool = False) -> Dataset:
    """Return MNIST; see `mnist.load` and `mnist.deslant`."""
    from reproductions.lab.data import mnist

    data = mnist.load(data_dir)
    return mnist.deslant(data) if deslanted else data


def load_usps(data_dir: Path | None) -> Dataset:
    """Return the USPS ZIP code digits; see `usps.load`."""
    from reproductions.lab.data import usps

    return usps.load(data_dir)


def load_imagenet(name: str, data_dir: Path | None) -> Dataset:
    """Return prepared ImageNet; see `imagenet.dataset.load`."""
    from reproductions.lab.data.imagenet import dataset

    return dataset.load(name, data_dir)


def load_cifar10(data_dir: Path | None, whitened: bool = False) -> Dataset:
    """Return CIFAR-10; see `cifar10.load` and `cifar10.whiten`."""
    from reproductions.lab.data import cifar10

    data = cifar10.load(data_dir)
    return cifar10.whiten(data) if whitened else data


LOADERS: dict[str, Callable[[Path | None], Dataset]] = {
    "mnist": load_mnist,
    "mnist-deslanted": functools.partial(load_mnist, deslanted=True),
    "usps": load_usps,
    "cifar10": load_cifar10,
    "cifar10-whitened": functools.partial(load_cifar10, whitened=True),
    "imagenet": functools.partial(load_imagenet, "imagenet"),
    "imagenet-originals": functools.partial(load_imagenet, "imagenet-originals"),
}


def load(name: str, data_dir: Path | None = None) -> Dataset:
    """Return a data set.

    Args:
        name: Key of `LOADERS`.
        data_dir: Folder with the data; by default the one that REPRODUCTIONS_DATA names.

    Raises:
        UsageError: If the name does not exist, or the data are missing or damaged.
    """
    check_name(name)
    return LOADERS[name](data_dir)


def check_name(name: str) -> None:
    """Raise UsageError if there is no data set of this name."""
    if name not in LOADERS:
        raise unknown("data set", name, LOADERS)
