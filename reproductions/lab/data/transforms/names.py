"""The names and options of the transforms, read from their source: mistakes are found without TensorFlow."""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.spec.recipe import Transform

ARGUMENTS = ["image", "key", "context"]  # of every transform, before its options


@functools.cache
def options_by_name() -> dict[str, dict[str, bool]]:
    """Return the options of each transform by name, and whether they are required."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and [each.arg for each in node.args.args] == ARGUMENTS:
                options = zip(node.args.kwonlyargs, node.args.kw_defaults)
                found[node.name] = {option.arg: default is None for option, default in options}
    return found


def check(transforms: Sequence[Transform], known: Mapping[str, Mapping[str, bool]] | None = None) -> None:
    """Raise UsageError if a transform or an option does not exist, or an option is missing.

    Args:
        transforms: Names of transforms, or (name, options) pairs.
        known: Options of each transform by name, and whether they are required; by default those of the source.
    """
    known = options_by_name() if known is None else known
    for each in transforms:
        name, options = (each, {}) if isinstance(each, str) else each
        if name not in known:
            raise unknown("transform", name, known)
        check_options(name, options, known[name])


def check_options(name: str, options: Mapping[str, object], known: Mapping[str, bool]) -> None:
    """Raise UsageError if a transform does not have one of these options, or requires another."""
    wrong = [option for option in options if option not in known]
    missing = [option for option in known if known[option] and option not in options]
    if wrong:
        choices = ", ".join(known) or "none"
        raise UsageError(f"the transform {name!r} has no option {wrong[0]!r}; its options are: {choices}")
    if missing:
        raise UsageError(f"the transform {name!r} requires the option {missing[0]!r}; set it in the recipe")
