"""Errors that the user can correct: the `reproduce` command prints their message and exits with status 2."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

MANY = 40  # names above which an error does not list them


class UsageError(Exception):
    """Invalid input; the message says what is wrong, what was expected, what was found, and what to do next."""


def unknown(kind: str, name: str, names: Iterable[str], others: Mapping[str, str] | None = None) -> UsageError:
    """Return the error for a name that does not exist.

    Args:
        kind: What the name should be: "network", "option of vgg-a".
        name: Name that was given.
        names: Names that exist.
        others: Names of the same things that other projects use, and the names here.

    Returns:
        Error that first suggests the closest of the names if one is close, and lists them unless they are many.
    """
    names = list(names)
    known = {**(others or {}), **{own: own for own in names}}
    near = difflib.get_close_matches(name.lower().replace("_", "-"), known, n=1)
    article = "an" if kind[0] in "aeiou" else "a"
    suggestion = "".join(f" Did you mean {known[close]!r}?" for close in near)
    choices = f" Choose from: {', '.join(names)}" if len(names) <= MANY else ""
    if not choices and kind.startswith(("network", "study")):
        choices = " `reproduce list` prints all of them"
    return UsageError(f"{name!r} is not {article} {kind}.{suggestion}{choices}")


@contextmanager
def file_errors(path: Path, advice: str = "download it again") -> Iterator[None]:
    """Convert any error that a decoder raises on a damaged file into a `UsageError` that names the file.

    Args:
        path: File or folder that is read.
        advice: What the user should do about it.
    """
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)  # without "[Errno 2]"
        reason = " ".join(text.split()) or type(error).__name__
        if "pickle" in reason:
            reason = "it contains Python objects (pickles), which are not loaded because they can run code"
        raise UsageError(f"{path} cannot be read: {reason}; {advice}") from None
