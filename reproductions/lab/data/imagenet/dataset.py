"""The prepared pictures as a data set: any of them at any time, by `os.pread` at the place that the index names.

Parts: `test` is the official validation set. The suite's own `validation` part is, of each class of the training set,
one picture in a hundred (at least one, but never the only one): those whose names have the smallest SHA-256, whatever
the shards. `train` is the rest.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reproductions.lab.data.base import Dataset, data_folder
from reproductions.lab.data.imagenet import manifest, official, pixel_statistics, tfrecord
from reproductions.lab.errors import UsageError, file_errors

HELD_OUT = 100  # one in so many


@dataclass
class Files:
    """A folder's shards, each opened when first read from. Safe in threads and after a fork, as no cursor moves."""

    folder: Path
    names: list[str]
    open: dict[int, int] = field(default_factory=dict)

    def descriptor(self, shard: int) -> int:
        if shard not in self.open:
            mine = os.open(self.folder / self.names[shard], os.O_RDONLY)
            if self.open.setdefault(shard, mine) != mine:  # another thread was faster
                os.close(mine)
        return self.open[shard]

    def read(self, shard: int, offset: int, length: int) -> bytes:
        """The encoded picture of the Example at this place; UsageError names a shard that is damaged there."""
        start, size = offset - tfrecord.HEADER, length + tfrecord.HEADER + tfrecord.FOOTER
        try:
            record = os.pread(self.descriptor(shard), size, start)
            return tfrecord.encoded_image(tfrecord.unframed(record))
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{self.folder / self.names[shard]} is damaged at byte {start:,}: {error}; "
                f"run `reproduce data verify {self.folder}`"
            ) from None

    def __del__(self) -> None:
        for descriptor in self.open.values():
            os.close(descriptor)


@dataclass(eq=False)
class Records:
    """Pictures of a part in the order of their names: `datasets.Encoded`.

    Attributes:
        labels: (n,) int32, the positions of their classes among the sorted WNIDs.
        filenames: (n,) bytes.
        blacklisted: (n,) bool, of the test part, where the preparation was told which pictures are; else None.
    """

    files: Files
    labels: np.ndarray
    filenames: np.ndarray
    blacklisted: np.ndarray | None
    shard: np.ndarray
    offset: np.ndarray
    length: np.ndarray

    def read(self, index: int) -> bytes:
        """The JPEG of picture `index`."""
        return self.files.read(int(self.shard[index]), int(self.offset[index]), int(self.length[index]))

    def chosen(self, rows: np.ndarray) -> Records:
        """Those of these rows, or where a mask is true."""
        blacklisted = None if self.blacklisted is None else self.blacklisted[rows]
        columns = (self.shard, self.offset, self.length)
        return Records(
            self.files, self.labels[rows], self.filenames[rows], blacklisted, *(column[rows] for column in columns)
        )

    def joined(self, other: Any) -> Records:
        """These, then the other's, of the same files."""
        if self.files is not other.files:
            raise ValueError(f"{self.files.folder} and {other.files.folder}: parts of different data are not joined")
        own, more = ((r.labels, r.filenames, r.shard, r.offset, r.length) for r in (self, other))
        labels, filenames, *place = (np.concatenate(both) for both in zip(own, more))
        return Records(self.files, labels, filenames, None, *place)


def read_part(folder: Path, part: str, done: manifest.Manifest) -> Records:
    """All pictures of a part as it was prepared; none where the part was not."""
    names = [shard["file"] for shard in done["parts"].get(part, {"shards": []})["shards"]]
    if not names:
        none = np.zeros(0, np.int64)
        return Records(Files(folder, []), none.astype(np.int32), none.astype("S1"), None, none, none, none)
    path = folder / f"index-{part}.npz"
    with file_errors(path, f"run `reproduce data verify {folder}`"), np.load(path, allow_pickle=False) as arrays:
        blacklisted = arrays.get("blacklisted")
        places = (arrays[name] for name in ("shard", "offset", "length"))
        return Records(Files(folder, names), arrays["label"].astype(np.int32), arrays["name"], blacklisted, *places)


def held_out(labels: np.ndarray, filenames: np.ndarray) -> np.ndarray:
    """(n,) bool: the suite's validation part of a training set."""
    digests = np.array([hashlib.sha256(name).digest() for name in filenames.tolist()], dtype="S32")
    order = np.lexsort((digests, labels))
    counts = np.bincount(labels)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - first
    return rank < np.minimum(np.maximum(counts // HELD_OUT, 1), counts - 1)[labels]


def missing(name: str, looked: Path | None) -> UsageError:
    unset = "neither --data-dir nor REPRODUCTIONS_DATA is set"
    where = f"there is no {manifest.FOLDERS[name]}/ in {looked}" if looked else unset
    keep = " --keep-originals" if name == "imagenet-originals" else ""
    return UsageError(
        f"ImageNet was not found: {where}; {official.DOWNLOAD} into a folder, then run "
        f"`reproduce data prepare imagenet --from THAT_FOLDER --to {looked or 'DATA_DIR'}{keep}`"
    )


def load(name: str, data_dir: Path | None) -> Dataset:
    """ImageNet as it was prepared: "imagenet" at a short side of 256, "imagenet-originals" as it was published.

    Raises UsageError where it is not there, not finished, or not as it was written.
    """
    parent = data_folder(data_dir)
    folder = parent / manifest.FOLDERS[name] if parent else None
    if folder is None or not folder.is_dir():
        raise missing(name, parent)
    if not (folder / manifest.NAME).is_file():
        raise UsageError(f"{folder} is unfinished: run the same `reproduce data prepare imagenet` again, it goes on")
    done = manifest.read(folder)
    for misfit in manifest.misfits(folder, done):
        raise UsageError(
            f"{folder / misfit} is missing or has not the size it was written with: delete it, and run the same "
            "`reproduce data prepare imagenet` again, which makes it again"
        )
    train = read_part(folder, "train", done)
    aside = held_out(train.labels, train.filenames)
    source = f"ILSVRC-2012, {'originals' if done['settings']['short_side'] is None else 'short side 256'}"
    return Dataset(
        done["name"], source, str(folder), manifest.contents(done),
        train.chosen(~aside), train.chosen(aside), read_part(folder, "validation", done),
        pixel_statistics.read(folder / "statistics.npz"),
    )  # fmt: skip
