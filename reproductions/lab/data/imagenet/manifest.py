"""The manifest of a folder of prepared images: what it contains, and whether it is unchanged.

It needs neither numpy nor TensorFlow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, TypedDict

from msgspec import Meta

from reproductions.lab import json_files
from reproductions.lab.errors import UsageError
from reproductions.lab.files import sha256
from reproductions.lab.ranges import Whole

FORMAT = 2
NAME = "manifest.json"
FOLDERS = {"imagenet": "imagenet-256", "imagenet-originals": "imagenet-originals"}
WHAT = "a manifest of prepared images"

# Names that lead nowhere else than into the folder.
Wnid = Annotated[str, Meta(pattern=r"^n\d{8}\Z")]
ShardName = Annotated[str, Meta(pattern=r"^(train|validation)-\d{5}-of-\d{5}\.tfrecord\Z")]
BesideShards = Annotated[str, Meta(pattern=r"^(index-train|index-validation|statistics)\.npz\Z")]
DataName = Annotated[str, Meta(pattern=r"^imagenet(-originals)?(-subset)?\Z")]
SplitName = Annotated[str, Meta(pattern=r"^(train|validation)\Z")]


class ClassEntry(TypedDict):
    """A class: its WNID and its words, "" if there is no devkit."""

    wnid: Wnid
    words: str


class ShardEntry(TypedDict):
    """A shard: file name, size in bytes, number of images, and checksum."""

    file: ShardName
    bytes: Whole
    records: Whole
    sha256: str


class IgnoredFiles(TypedDict):
    """Number and examples of the files of the source that are not images, or not of the classes."""

    files: Whole
    examples: list[str]


class SplitEntry(TypedDict):
    """A split of the source (images, bytes, images per class, checksum of the listing) and its shards.

    `undecodable` and `converted` are (file name, reason or original format) pairs.
    """

    images: Whole
    bytes: Whole
    per_class: list[Whole]
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
    name: DataName
    settings: dict[str, int | str | None]
    classes: list[ClassEntry]
    splits: dict[SplitName, SplitEntry]
    blacklisted: list[str] | None
    files: dict[BesideShards, str]


def read(folder: Path) -> Manifest:
    """Return the manifest of a folder.

    Raises:
        UsageError: If it is damaged or has another format.
    """
    path = folder / NAME
    advice = f"delete {folder} and prepare it again"
    try:
        content = json_files.read_any(path, WHAT)
        version = content.get("format", FORMAT) if isinstance(content, dict) else FORMAT
        if version != FORMAT:
            raise UsageError(f"{path} has format {version!r}, but this version reads format {FORMAT}")
        done = json_files.convert(content, Manifest, path, WHAT)
    except UsageError as error:
        raise UsageError(f"{error}; {advice}") from None
    for problem in problems(done):
        raise UsageError(f"{path} is not {WHAT}: {problem}; {advice}")
    return done


def problems(manifest: Manifest) -> Iterator[str]:
    """Yield what is inconsistent in a manifest."""
    names = [shard["file"] for shard in shards(manifest)]
    if "train" not in manifest["splits"] or "short_side" not in manifest["settings"]:
        yield "it lacks the training split or the size of the images"
    if len(set(names)) < len(names):
        yield "a shard is there twice"
    for name, split in manifest["splits"].items():
        if len(split["per_class"]) != len(manifest["classes"]):
            yield f"the {name} split has {len(split['per_class'])} classes, expected {len(manifest['classes'])}"
        if not all(shard["file"].startswith(f"{name}-") for shard in split["shards"]):
            yield f"the {name} split has shards of another"


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
