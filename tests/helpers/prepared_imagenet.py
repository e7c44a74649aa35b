"""Synthetic ImageNet as `reproduce data prepare imagenet` prepares it, in four training shards."""

import hashlib
from pathlib import Path

from reproductions.lab.data.imagenet.layout import PrepareOptions
from reproductions.lab.data.imagenet.prepare import prepare as prepare_with

SHARDS = 4


def prepare(source: Path, destination: Path, **options) -> Path:
    """Return the folder with the shards, which is in `destination`."""
    return prepare_with(PrepareOptions(source, destination, **{"shards": SHARDS, **options}))


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file in a folder by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
