"""Recipes changed by settings, and human-readable differences between two recipes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, replace
from typing import Any

from reproductions.lab.spec.classifier import FitRecipe
from reproductions.lab.spec.recipe import Recipe, plain
from reproductions.lab.spec.schedules import Schedule

Kind = type[Recipe] | type[FitRecipe]

UNSET = "unset"


def defaults_of(kind: Kind | type[Schedule]) -> dict[str, Any]:
    """Return the defaults of a recipe's fields that have one, as JSON would give them back."""
    return plain(
        {field.name: field.default for field in fields(kind) if field.default is not MISSING}
        | {field.name: field.default_factory() for field in fields(kind) if field.default_factory is not MISSING}
    )


def kind_of(recipe: Mapping[str, Any]) -> Kind:
    """Return the class of a recorded recipe: only those of classifiers have steps."""
    return FitRecipe if "steps" in recipe else Recipe


DEFAULTS = defaults_of(Recipe)
FIELDS = tuple(field.name for field in fields(Recipe))


# --- Changing a recipe


def with_settings(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """Return the recipe with other settings.

    Args:
        recipe: Recipe to change.
        settings: Values by the names of `Network.search_space`: "learning_rate" for the first learning rate, fields of
            the recipe, and arguments of the builder.
    """
    for name, value in settings.items():
        if name == "learning_rate":
            recipe = recipe.with_learning_rate_times(value / recipe.learning_rate_at(1))
        elif name in FIELDS:
            recipe = replace(recipe, **{name: value})
        else:
            recipe = replace(recipe, options={**recipe.options, name: value})
    return recipe


# --- Comparing recipes


def completed(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recorded recipe with defaults for the fields it lacks, as `Recipe.as_data` gives it."""
    return plain({**defaults_of(kind_of(recipe)), **recipe})


def changed_fields(recipe: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a recipe that differ from another's, as `overridden` takes them."""
    other = completed(own)
    return {name: value for name, value in completed(recipe).items() if value != other.get(name, UNSET)}


def changes(recipe: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return human-readable differences between two recipes, such as "batch size 512, not 128"."""
    one, two = completed(recipe), completed(other)
    return [
        phrase
        for name in {**two, **one}
        for phrase in differences(name.replace("_", " "), one.get(name, UNSET), two.get(name, UNSET))
    ]


def differences(name: str, one: Any, other: Any) -> Iterator[str]:
    """Yield the differences of one setting; for two objects of the same class, those of their configurations."""
    if one == other:
        return
    if isinstance(one, Mapping) and isinstance(other, Mapping) and are_of_one_class(one, other):
        for key in {**other, **one}:
            label = name if key == "config" else f"{name} {key}"
            yield from differences(label, one.get(key, UNSET), other.get(key, UNSET))
    elif name == "learning rate" and (factor := factor_between(one, other)) is not None:
        yield f"learning rate {factor:g} times as high"
    elif name == "learning rate":
        yield f"learning rate {format_schedule(one)}, not {format_schedule(other)}"
    elif name == "training images":
        counts = ("all" if count is None else f"{count:,}" for count in (one, other))
        yield "{} training images, not {}".format(*counts)
    else:
        yield f"{name} {format_value(one)}, not {format_value(other)}"


def are_of_one_class(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two recorded objects, or two recorded schedules, are of the same class."""
    schedules = "initial_learning_rate" in one and "initial_learning_rate" in other
    return set(one) == set(other) if schedules else one.get("class_name") == other.get("class_name")


def factor_between(rates: Any, others: Any) -> float | None:
    """Return the constant ratio of two schedules that change at the same epochs; None if there is none."""
    if not (isinstance(rates, list) and isinstance(others, list)):
        return None
    if [first for first, _ in rates] != [first for first, _ in others] or not all(rate for _, rate in others):
        return None
    factors = [rate / other for (_, rate), (_, other) in zip(rates, others)]
    return factors[0] if all(math.isclose(factor, factors[0], rel_tol=1e-9) for factor in factors) else None


def format_schedule(rates: Any) -> str:
    """Return a recorded schedule as text: "0.01 from epoch 1, 0.001 from epoch 5"."""
    if isinstance(rates, list):
        return ", ".join(f"{rate} from epoch {first}" for first, rate in rates)
    return format_value(rates)


def format_value(value: Any) -> str:
    """Return a setting as text: "SGD(momentum=0.9)", "train and validation", "none"."""
    if isinstance(value, Mapping):
        config = value.get("config", value)
        own = config if isinstance(config, Mapping) else value
        settings = ", ".join(f"{key}={format_value(each)}" for key, each in own.items())
        if "class_name" in value:
            return f"{value['class_name']}({settings})" if settings else str(value["class_name"])
        return settings or "none"
    if isinstance(value, list):
        return " and ".join(map(format_item, value)) or "none"
    return "none" if value is None else str(value)


def format_item(item: Any) -> str:
    """Return an item of a list as text; a transform may be a (name, options) pair."""
    if isinstance(item, list) and len(item) == 2 and isinstance(item[0], str):
        name, options = item
        return f"{name}({format_value(options)})"
    return format_value(item)
