"""Published weights as a `.keras` file with their provenance, which only this suite reads."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from reproductions.lab import json_files, zip_files
from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.files import atomic_write, format_json, open_regular
from reproductions.lab.spec.provenance import Provenance, check_options
from reproductions.lab.spec.recipe import plain

if TYPE_CHECKING:
    import keras

ENTRY = "reproductions.json"  # in the zip archive that a .keras file is; Keras does not read it
WHAT = "an imported network"


def write(path: Path, model: keras.Model, provenance: Provenance) -> None:
    """Save a network with its provenance, atomically.

    Raises:
        UsageError: If the file exists, has another ending, or cannot be written.
    """
    check_target(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as unfinished:
            model.save(unfinished)
            with zipfile.ZipFile(unfinished, "a") as archive:
                archive.writestr(ENTRY, format_json(plain(msgspec.to_builtins(provenance))))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None


def check_target(path: Path) -> None:
    """Raise UsageError unless a network may be written to this file."""
    if path.suffix != ".keras":
        raise UsageError(f"{path} must end with .keras")
    if path.exists():
        raise UsageError(f"{path} exists already: name another file with --to")


def provenance_of(path: Path) -> Provenance | None:
    """Return the provenance in a `.keras` file; None if the file has none.

    Raises:
        UsageError: If it is damaged.
    """
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        return None
    with file_errors(path, "import the weights again"), open_regular(path) as file:
        archive = zip_files.open_archive(file)
        if ENTRY not in archive.namelist():
            return None
        content = json_files.parse(zip_files.read_member(archive, ENTRY, json_files.LARGEST), path, WHAT)
        provenance = json_files.convert(content, Provenance, path, WHAT, f"$.{ENTRY}")
        check_options(provenance.options)
        return provenance
