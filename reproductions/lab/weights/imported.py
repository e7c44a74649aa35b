"""Published weights as a `.keras` file with their provenance, which only this suite reads."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from reproductions.lab.errors import UsageError
from reproductions.lab.files import atomic_write, format_json
from reproductions.lab.spec.provenance import Provenance, check_options
from reproductions.lab.spec.recipe import plain

if TYPE_CHECKING:
    import keras

ENTRY = "reproductions.json"  # in the zip archive that a .keras file is; Keras does not read it
LARGEST = 1_000_000  # bytes of the entry


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
    try:
        with zipfile.ZipFile(path) as archive:
            if ENTRY not in archive.namelist():
                return None
            if archive.getinfo(ENTRY).file_size > LARGEST:
                raise ValueError(f"it is larger than {LARGEST:,} bytes")
            provenance = msgspec.json.decode(archive.read(ENTRY), type=Provenance)
            check_options(provenance.options)
            return provenance
    except (ValueError, RecursionError, OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise UsageError(f"{path} has a damaged {ENTRY}: {error}; import the weights again") from None
