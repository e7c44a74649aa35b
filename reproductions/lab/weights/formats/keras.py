"""Weights that Keras saved: `.keras`, `.weights.h5`, and the `.h5` of Keras 1 and 2. The configuration is not read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from reproductions.lab import zip_files
from reproductions.lab.weights.formats import hdf5

MEMBER = "model.weights.h5"
EXPANSION = 4  # largest ratio of the weights to the `.keras` file; Keras stores them uncompressed

AUTOMATIC_NAME = re.compile(r"(conv2d|batch_normalization|dense)(?:_(\d+))?")
KERAS_1_NAME = re.compile(r".*_(W|b)(?:_\d+)?")  # "block1_conv1_W_1"


def read(path: Path) -> dict[str, np.ndarray]:
    """Return all arrays by name.

    Keras 3 numbers layers by class, in the order of `model.layers`: "layers/conv2d_1/vars/0" is the first weight of the
    second convolution. Older files have the layers' names: "block1_conv1/kernel". The numbers in Keras' automatic names
    depend on what else was built in the session; here they start at 0, in the same order: "conv2d", "conv2d_1"...

    Raises:
        ValueError: If the file is damaged, or has anything but arrays that are stored in it as they are.
    """
    tensors = hdf5.read(archived(path) if path.suffix == ".keras" else path.read_bytes())
    if not tensors:
        raise ValueError("it has no weights")
    numbers = automatic_numbers(tensors)
    named = {tensor_name(saved, numbers): tensor for saved, tensor in tensors.items()}
    if len(named) < len(tensors):
        raise ValueError("two weights have one name")
    return named


def archived(path: Path) -> bytes:
    """Return the file of weights in a `.keras` file.

    Raises:
        ValueError: If there is not exactly one, or it is compressed too much.
    """
    with path.open("rb") as file:
        return zip_files.read_member(zip_files.open_archive(file), MEMBER, EXPANSION * path.stat().st_size)


def split(path: str) -> tuple[str, str]:
    """Return the layer and the weight of a path in a file of Keras 1 or 2: "fc1/fc1/kernel:0" to "fc1" and "kernel"."""
    group, _, name = path.removeprefix("model_weights/").rpartition("/")
    first, _, rest = group.partition("/")
    name = name.partition(":")[0]
    if match := KERAS_1_NAME.fullmatch(name):
        name = {"W": "kernel", "b": "bias"}[match[1]]
    return first if rest.rpartition("/")[2] == first else group, name


def automatic_numbers(paths: Iterable[str]) -> dict[str, list[int]]:
    """Return the numbers in the automatic names of layers, by class, in ascending order."""
    matches = {AUTOMATIC_NAME.fullmatch(split(path)[0]) for path in paths}
    found = {(match[1], int(match[2] or 0)) for match in matches if match}
    return {kind: sorted(number for each, number in found if each == kind) for kind, _ in found}


def tensor_name(path: str, numbers: dict[str, list[int]]) -> str:
    """Return the name of the weights at a path in the file; see `read`."""
    if "/vars/" in f"/{path}":
        return path
    layer, weight = split(path)
    if match := AUTOMATIC_NAME.fullmatch(layer):
        rank = numbers[match[1]].index(int(match[2] or 0))
        layer = f"{match[1]}_{rank}" if rank else match[1]
    return f"{layer}/{weight}".removeprefix("/")
