"""Recipes as data: completed, and held against each other in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from reproductions.lab.study import Recipe, plain

UNSET = "unset"
DEFAULTS: dict[str, Any] = plain(
    {field.name: field.default for field in fields(Recipe) if field.default is not MISSING}
    | {field.name: field.default_factory() for field in fields(Recipe) if field.default_factory is not MISSING}
)


def completed(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe as `Recipe.as_data` gives it, whatever version recorded it: younger fields have their default."""
    return plain({**DEFAULTS, **recipe})


def changes(recipe: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What is otherwise in a recipe than in another, a phrase each: "batch 512, not 128"."""
    one, two = completed(recipe), completed(other)
    return [
        phrase
        for name in {**two, **one}
        for phrase in differences(name.replace("_", " "), one.get(name, UNSET), two.get(name, UNSET))
    ]


def differences(name: str, one: Any, other: Any) -> list[str]:
    """The differences of one setting; of an object of the same kind, those of its parts."""
    if one == other:
        return []
    if isinstance(one, Mapping) and isinstance(other, Mapping) and one.get("class_name") == other.get("class_name"):
        return [
            phrase
            for key in {**other, **one}
            for phrase in differences(
                name if key == "config" else f"{name} {key}", one.get(key, UNSET), other.get(key, UNSET)
            )
        ]
    if name == "rates":
        factor = factor_between(one, other)
        if factor is not None:
            return [f"rates {factor:g} times as high"]
        return [f"rates {rates_in_words(one)}, not {rates_in_words(other)}"]
    return [f"{name} {words(one)}, not {words(other)}"]


def factor_between(rates: Any, others: Any) -> float | None:
    """The one number that all of a schedule's rates are times those of another, changed at the same passes."""
    if not (isinstance(rates, list) and isinstance(others, list)):
        return None
    if [first for first, _ in rates] != [first for first, _ in others] or not all(rate for _, rate in others):
        return None
    factors = [rate / other for (_, rate), (_, other) in zip(rates, others)]
    return factors[0] if all(math.isclose(factor, factors[0], rel_tol=1e-9) for factor in factors) else None


def rates_in_words(rates: Any) -> str:
    if isinstance(rates, list):
        return ", ".join(f"{rate} from pass {first}" for first, rate in rates)
    return words(rates)


def words(value: Any) -> str:
    """A setting as a reader would write it: "SGD(momentum=0.9)", "train and validation", "none"."""
    if isinstance(value, Mapping):
        settings = ", ".join(f"{key}={words(each)}" for key, each in value.get("config", value).items())
        if "class_name" in value:
            return f"{value['class_name']}({settings})" if settings else str(value["class_name"])
        return settings or "none"
    if isinstance(value, list):
        return " and ".join(map(step_in_words, value)) or "none"
    return "none" if value is None else str(value)


def step_in_words(step: Any) -> str:
    """An image step, which may be a name with options; or any other item of a list."""
    if isinstance(step, list):
        name, options = step
        return f"{name}({words(options)})"
    return words(step)
