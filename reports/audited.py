"""The tables and statements that `reproduce audit` computed, and whether they are of the code as it is now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reports.paths import COMPUTED, ROOT, RUNS
from reproductions.lab.errors import UsageError
from reproductions.lab.files import write_json

LINE_WIDTH = 1000  # one cell or statement per line
DIGESTS = "digests.json"
# What cells of tables are computed from; statements also from the lecture and the committed records.
OF_TABLES = (
    "layers/*.py",
    "reproductions/*.py",
    "reproductions/lab/analysis/*.py",
    "reproductions/lab/spec/*.py",
    "reproductions/published/tables/*.csv",
)
SOURCES: dict[str, Sequence[str]] = {
    "tables": OF_TABLES,
    "claims": (*OF_TABLES, "reproductions/lecture/*.py", "reproductions/lab/results/*.py"),
}


def files(name: str) -> Iterator[Path]:
    """Yield the files that "tables" or "claims" are computed from."""
    for pattern in SOURCES[name]:
        yield from sorted(ROOT.glob(pattern))
    if name == "claims":
        yield from sorted(RUNS.glob("*.json"))


def digest(name: str) -> str:
    """Return a checksum of the files that "tables" or "claims" are computed from."""
    total = hashlib.sha256()
    for path in files(name):
        total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def read(name: str) -> Any:
    """Return what was computed.

    Args:
        name: "tables" or "claims".

    Raises:
        UsageError: If the file is missing or damaged.
    """
    try:
        return json.loads((COMPUTED / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{COMPUTED} cannot be read: {error}; run: reproduce audit") from None


def is_current(name: str) -> bool:
    """Return whether what was computed is of the code as it is now."""
    try:
        digests = json.loads((COMPUTED / DIGESTS).read_text(encoding="utf-8"))
        return bool(digests[name] == digest(name))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def write(computed: Mapping[str, object]) -> list[Path]:
    """Write what was computed, by name, with the digests of the code, and return the files."""
    COMPUTED.mkdir(exist_ok=True)
    contents = {**computed, DIGESTS.removesuffix(".json"): {name: digest(name) for name in computed}}
    for name, data in contents.items():
        write_json(COMPUTED / f"{name}.json", data, LINE_WIDTH)
    return [COMPUTED / f"{name}.json" for name in contents]
