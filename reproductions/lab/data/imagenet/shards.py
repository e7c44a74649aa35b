"""One shard of prepared images. It is written completely or not at all, and does not depend on the worker."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from reproductions.lab import npz_files
from reproductions.lab.data.imagenet import tfrecord
from reproductions.lab.data.imagenet.encode import PreparedImage, UndecodableImage, prepare_image
from reproductions.lab.data.imagenet.pixel_statistics import PixelSums
from reproductions.lab.data.imagenet.sources import ImageSource, listing_type, printable
from reproductions.lab.errors import file_errors
from reproductions.lab.files import atomic_write

WORK = "work"  # folder of the files that are needed until the preparation is finished


@dataclass(frozen=True)
class Shard:
    """A shard to write: rows `first` to `last` of the listing of a split, as shard `number` of `count`.

    Attributes:
        folder: Folder of the shards.
        split: "train" or "validation", as officially named.
        number: Number of the shard, from 0.
        count: Number of shards of the split.
        first: First row of the listing.
        last: Row after the last one.
        source: Where the images of the split are.
        wnids: WNIDs of the classes.
        originals: Keep the sizes of the images.
    """

    folder: Path
    split: str
    number: int
    count: int
    first: int
    last: int
    source: ImageSource
    wnids: tuple[str, ...]
    originals: bool

    @property
    def name(self) -> str:
        """File name of the shard."""
        return f"{self.split}-{self.number:05d}-of-{self.count:05d}.tfrecord"

    @property
    def path(self) -> Path:
        """Path of the shard."""
        return self.folder / self.name

    @property
    def notes(self) -> Path:
        """Path of the notes on the shard; see `write_shard`."""
        return self.folder / WORK / f"{self.name}.npz"

    def read_notes(self) -> Notes:
        """Return the notes on the shard; UsageError if they are damaged."""
        return read_notes(self.notes, len(self.wnids))

    def rows(self) -> np.ndarray:
        """Return the rows of the listing."""
        return read_listing(self.folder, self.split)[self.first : self.last]

    def finished(self) -> bool:
        """Return whether shard and notes are written."""
        return self.path.is_file() and self.notes.is_file()


@dataclass(frozen=True)
class Notes:
    """What is noted of a shard; see `write_shard`.

    Attributes:
        index: Rows with name, label, offset and length of the Example, one per image.
        bytes: Size of the shard.
        sha256: Its checksum.
        undecodable: Names of undecodable files and reasons.
        converted: Names of converted files and their original formats.
        sums: Sums over the images.
    """

    index: np.ndarray
    bytes: int
    sha256: str
    undecodable: list[list[str]]
    converted: list[list[str]]
    sums: PixelSums


@dataclass
class UnusualFiles:
    """Names of undecodable files with the reason, and of converted files with their original format."""

    undecodable: list[tuple[str, str]] = field(default_factory=list)
    converted: list[tuple[str, str]] = field(default_factory=list)


def listing_path(folder: Path, split: str) -> Path:
    """Return the path of the listing of a split."""
    return folder / WORK / f"listing-{split}.npy"


def read_notes(path: Path, classes: int) -> Notes:
    """Return the notes on a shard, given the number of classes; UsageError if they are damaged."""
    integers, texts = npz_files.INTEGERS, npz_files.TEXTS
    columns = {"name": npz_files.BYTES, "label": integers, "offset": integers, "length": integers}
    with npz_files.open_npz(path, "remove it and run the same command") as file:
        index = file.table("index", columns)
        if len(index) and not 0 <= index["label"].min() <= index["label"].max() < classes:
            raise ValueError("it has a label that does not exist")
        sums = PixelSums()
        sums.add_sums(
            int(file.array("images", integers, ())),
            file.array("pixels", integers, sums.pixels.shape),
            file.array("products", integers, sums.products.shape),
        )
        return Notes(
            index=index,
            bytes=int(file.array("bytes", integers, ())),
            sha256=str(file.array("sha256", texts, ())),
            undecodable=file.array("undecodable", texts, (None, 2)).tolist(),
            converted=file.array("converted", texts, (None, 2)).tolist(),
            sums=sums,
        )


def read_listing(folder: Path, split: str) -> np.ndarray:
    """Return the listing of a split, which is read from the disk when it is accessed; see `sources.make_listing`.

    Raises:
        UsageError: If it is damaged.
    """
    return open_listing(listing_path(folder, split))


def open_listing(path: Path) -> np.ndarray:
    """Return the listing in a file; see `read_listing`."""
    with file_errors(path, f"delete {path.parent.parent} and prepare it again"):
        if not path.is_file():
            raise ValueError("it is not a file")
        table = np.load(path, mmap_mode="r", allow_pickle=False)
        name = table.dtype["name"] if table.dtype.names else table.dtype
        if table.ndim != 1 or name.kind != "S" or table.dtype != listing_type(name.itemsize):
            raise ValueError(f"it is not a listing: it has {table.dtype} of shape {table.shape}")
        return np.asarray(table)


def shard_bounds(keys: np.ndarray, count: int) -> list[tuple[int, int]]:
    """Return the rows of each shard.

    Args:
        keys: (n,) uint64, sorted.
        count: Number of shards, each for an equal range of keys.

    Returns:
        (first, last) of each shard; `last` is not included.
    """
    bounds = np.array([(number << 64) // count for number in range(count)], dtype=np.uint64)
    first = np.searchsorted(keys, bounds).tolist()
    return list(zip(first, [*first[1:], len(keys)]))


def write_shard(shard: Shard) -> str:
    """Write a shard and its notes, unless both exist, and return its name.

    The notes (npz) are written first. They contain the index (name, label, offset and length of the Example, one row
    per image), names and reasons of undecodable and converted files, size and SHA-256 of the shard, and the sums over
    training images for the statistics.
    """
    if shard.finished():
        return shard.name
    digest, position, index = hashlib.sha256(), 0, []
    sums, unusual = PixelSums(), UnusualFiles()
    with atomic_write(shard.path) as unfinished:
        with unfinished.open("wb") as file:
            for row, image in prepared_images(shard, unusual):
                example = serialized_example(shard, row, image)
                record = tfrecord.frame(example)
                index.append((row["name"], row["label"], position + tfrecord.HEADER, len(example)))
                position += file.write(record)
                digest.update(record)
                if shard.split == "train":
                    sums.add(image.centre)
        table = np.array(index, dtype=index_type(shard.rows().dtype["name"]))
        with atomic_write(shard.notes) as notes:
            np.savez_compressed(
                notes, index=table, bytes=position, sha256=digest.hexdigest(),
                undecodable=pairs(unusual.undecodable), converted=pairs(unusual.converted),
                images=sums.count, pixels=sums.pixels.astype(np.uint32), products=sums.products,
            )  # fmt: skip
    return shard.name


def index_type(name: np.dtype) -> np.dtype:
    """Return the type of a row of the index, given that of file names."""
    return np.dtype([("name", name), ("label", "<i4"), ("offset", "<i8"), ("length", "<i8")])


def pairs(found: list[tuple[str, str]]) -> np.ndarray:
    """Return pairs as an array (n, 2), also if there are none."""
    return np.array(found, dtype=str).reshape(-1, 2)


def prepared_images(shard: Shard, unusual: UnusualFiles) -> Iterator[tuple[np.void, PreparedImage]]:
    """Yield each row of the listing with its image, and add undecodable and converted files to `unusual`."""
    for row in shard.rows():
        name = printable(os.fsdecode(row["name"]))
        try:
            image = prepare_image(shard.source.read(row, shard.wnids[row["label"]]), shard.originals)
        except UndecodableImage as error:
            unusual.undecodable.append((name, str(error)))
            continue
        if image.converted:
            unusual.converted.append((name, image.converted))
        yield row, image


def serialized_example(shard: Shard, row: np.void, image: PreparedImage) -> bytes:
    """Return the serialized Example of an image."""
    width, height = image.size
    return tfrecord.serialize({
        "image/encoded": image.encoded, "image/filename": bytes(row["name"]), "image/height": height,
        "image/width": width, "image/class/label": int(row["label"]),
        "image/class/synset": shard.wnids[row["label"]].encode(),
    })  # fmt: skip
