"""Mistakes that are the user's to mend: the command prints the sentence and exits with status 2."""

from __future__ import annotations

from collections.abc import Iterable


class UsageError(Exception):
    """One sentence that says what is wrong, where, and what to do about it."""


def unknown(kind: str, name: str, right: Iterable[str]) -> UsageError:
    """The error for a name that does not exist: it lists those that do."""
    return UsageError(f"there is no {kind} {name!r}; choose from: {', '.join(right)}")
