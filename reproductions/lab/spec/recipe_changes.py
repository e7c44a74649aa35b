"""Recipes as data: completed, changed, read from files, and held against each other in words."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, replace
from pathlib import Path
from typing import Any

from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.spec.recipe import Recipe, plain
from reproductions.lab.spec.schedules import Decay, Plateau

UNSET = "unset"
DEFAULTS: dict[str, Any] = plain(
    {field.name: field.default for field in fields(Recipe) if field.default is not MISSING}
    | {field.name: field.default_factory() for field in fields(Recipe) if field.default_factory is not MISSING}
)


FIELDS = tuple(field.name for field in fields(Recipe))
WHOLE_NUMBERS = ("batch", "epochs", "micro_batch", "input_size", "training_images", "curvature")
NUMBERS = ("weight_decay", "bias_rate", "clip_norm")
WORDS = ("dataset", "protocol")
PARTS = {"train", "validation"}  # never the test part
STEPS = ("images", "test_images")
KERAS_OBJECTS = ("optimizer", "loss", "initial_weights")


# --- Recipes changed


def with_settings(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """The recipe with settings as `Network.domains` names them: "rate", fields, and options of the builder."""
    for name, value in settings.items():
        if name == "rate":
            recipe = recipe.with_rates_times(value / recipe.learning_rate(1))
        elif name in FIELDS:
            recipe = replace(recipe, **{name: value})
        else:
            recipe = replace(recipe, options={**recipe.options, name: value})
    return recipe


def read(path: Path) -> dict[str, Any]:
    """The fields of a recipe in a JSON file, or those in a run's record; UsageError names a file with none."""
    try:
        told = json.loads(path.read_text())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{path} is no JSON: {error}") from None
    told = told.get("recipe", told) if isinstance(told, dict) else told
    if not isinstance(told, dict):
        raise UsageError(f"{path} must hold fields of a recipe, by name")
    return told


def overridden(recipe: Recipe, told: Mapping[str, Any], where: Path) -> Recipe:
    """The recipe with other fields, given as JSON gives them; UsageError for those that do not exist or do not fit."""
    changed = {}
    for name, value in told.items():
        if name not in FIELDS:
            raise unknown(f"setting of a recipe, as in {where},", name, FIELDS)
        try:
            changed[name] = field_from(name, value, DEFAULTS.get(name, UNSET))
        except (TypeError, ValueError, KeyError):
            raise UsageError(f"{where}: {name} cannot be {json.dumps(value)}") from None
    return replace(recipe, **changed)


def field_from(name: str, value: Any, default: Any) -> Any:
    """One field of a recipe from what JSON gives; ValueError, TypeError or KeyError where it does not fit."""
    if value == default and not isinstance(value, bool):
        return tuple(default) if isinstance(default, list) else default
    fits = True
    if name in WHOLE_NUMBERS:
        fits = isinstance(value, int) and not isinstance(value, bool) and value > 0
    elif name == "weight_decay" and isinstance(value, dict):
        fits = all(map(is_number, value.values()))
    elif name in NUMBERS:
        fits = is_number(value)
    elif name in WORDS:
        fits = isinstance(value, str)
    elif name in KERAS_OBJECTS:
        fits = isinstance(value["class_name"], str) and isinstance(value["config"], dict)
    elif name == "parts":
        fits = isinstance(value, list) and 0 < len(value) == len(set(value) & PARTS)
        value = tuple(value)
    elif name == "starts_from":
        fits = isinstance(value, list) and all(isinstance(each, str) for each in value)
        value = tuple(value)
    elif name in STEPS:
        value = tuple(step if isinstance(step, str) else (str(step[0]), dict(step[1])) for step in value)
    elif name == "rates":
        value = rates_from(value)
    else:
        fits = isinstance(value, dict)
    if not fits:
        raise ValueError
    return value


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def rates_from(told: Any) -> tuple[tuple[int, float], ...] | Decay | Plateau:
    if isinstance(told, dict):
        schedule = Plateau(**told) if {"patience", "drops"} & set(told) else Decay(**told)
        if not all(is_number(value) and (value > 0 or name == "drops") for name, value in asdict(schedule).items()):
            raise ValueError
        return schedule
    rates = tuple((int(first), float(rate)) for first, rate in told)
    if not rates or rates[0][0] != 1 or [first for first, _ in rates] != sorted({first for first, _ in rates}):
        raise ValueError
    return rates


# --- Recipes compared


def completed(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe as `Recipe.as_data` gives it, whatever version recorded it: younger fields have their default."""
    return plain({**DEFAULTS, **recipe})


def otherwise(recipe: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a recipe that another has not, as `overridden` takes them."""
    other = completed(own)
    return {name: value for name, value in completed(recipe).items() if value != other.get(name, UNSET)}


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
    if name == "training images":
        return [f"{one or 'all'} training images, not {other or 'all'}"]
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
