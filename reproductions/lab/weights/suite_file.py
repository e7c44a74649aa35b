"""Weights of this suite's networks as a safetensors file: a tensor for each variable, and what the network needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import safetensors
import safetensors.numpy

from reproductions.lab import json_files
from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.files import atomic_write
from reproductions.lab.ranges import Classes
from reproductions.lab.spec import recipe_files
from reproductions.lab.spec.provenance import Provenance, check_options
from reproductions.lab.spec.recipe import plain
from reproductions.lab.weights import layouts, matching, tensor_file
from reproductions.lab.weights.formats import safetensors as format_reader
from reproductions.lab.weights.preset import Placement, Preset

if TYPE_CHECKING:
    import keras

ENTRY = "reproductions"  # of the file's metadata
ENDING = ".safetensors"
WHAT = "a file of weights of this suite"


@dataclass(frozen=True)
class Contents:
    """Which network a file has the weights of, and what that needs; JSON in the file's metadata.

    Attributes:
        network: Name of the network.
        recipe: Recipe by which this suite trained it, as in a record; None if it did not.
        classes: Number of classes of the data that it was trained on.
        precision: Keras dtype policy.
        provenance: Where the weights come from, if they were imported.
    """

    network: str
    recipe: Mapping[str, Any] | None = None
    classes: Classes | None = None
    precision: str = "float32"
    provenance: Provenance | None = None


def write(path: Path, model: keras.Model, contents: Contents) -> None:
    """Save the weights of a network, atomically. Equal weights and contents give equal bytes.

    Raises:
        UsageError: If the file has another ending, or cannot be written.
    """
    if path.suffix != ENDING:
        raise UsageError(f"{path} must end with {ENDING}")
    values = {variable.path: np.asarray(variable.numpy()) for variable in own_variables(model)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as unfinished:
            unfinished.write_bytes(safetensors.numpy.save(values, metadata(contents)))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None


def metadata(contents: Contents) -> dict[str, str]:
    """Return what a file says of its weights, as its metadata."""
    return {ENTRY: msgspec.json.encode(plain(msgspec.to_builtins(contents)), order="sorted").decode()}


def own_variables(model: keras.Model) -> list[keras.Variable]:
    """Return the weights of a network without the state of random generators."""
    return [variable for variable in model.weights if not matching.is_state(variable)]


def contents_of(path: Path) -> Contents:
    """Return what a file says of its weights.

    Raises:
        UsageError: If the file is missing or damaged, or was not written by this suite.
    """
    with file_errors(path):
        if not path.is_file():
            raise UsageError(f"{path} is not a file")
        format_reader.check_header(path)
        with safetensors.safe_open(path, framework="numpy") as file:
            found = file.metadata() or {}
        if ENTRY not in found:
            raise UsageError(
                f"{path} was not written by this suite: import it with reproduce weights import NETWORK {path}"
            )
        content = json_files.parse(found[ENTRY].encode(), path, WHAT)
        contents = json_files.convert(content, Contents, path, WHAT, f"$.{ENTRY}")
        check_contents(contents, path)
        return contents


def check_contents(contents: Contents, path: Path) -> None:
    """Raise ValueError if a file describes a network that nobody can hold, or UsageError if its recipe is none."""
    if contents.provenance:
        check_options(contents.provenance.options)
    recipe = contents.recipe or {}
    if contents.recipe is not None:
        recipe_files.check_recorded(recipe, path, f"$.{ENTRY}.recipe")
    check_options({"input_size": recipe.get("input_size"), **dict(recipe.get("options") or {})})


def load(path: Path, model: keras.Model) -> None:
    """Set the weights of a network to those in a file.

    Raises:
        UsageError: If the file is missing or damaged, or does not fit the network, which is not changed then.
    """
    preset = Preset("of this suite", model.name, "", path.name, "", placements)
    matching.assign(matching.match(model, tensor_file.read(path), preset))


def placements(model: keras.Model) -> Iterator[Placement]:
    """Yield that each weight has a tensor with the name of the variable."""
    for variable in own_variables(model):
        yield Placement(variable.path, (variable.path,), layouts.unchanged)
