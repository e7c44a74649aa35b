"""One shard of prepared pictures: written whole or not at all, and the same whoever writes it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reproductions.lab.data.imagenet import tfrecord
from reproductions.lab.data.imagenet.encode import Undecodable, prepared
from reproductions.lab.data.imagenet.pixel_statistics import Sums
from reproductions.lab.data.imagenet.sources import Place
from reproductions.lab.files import atomic_write

WORK = "work"  # folder of what is needed until all is done


@dataclass(frozen=True)
class Shard:
    """What a worker needs to know: rows `first` to `last` of the listing of a part become shard `number` of `count`."""

    folder: Path
    part: str
    number: int
    count: int
    first: int
    last: int
    place: Place
    classes: tuple[str, ...]
    originals: bool

    @property
    def name(self) -> str:
        return f"{self.part}-{self.number:05d}-of-{self.count:05d}.tfrecord"

    @property
    def path(self) -> Path:
        return self.folder / self.name

    @property
    def notes(self) -> Path:
        return self.folder / WORK / f"{self.name}.npz"

    def rows(self) -> np.ndarray:
        return np.load(listing_path(self.folder, self.part), mmap_mode="r")[self.first : self.last]

    def finished(self) -> bool:
        return self.path.is_file() and self.notes.is_file()


def listing_path(folder: Path, part: str) -> Path:
    return folder / WORK / f"listing-{part}.npy"


def cut(keys: np.ndarray, count: int) -> list[tuple[int, int]]:
    """(first, last) of each of `count` equal slices of the numbers of 64 bits, given sorted keys."""
    bounds = np.array([(number << 64) // count for number in range(count)], dtype=np.uint64)
    first = np.searchsorted(keys, bounds).tolist()
    return list(zip(first, [*first[1:], len(keys)]))


def make(shard: Shard) -> str:
    """Writes a shard, after notes of what went into it, unless both are there; returns its name.

    The notes (npz) hold the index (name, label, offset and length of the Example, a row a picture), names and reasons
    of undecodable and converted files, size and SHA-256 of the shard, and of training pictures the sums for statistics.
    """
    if shard.finished():
        return shard.name
    digest, position, index, sums = hashlib.sha256(), 0, [], Sums()
    odd: dict[str, list[tuple[str, str]]] = {"undecodable": [], "converted": []}
    with atomic_write(shard.path) as unfinished:
        with unfinished.open("wb") as file:
            for row, example, centre in examples(shard, odd):
                record = tfrecord.framed(example)
                index.append((row["name"], row["label"], position + tfrecord.HEADER, len(example)))
                position += file.write(record)
                digest.update(record)
                if shard.part == "train":
                    sums.add(centre)
        with atomic_write(shard.notes) as notes:
            listed: dict[str, Any] = {kind: np.array(found, dtype=str).reshape(-1, 2) for kind, found in odd.items()}
            np.savez_compressed(
                notes, index=np.array(index, dtype=index_type(shard.rows().dtype["name"])), **listed,
                bytes=position, sha256=digest.hexdigest(),
                pictures=sums.pictures, pixels=sums.pixels.astype(np.uint32), products=sums.products,
            )  # fmt: skip
    return shard.name


def index_type(name: Any) -> np.dtype:
    return np.dtype([("name", name), ("label", "<i4"), ("offset", "<i8"), ("length", "<i8")])


def examples(shard: Shard, odd: dict[str, list[tuple[str, str]]]) -> Iterator[tuple[Any, bytes, np.ndarray]]:
    """(row, serialized Example, central pixels) of each picture; what is odd is noted as (name, what) in `odd`."""
    for row in shard.rows():
        wnid, name = shard.classes[row["label"]], os.fsdecode(row["name"])
        try:
            picture = prepared(shard.place.read(row, wnid), shard.originals)
        except Undecodable as error:
            odd["undecodable"].append((name, str(error)))
            continue
        if picture.converted:
            odd["converted"].append((name, picture.converted))
        width, height = picture.size
        features: dict[str, bytes | int] = {
            "image/encoded": picture.encoded, "image/filename": bytes(row["name"]), "image/height": height,
            "image/width": width, "image/class/label": int(row["label"]), "image/class/synset": wnid.encode(),
        }  # fmt: skip
        yield row, tfrecord.serialized(features), picture.centre
