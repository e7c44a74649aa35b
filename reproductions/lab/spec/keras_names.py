"""The classes that recipes may name, read from the source of Keras and of our layers, without importing them."""

from __future__ import annotations

import ast
import functools
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from reproductions.lab.environment import SUITE
from reproductions.lab.errors import unknown
from reproductions.lab.spec.recipe import Recipe

OWN = "layers>"  # before the names of our own classes, as they are registered
MODULES = {"optimizer": "optimizers", "loss": "losses", "kernel_initializer": "initializers"}


@functools.cache
def names(module: str) -> dict[str, str]:
    """Return the names of classes in one of Keras' modules, such as "losses", and of all our own, by lower case.

    None if this version of Keras has its modules elsewhere: Keras refuses names that it does not know later.
    """
    keras = importlib.util.find_spec("keras")
    if keras is None or keras.origin is None:
        return {}
    found = dict(public_classes(Path(keras.origin).parent / module / "__init__.py"))
    own = [OWN + name for path in sorted((SUITE / "layers").glob("*.py")) for name in defined_classes(path)]
    return {name.lower(): known for name, known in [*found.items(), *zip(own, own)]} if found else {}


def public_classes(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the classes that a module imports to publish them, after each name under which it does.

    None if there is no such module.
    """
    for node in ast.parse(path.read_text(encoding="utf-8")).body if path.is_file() else ():
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            if alias.name[0].isupper():
                yield alias.asname or alias.name, alias.name


def defined_classes(path: Path) -> Iterator[str]:
    """Yield the classes that a module defines."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            yield node.name


def check(recipe: Recipe, source: Path) -> None:
    """Raise UsageError with the nearest right name if a recipe names a class that does not exist.

    Args:
        recipe: The recipe.
        source: File it comes from, for error messages.
    """
    for field, module in MODULES.items():
        value, known = getattr(recipe, field), names(module)
        if value is not None and known and value["class_name"].lower() not in known:
            raise unknown(
                f"{field.replace('_', ' ')} (in {source})", value["class_name"], dict.fromkeys(known.values()), known
            )
