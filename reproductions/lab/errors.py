"""Mistakes that are the user's to mend: the command prints the sentence and exits with status 2."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class UsageError(Exception):
    """One sentence that says what is wrong, where, and what to do about it."""


def unknown(kind: str, name: str, right: Iterable[str]) -> UsageError:
    """The error for a name that does not exist: it lists those that do."""
    return UsageError(f"there is no {kind} {name!r}; choose from: {', '.join(right)}")


@contextmanager
def reading(path: Path, advice: str = "fetch it anew") -> Iterator[None]:
    """Turns whatever the decoders raise on a damaged file into one sentence that names it."""
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        told = " ".join(str(error).split()) or type(error).__name__
        if "pickle" in told:
            told = "it holds Python objects (pickles), which are refused because they can run code"
        raise UsageError(f"{path} cannot be read: {told}; {advice}") from None
