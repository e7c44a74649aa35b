"""The prepared images as a data set with random access: `os.pread` at the position that the index gives.

The `test` split is the official validation set. The `validation` split has one in a hundred images of each class of the
official training set (at least one, but never the only one): those whose file names have the smallest SHA-256, whatever
the shards. The `train` split has the others.
"""

from __future__ import annotations

import hashlib
import os
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from reproductions.lab import npz_files
from reproductions.lab.data.base import Dataset, data_folder
from reproductions.lab.data.imagenet import manifest, official, pixel_statistics, tfrecord
from reproductions.lab.errors import UsageError

POSITION = ("shard", "offset", "length")
LONGEST, LARGEST = 1 << 40, 1 << 28  # bytes of a shard, of an Example
VALIDATION_SHARE = 100  # one in this many images


@dataclass
class ShardFiles:
    """The shards of a split, opened when first read. Safe in threads and after a fork because no cursor moves.

    Attributes:
        folder: Folder of the shards.
        names: File names by number of the shard.
        descriptors: Open file descriptors by number of the shard.
    """

    folder: Path
    names: list[str]
    descriptors: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        weakref.finalize(self, close_all, self.descriptors)

    def descriptor(self, shard: int) -> int:
        """Return the open file descriptor of a shard."""
        if shard not in self.descriptors:
            own = os.open(self.folder / self.names[shard], os.O_RDONLY)
            if self.descriptors.setdefault(shard, own) != own:  # another thread was faster
                os.close(own)
        return self.descriptors[shard]

    def read(self, shard: int, offset: int, length: int) -> bytes:
        """Return an encoded image.

        Args:
            shard: Number of the shard.
            offset: Position of the Example.
            length: Length of the Example.

        Raises:
            UsageError: If the shard is damaged there.
        """
        start, size = offset - tfrecord.HEADER, length + tfrecord.HEADER + tfrecord.FOOTER
        try:
            record = os.pread(self.descriptor(shard), size, start)
            return tfrecord.encoded_image(tfrecord.unframe(record))
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{self.folder / self.names[shard]} is damaged at byte {start:,}: {error}; "
                f"run `reproduce data verify {self.folder}`"
            ) from None


def close_all(descriptors: Mapping[int, int]) -> None:
    """Close open files."""
    for descriptor in descriptors.values():
        os.close(descriptor)


@dataclass(eq=False)
class ShardedImages:
    """Images of a split in the order of their file names, as `base.EncodedImages`.

    Attributes:
        files: Shards of the split.
        labels: (n,) int32, positions of the classes in the sorted WNIDs.
        filenames: (n,) bytes.
        blacklisted: (n,) bool, of the test split if the blacklist is known; else None.
        shard: (n,) numbers of the shards.
        offset: (n,) positions of the Examples in the shards.
        length: (n,) lengths of the Examples.
    """

    files: ShardFiles
    labels: np.ndarray
    filenames: np.ndarray
    blacklisted: np.ndarray | None
    shard: np.ndarray
    offset: np.ndarray
    length: np.ndarray

    def read(self, index: int) -> bytes:
        """Return the JPEG of an image."""
        return self.files.read(int(self.shard[index]), int(self.offset[index]), int(self.length[index]))

    def select(self, rows: np.ndarray) -> ShardedImages:
        """Return the images with these indices, or those for which a mask is true."""
        blacklisted = None if self.blacklisted is None else self.blacklisted[rows]
        positions = (column[rows] for column in (self.shard, self.offset, self.length))
        return ShardedImages(self.files, self.labels[rows], self.filenames[rows], blacklisted, *positions)

    def concatenate(self, other: ShardedImages) -> ShardedImages:
        """Return these images followed by others of the same shards."""
        if self.files is not other.files:
            raise ValueError(f"images of {self.files.folder} and {other.files.folder} cannot be concatenated")
        own, more = ((each.labels, each.filenames, each.shard, each.offset, each.length) for each in (self, other))
        labels, filenames, *positions = (np.concatenate(both) for both in zip(own, more))
        return ShardedImages(self.files, labels, filenames, None, *positions)


