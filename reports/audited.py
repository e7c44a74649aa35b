"""The tables, profiles and statements that `reproduce audit` computed, and whether they are of the present code."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from reports.paths import COMPUTED, ROOT, RUNS
from reports.sections.architecture import Cell
from reproductions.lab import json_files
from reproductions.lab.analysis.claim_result import ClaimResult
from reproductions.lab.analysis.network_profile import NetworkProfile
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
    "networks": OF_TABLES,
    "claims": (*OF_TABLES, "reproductions/lecture/*.py", "reproductions/lab/results/*.py"),
}


KINDS: dict[str, Any] = {
    "tables": dict[str, list[Cell]],
    "networks": list[NetworkProfile],
    "claims": list[ClaimResult],
}


def files(name: str) -> Iterator[Path]:
    """Yield the files that "tables", "networks" or "claims" are computed from."""
    for pattern in SOURCES[name]:
        yield from sorted(ROOT.glob(pattern))
    if name == "claims":
        yield from sorted(RUNS.glob("*.json"))


def digest(name: str) -> str:
    """Return a checksum of the files that "tables", "networks" or "claims" are computed from."""
    total = hashlib.sha256()
    for path in files(name):
        total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def read(name: str, folder: Path | None = None) -> Any:
    """Return what was computed, as JSON gives it.

    Args:
        name: "tables", "networks" or "claims".
        folder: Folder of the file; by default that of the committed ones.

    Raises:
        UsageError: If the file is missing or damaged.
    """
    path, what = (folder or COMPUTED) / f"{name}.json", f"the {name} that were computed"
    try:
        content = json_files.read_any(path, what)
        json_files.convert(content, KINDS[name], path, what)
    except UsageError as error:
        raise UsageError(f"{error}; run: reproduce audit") from None
    return content


def read_networks() -> dict[str, NetworkProfile]:
    """Return the profiles of all networks by name.

    Raises:
        UsageError: If the file is missing or damaged.
    """
    return {row["network"]: msgspec.convert(row, NetworkProfile) for row in read("networks")}


def is_current(name: str) -> bool:
    """Return whether what was computed is of the code as it is now."""
    try:
        digests = json_files.read(COMPUTED / DIGESTS, dict[str, str], "digests")
        return digests[name] == digest(name)
    except (UsageError, KeyError):
        return False


def write(computed: Mapping[str, object]) -> list[Path]:
    """Write what was computed, by name, with the digests of the code, and return the files."""
    COMPUTED.mkdir(exist_ok=True)
    contents = {**computed, DIGESTS.removesuffix(".json"): {name: digest(name) for name in computed}}
    for name, data in contents.items():
        write_json(COMPUTED / f"{name}.json", data, LINE_WIDTH)
    return [COMPUTED / f"{name}.json" for name in contents]
