"""Tensors of a file to variables of a network, without remainder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reproductions.lab.errors import UsageError
from reproductions.lab.weights.preset import Placement, Preset
from reproductions.lab.weights.tensor_file import TensorFile

if TYPE_CHECKING:
    import keras

SHOWN = 5  # names in an error message


@dataclass(frozen=True)
class Match:
    """A weight of a network and its new value.

    Attributes:
        variable: The Keras variable.
        placement: Where it comes from.
        value: Its value, float32.
    """

    variable: keras.Variable
    placement: Placement
    value: np.ndarray


def match(model: keras.Model, file: TensorFile, preset: Preset) -> list[Match]:
    """Return the value of every weight of a network. The network is not changed.

    Args:
        model: The network, built with the preset's options.
        file: Tensors by name.
        preset: Which of them belongs where.

    Returns:
        One match for each weight, in the order of the placements.

    Raises:
        UsageError: If a tensor is missing, left over or has another shape, or a weight gets none.
    """
    variables = {variable.path: variable for variable in model.weights if not is_state(variable)}
    placements = list(preset.placements(model))
    needed = {name for placement in placements for name in placement.tensors}
    problems = [
        ("the file lacks", sorted(needed - set(file.tensors))),
        ("the network has no place for", left_over(file, needed, preset)),
        ("the preset does not fill", sorted(set(variables) - {placement.variable for placement in placements})),
    ]
    sentences = [f"{sentence} {listed(names)}" for sentence, names in problems if names]
    if sentences:
        raise misfit(file, preset, "; ".join(sentences) + normalization_hint(file, variables))
    return [matched(variables[placement.variable], placement, file, preset) for placement in placements]


def is_state(variable: keras.Variable) -> bool:
    """Return whether a variable is the state of a random generator, not a weight."""
    return variable.path.endswith("seed_generator_state")


def left_over(file: TensorFile, needed: set[str], preset: Preset) -> list[str]:
    """Return the names of the tensors that the network does not need and that the preset does not know either."""
    return sorted(name for name in set(file.tensors) - needed if not name.startswith(preset.unused or ("\0",)))


def normalization_hint(file: TensorFile, variables: Iterable[str]) -> str:
    """Return the end of a sentence that says that only the file has batch normalization; empty if that is not so."""
    means = ("running_mean", "moving_mean")
    only_file = any(name.endswith(means) for name in file.tensors) and not any(
        name.endswith(means) for name in variables
    )
    return "; the file is of a network with batch normalization, which this network does not have" if only_file else ""


def listed(names: Sequence[str]) -> str:
    """Return names for a sentence, the first few of many."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def misfit(file: TensorFile, preset: Preset, reason: str) -> UsageError:
    """Return the error for a file that does not fit."""
    return UsageError(f"{file.path} does not fit {preset.network} by the preset {preset.name}: {reason}")


def matched(variable: keras.Variable, placement: Placement, file: TensorFile, preset: Preset) -> Match:
    """Return the match of one placement.

    Raises:
        UsageError: If the tensors cannot be converted or the result has another shape than the variable.
    """
    tensors = [file.tensors[name] for name in placement.tensors]
    shapes = ", ".join(f"{name} of shape {tensor.shape}" for name, tensor in zip(placement.tensors, tensors))
    try:
        value = np.ascontiguousarray(placement.convert(*tensors), np.float32)
    except (ValueError, IndexError):
        raise misfit(file, preset, f"{variable.path} of shape {variable.shape} cannot come from {shapes}") from None
    if value.shape != tuple(variable.shape):
        raise misfit(
            file, preset, f"{variable.path} has the shape {tuple(variable.shape)}, and {shapes} gives {value.shape}"
        )
    return Match(variable, placement, value)


def assign(matches: Sequence[Match]) -> None:
    """Set the weights of the network."""
    for each in matches:
        each.variable.assign(each.value)
