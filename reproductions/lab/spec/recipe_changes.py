"""Recipes changed by settings or by a file, and human-readable differences between two recipes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, asdict, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.spec.classifier import FitRecipe
from reproductions.lab.spec.recipe import LearningRate, Recipe, plain
from reproductions.lab.spec.schedules import ExponentialDecay, PolynomialDecay, ReduceLROnPlateau, Schedule

R = TypeVar("R", Recipe, FitRecipe)
Kind = type[Recipe] | type[FitRecipe]

UNSET = "unset"


def defaults_of(kind: Kind) -> dict[str, Any]:
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
POSITIVE_INTEGERS = ("batch_size", "epochs", "micro_batch_size", "input_size", "training_images", "curvature")
NUMBERS = ("weight_decay", "bias_learning_rate_multiplier", "global_clipnorm")
STRINGS = ("dataset", "protocol")
SPLITS = {"train", "validation"}  # never the test split
TRANSFORMS = ("train_transforms", "test_transforms")
KERAS_OBJECTS = ("optimizer", "loss", "kernel_initializer")
SCHEDULES: tuple[type[Schedule], ...] = (ExponentialDecay, PolynomialDecay, ReduceLROnPlateau)


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


def read(path: Path) -> dict[str, Any]:
    """Return the fields of a recipe in a JSON file, or those in the record of a run.

    Raises:
        UsageError: If the file cannot be read or holds neither.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{path} is not a JSON file: {error}") from None
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
    return replace(recipe, **field_values(changes, source, type(recipe)))


def check_recorded(recipe: Mapping[str, Any], source: Path) -> None:
    """Raise UsageError unless a recorded recipe has all required fields, and every value fits."""
    kind = kind_of(recipe)
    missing = [field.name for field in fields(kind) if field.name not in {**defaults_of(kind), **recipe}]
    if missing:
        raise UsageError(f"{source} is not a whole record: its recipe lacks {', '.join(missing)}")
    field_values(recipe, source, kind)


def field_values(data: Mapping[str, Any], source: Path, kind: Kind) -> dict[str, Any]:
    """Return values of a recipe's fields from what JSON gives; UsageError if one does not exist or does not fit."""
    values, known, defaults = {}, [field.name for field in fields(kind)], defaults_of(kind)
    for name, value in data.items():
        if name not in known:
            raise unknown(f"recipe field (in {source})", name, known)
        try:
            values[name] = field_value(name, value, defaults.get(name, UNSET))
        except (TypeError, ValueError, KeyError, IndexError, OverflowError):
            raise UsageError(f"{source}: {name} cannot be {json.dumps(value)}") from None
    return values


def field_value(name: str, value: Any, default: Any) -> Any:
    """Return the value of a recipe's field from what JSON gives.

    Raises:
        ValueError, TypeError, KeyError: If it does not fit.
    """
    if value == default and not isinstance(value, bool):
        return tuple(default) if isinstance(default, list) else default
    valid = True
    if name in POSITIVE_INTEGERS:
        valid = isinstance(value, int) and not isinstance(value, bool) and value > 0
    elif name == "weight_decay" and isinstance(value, dict):
        valid = all(map(is_number, value.values()))
    elif name in NUMBERS:
        valid = is_number(value)
        value = float(value) if valid else value
    elif name in STRINGS:
        valid = isinstance(value, str)
    elif name in KERAS_OBJECTS:
        valid = is_object(value)
    elif name == "steps":
        valid = isinstance(value, list) and len(value) > 0 and all(map(is_object, value))
        value = tuple(value)
    elif name == "splits":
        valid = isinstance(value, list) and 0 < len(value) == len(set(value) & SPLITS)
        value = tuple(value)
    elif name == "init_layers":
        valid = isinstance(value, list) and all(isinstance(each, str) for each in value)
        value = tuple(value)
    elif name in TRANSFORMS:
        value = tuple(step if isinstance(step, str) else (str(step[0]), dict(step[1])) for step in value)
    elif name == "learning_rate":
        value = schedule_from(value)
    else:
        valid = isinstance(value, dict)
    if not valid:
        raise ValueError
    return value


def is_object(value: Any) -> bool:
    """Return whether a JSON value describes an object by class name and configuration."""
    return isinstance(value["class_name"], str) and isinstance(value["config"], dict)


def is_number(value: Any) -> bool:
    """Return whether a JSON value is a number that is not negative."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def schedule_from(value: Any) -> LearningRate:
    """Return the learning rate schedule that JSON describes.

    Raises:
        ValueError, TypeError: If it describes none.
    """
    if isinstance(value, dict):
        (schedule_class,) = (each for each in SCHEDULES if own_fields(each) & set(value))
        schedule = schedule_class(**value)
        for name, each in asdict(schedule).items():
            if not (is_number(each) and (each > 0 or name in ("max_reductions", "end_learning_rate"))):
                raise ValueError
        return schedule
    pairs = tuple((int(first), float(rate)) for first, rate in value)
    if not pairs or pairs[0][0] != 1 or [first for first, _ in pairs] != sorted({first for first, _ in pairs}):
        raise ValueError
    return pairs


def own_fields(schedule_class: type[Schedule]) -> set[str]:
    """Return the fields that only this schedule has."""
    names = {each: {field.name for field in fields(each)} for each in SCHEDULES}
    return names[schedule_class].difference(*(names[each] for each in SCHEDULES if each is not schedule_class))


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
        settings = ", ".join(f"{key}={format_value(each)}" for key, each in value.get("config", value).items())
        if "class_name" in value:
            return f"{value['class_name']}({settings})" if settings else str(value["class_name"])
        return settings or "none"
    if isinstance(value, list):
        return " and ".join(map(format_item, value)) or "none"
    return "none" if value is None else str(value)


def format_item(item: Any) -> str:
    """Return an item of a list as text; a transform may be a (name, options) pair."""
    if isinstance(item, list):
        name, options = item
        return f"{name}({format_value(options)})"
    return format_value(item)