def read_split(folder: Path, split: str, done: manifest.Manifest) -> ShardedImages:
    """Return all images of a split as it was prepared; none if it was not."""
    entry = done["splits"].get(split)
    if entry is None:
        none = np.zeros(0, np.int64)
        return ShardedImages(ShardFiles(folder, []), none.astype(np.int32), none.astype("S1"), None, none, none, none)
    names = [shard["file"] for shard in entry["shards"]]
    path = folder / f"index-{split}.npz"
    with npz_files.open_npz(path, f"run `reproduce data verify {folder}`") as file:
        shape = (sum(shard["records"] for shard in entry["shards"]),)
        labels = file.array("label", npz_files.INTEGERS, shape).astype(np.int32)
        shard, offset, length = (file.array(name, npz_files.INTEGERS, shape) for name in POSITION)
        limits = (labels, len(done["classes"])), (shard, len(names)), (offset, LONGEST), (length, LARGEST)
        if any(len(column) and not 0 <= column.min() <= column.max() < limit for column, limit in limits):
            raise ValueError("it has a label or a position that does not exist")
        blacklisted = file.array("blacklisted", "b", shape) if "blacklisted" in file else None
        filenames = file.array("name", npz_files.BYTES, shape)
        return ShardedImages(ShardFiles(folder, names), labels, filenames, blacklisted, shard, offset, length)


def is_validation(labels: np.ndarray, filenames: np.ndarray) -> np.ndarray:
    """Return which images of the official training set are in the `validation` split.

    Args:
        labels: (n,) integers.
        filenames: (n,) bytes.

    Returns:
        (n,) bool.
    """
    digests = np.array([hashlib.sha256(name).digest() for name in filenames.tolist()], dtype="S32")
    order = np.lexsort((digests, labels))
    counts = np.bincount(labels)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - first
    return rank < np.minimum(np.maximum(counts // VALIDATION_SHARE, 1), counts - 1)[labels]


def missing(name: str, parent: Path | None) -> UsageError:
    """Return the error for data that were not found in a folder."""
    unset = "neither --data-dir nor REPRODUCTIONS_DATA is set"
    reason = f"there is no {manifest.FOLDERS[name]}/ in {parent}" if parent else unset
    option = " --keep-originals" if name == "imagenet-originals" else ""
    return UsageError(
        f"ImageNet was not found: {reason}; {official.DOWNLOAD} into a folder, then run "
        f"`reproduce data prepare imagenet --from THAT_FOLDER --to {parent or 'DATA_DIR'}{option}`"
    )


def load(name: str, data_dir: Path | None) -> Dataset:
    """Return ImageNet as it was prepared.

    Args:
        name: "imagenet" at a short side of 256, or "imagenet-originals" in the original sizes.
        data_dir: Folder that has the prepared folder; by default the one that REPRODUCTIONS_DATA names.

    Raises:
        UsageError: If it is not found, not finished, or damaged.
    """
    parent = data_folder(data_dir)
    folder = parent / manifest.FOLDERS[name] if parent else None
    if folder is None or not folder.is_dir():
        raise missing(name, parent)
    command = "run the same `reproduce data prepare imagenet`"
    if not (folder / manifest.NAME).is_file():
        raise UsageError(f"{folder} is unfinished: {command} to resume")
    done = manifest.read(folder)
    for shard in manifest.damaged_shards(folder, done):
        raise UsageError(f"{folder / shard} is missing or has the wrong size: delete it, and {command} to repair it")
    train = read_split(folder, "train", done)
    validation = is_validation(train.labels, train.filenames)
    size = "originals" if done["settings"]["short_side"] is None else "short side 256"
    return Dataset(
        name=done["name"],
        source=f"ILSVRC-2012, {size}",
        path=str(folder),
        sha256=manifest.checksum(done),
        train=train.select(~validation),
        validation=train.select(validation),
        test=read_split(folder, "validation", done),
        statistics=pixel_statistics.read(folder / "statistics.npz"),
    )
