"""Recipes in JSON files: the fields that a file changes, checked one by one against the types of `Recipe`."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from reproductions.lab import json_files, ranges
from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.spec.classifier import FitRecipe
from reproductions.lab.spec.recipe import LearningRate, Recipe
from reproductions.lab.spec.recipe_changes import defaults_of, kind_of
from reproductions.lab.spec.schedules import ExponentialDecay, PolynomialDecay, ReduceLROnPlateau, Schedule

R = TypeVar("R", Recipe, FitRecipe)

WHAT = "a recipe"
SCHEDULES: tuple[type[Schedule], ...] = (ExponentialDecay, PolynomialDecay, ReduceLROnPlateau)
PAIRS = tuple[tuple[ranges.Epochs, ranges.Rate], ...]
UNIQUE = ("splits", "init_layers")
NOT_EMPTY = ("splits", "steps")
# Types of the fields, with their ranges.
TYPES: dict[type, dict[str, Any]] = {
    kind: typing.get_type_hints(kind, localns=vars(ranges), include_extras=True)
    for kind in (Recipe, FitRecipe, *SCHEDULES)
}


def read(path: Path) -> dict[str, Any]:
    """Return the fields of a recipe in a JSON file, or those in the record of a run.

    Raises:
        UsageError: If the file cannot be read or holds neither.
    """
    content = json_files.read_any(path)
    content = content.get("recipe", content) if isinstance(content, dict) else content
    if not isinstance(content, dict):
        raise UsageError(f"{path} must contain the fields of a recipe by name")
    return content


def overridden(recipe: R, changes: Mapping[str, Any], source: Path) -> R:
    """Return the recipe with some fields replaced.

    Args:
        recipe: Recipe to change.
        changes: New values by field, as JSON gives them.
        source: File they come from, for error messages.

    Raises:
        UsageError: If a field does not exist or a value does not fit.
    """
    return replace(recipe, **field_values(changes, type(recipe), source))


def check_recorded(recipe: Mapping[str, Any], source: Path, place: str = "$.recipe") -> None:
    """Raise UsageError unless a recorded recipe has all required fields, and every value fits."""
    kind = kind_of(recipe)
    missing = [field.name for field in fields(kind) if field.name not in {**defaults_of(kind), **recipe}]
    if missing:
        raise UsageError(f"{source} is not a whole record: its recipe lacks {', '.join(missing)} - at `{place}`")
    field_values(recipe, kind, source, place)


def field_values(data: Mapping[str, Any], kind: type, source: Path, place: str = "$") -> dict[str, Any]:
    """Return values of the fields of a recipe, or of a schedule, from what JSON gives.

    Args:
        data: Values by field.
        kind: Dataclass of the fields.
        source: File they come from, for error messages.
        place: Where in the file they are.

    Raises:
        UsageError: If a field does not exist or a value does not fit.
    """
    types, values = TYPES[kind], {}
    for name, value in data.items():
        if name not in types:
            raise unknown(f"recipe field (in {source})", name, types)
        own = f"{place}.{name}"
        if name == "learning_rate":
            values[name] = schedule_from(value, source, own)
        else:
            values[name] = json_files.convert(value, types[name], source, WHAT, own)
        if name in NOT_EMPTY and not value:
            raise UsageError(f"{source} is not {WHAT}: expected at least one item - at `{own}`")
        if name in UNIQUE and len(set(value)) < len(value):
            raise UsageError(f"{source} is not {WHAT}: an item occurs twice - at `{own}`")
    return values


def schedule_from(value: Any, source: Path, place: str) -> LearningRate:
    """Return the learning rate schedule that JSON describes; UsageError if it describes none."""
    if not isinstance(value, dict):
        pairs = json_files.convert(value, PAIRS, source, WHAT, place)
        first = [epoch for epoch, _ in pairs]
        if not first or first[0] != 1 or first != sorted(set(first)):
            raise UsageError(f"{source} is not {WHAT}: expected increasing epochs from 1, got {first} - at `{place}`")
        return pairs
    for kind in SCHEDULES:
        required = {field.name for field in fields(kind) if field.name not in defaults_of(kind)}
        if own_fields(kind) & set(value) and required <= set(value) <= set(TYPES[kind]):
            return kind(**field_values(value, kind, source, place))
    names = "; ".join(f"{kind.__name__}: {', '.join(TYPES[kind])}" for kind in SCHEDULES)
    raise UsageError(f"{source} is not {WHAT}: expected the fields of a schedule ({names}), got {value} - at `{place}`")


def own_fields(kind: type[Schedule]) -> set[str]:
    """Return the fields that only this schedule has."""
    names = {each: set(TYPES[each]) for each in SCHEDULES}
    return names[kind].difference(*(names[each] for each in SCHEDULES if each is not kind))
