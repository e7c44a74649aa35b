"""What a folder of prepared pictures holds, and whether it still does. Needs neither numpy nor TensorFlow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from reproductions.lab.errors import UsageError

FORMAT = 1
NAME = "manifest.json"
FOLDERS = {"imagenet": "imagenet-256", "imagenet-originals": "imagenet-originals"}
Manifest = dict[str, Any]


def read(folder: Path) -> Manifest:
    """The manifest of a folder; UsageError where it is damaged or of another format."""
    path = folder / NAME
    try:
        found = json.loads(path.read_text())
        version, _ = found["format"], [found[name] for name in ("name", "settings", "classes", "parts", "files")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} cannot be read ({error}): delete {folder} and prepare it again") from None
    if version != FORMAT:
        raise UsageError(f"{path} is of format {version}, this version reads {FORMAT}: prepare {folder} again")
    return found


def shards(manifest: Manifest) -> list[dict[str, Any]]:
    return [shard for part in manifest["parts"].values() for shard in part["shards"]]


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def contents(manifest: Manifest) -> str:
    """The checksum of a data set: over its classes and the checksums of its shards."""
    words = [one["wnid"] for one in manifest["classes"]] + [shard["sha256"] for shard in shards(manifest)]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def misfits(folder: Path, manifest: Manifest) -> list[str]:
    """The names of shards that are missing or of the wrong size."""
    return [
        shard["file"]
        for shard in shards(manifest)
        if not (folder / shard["file"]).is_file() or (folder / shard["file"]).stat().st_size != shard["bytes"]
    ]


def verify(folder: Path, share: Callable[..., Iterable[str]] = map) -> list[str]:
    """What is wrong with the files of a folder by their checksums, a sentence each. `share` may map in threads."""
    manifest = read(folder)
    wanted = {shard["file"]: shard["sha256"] for shard in shards(manifest)} | manifest["files"]
    missing = [name for name in wanted if not (folder / name).is_file()]
    there = [name for name in wanted if name not in missing]
    found = share(lambda name: sha256(folder / name), there)
    damaged = [name for name, digest in zip(there, found) if digest != wanted[name]]
    return [f"{folder / name} is missing" for name in missing] + [
        f"{folder / name} is damaged: its checksum is not the manifest's" for name in damaged
    ]
