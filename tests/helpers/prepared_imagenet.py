"""Fake ImageNet as `reproduce data prepare imagenet` makes it, for tests, in four training shards."""

import hashlib
from pathlib import Path

from reproductions.lab.data.imagenet.layout import Options
from reproductions.lab.data.imagenet.prepare import prepare as prepare_with

SHARDS = 4


def prepare(source: Path, to: Path, **options) -> Path:
    """The folder with the shards, one in `to`."""
    return prepare_with(Options(source, to, **{"shards": SHARDS, **options}))


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file in a folder, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
