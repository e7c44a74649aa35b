"""The manifest of a folder of prepared images: what it contains, and whether it is unchanged.

It needs neither numpy nor TensorFlow.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypedDict

from reproductions.lab.errors import UsageError
from reproductions.lab.files import sha256

FORMAT = 2
NAME = "manifest.json"
FOLDERS = {"imagenet": "imagenet-256", "imagenet-originals": "imagenet-originals"}


class ClassEntry(TypedDict):
    """A class: its WNID and its words, "" if there is no devkit."""

    wnid: str
    words: str


class ShardEntry(TypedDict):
    """A shard: file name, size in bytes, number of images, and checksum."""

    file: str
    bytes: int
    records: int
    sha256: str


class IgnoredFiles(TypedDict):
    """Number and examples of the files of the source that are not images, or not of the classes."""

    files: int
    examples: list[str]


class SplitEntry(TypedDict):
    """A split of the source (images, bytes, images per class, checksum of the listing) and its shards.

    `undecodable` and `converted` are (file name, reason or original format) pairs.
    """

    images: int
    bytes: int
    per_class: list[int]
    listing: str
    ignored: IgnoredFiles
    shards: list[ShardEntry]
    undecodable: list[list[str]]
    converted: list[list[str]]


class Manifest(TypedDict):
    """Content of the manifest.

    `settings` are those of `encode.settings`, `blacklisted` file names of validation images, and `files` checksums of
    the files beside the shards by name.
    """

    format: int
    name: str
    settings: dict[str, int | str | None]
    classes: list[ClassEntry]
    splits: dict[str, SplitEntry]
    blacklisted: list[str] | None
    files: dict[str, str]


def read(folder: Path) -> Manifest:
    """Return the manifest of a folder.

    Raises:
        UsageError: If it is damaged or has another format.
    """
    path = folder / NAME
    advice = f"delete {folder} and prepare it again"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} cannot be read ({error}): {advice}") from None
    if version != FORMAT:
        raise UsageError(f"{path} has format {version}, but this version reads format {FORMAT}: {advice}")
    missing = [name for name in Manifest.__annotations__ if name not in content]
    if missing:
        raise UsageError(f"{path} cannot be read (it lacks {', '.join(missing)}): {advice}")
    return content


def shards(manifest: Manifest) -> list[ShardEntry]:
    """Return the shards of all splits."""
    return [shard for split in manifest["splits"].values() for shard in split["shards"]]


def checksum(manifest: Manifest) -> str:
    """Return the checksum of a data set, over its classes and the checksums of its shards."""
    lines = [each["wnid"] for each in manifest["classes"]] + [shard["sha256"] for shard in shards(manifest)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def damaged_shards(folder: Path, manifest: Manifest) -> list[str]:
    """Return the names of shards that are missing or have the wrong size."""
    return [
        shard["file"]
        for shard in shards(manifest)
        if not (folder / shard["file"]).is_file() or (folder / shard["file"]).stat().st_size != shard["bytes"]
    ]


def verify(folder: Path, map_files: Callable[[Callable[[str], str], Iterable[str]], Iterable[str]] = map) -> list[str]:
    """Compare the files of a folder with their checksums.

    Args:
        folder: Prepared folder.
        map_files: Equivalent of `map`, for example over threads.

    Returns:
        One sentence for each file that is missing or damaged.
    """
    manifest = read(folder)
    expected = {shard["file"]: shard["sha256"] for shard in shards(manifest)} | manifest["files"]
    missing = [name for name in expected if not (folder / name).is_file()]
    present = [name for name in expected if name not in missing]
    digests = map_files(lambda name: sha256(folder / name), present)
    damaged = [name for name, digest in zip(present, digests) if digest != expected[name]]
    return [f"{folder / name} is missing" for name in missing] + [
        f"{folder / name} is damaged: its checksum differs from the manifest" for name in damaged
    ]
