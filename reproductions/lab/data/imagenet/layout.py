"""What a preparation writes: options, splits and shards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reproductions.lab.data.imagenet import manifest
from reproductions.lab.data.imagenet.encode import Settings
from reproductions.lab.data.imagenet.manifest import ClassEntry, IgnoredFiles, Manifest, SplitName
from reproductions.lab.data.imagenet.shards import Shard, listing_path, read_listing, shard_bounds
from reproductions.lab.data.imagenet.sources import ImageSource
from reproductions.lab.errors import UsageError
from reproductions.lab.ranges import Positive, Whole

LARGEST_IMAGE = 1 << 30  # bytes


@dataclass(frozen=True)
class PrepareOptions:
    """Options of `reproduce data prepare`.

    Attributes:
        source: Folder with the official files.
        destination: Folder that receives the folder of shards.
        originals: Keep the sizes of the images.
        workers: Number of processes.
        shards: Number of training shards; by default one for 5,005 images.
        train_only: Prepare the training set alone.
        subset: The source may lack images.
        blacklist: File with the numbers of blacklisted validation images; by default that of the devkit.
    """

    source: Path
    destination: Path
    originals: bool = False
    workers: int = 1
    shards: int | None = None
    train_only: bool = False
    subset: bool = False
    blacklist: Path | None = None

    @property
    def folder(self) -> Path:
        """Folder of the shards."""
        return self.destination / manifest.FOLDERS["imagenet-originals" if self.originals else "imagenet"]


@dataclass(frozen=True)
class SplitLayout:
    """A split of the source and its shards.

    Attributes:
        images: Number of images.
        bytes: Size of their files.
        per_class: Number of images of each class.
        listing: SHA-256 of names, labels and sizes.
        ignored: Files that are not images, or not of the classes.
        shards: Number of shards.
    """

    images: Whole
    bytes: Whole
    per_class: list[Whole]
    listing: str
    ignored: IgnoredFiles
    shards: Positive


@dataclass(frozen=True)
class Layout:
    """Everything that determines what is written.

    Attributes:
        settings: Settings of the encoder.
        classes: Classes in the order of their labels.
        splits: Splits by name.
        blacklisted: File names of blacklisted validation images; None if they are not known.
    """

    settings: Settings
    classes: list[ClassEntry]
    splits: dict[SplitName, SplitLayout]
    blacklisted: list[str] | None

    @property
    def wnids(self) -> list[str]:
        """WNIDs of the classes."""
        return [each["wnid"] for each in self.classes]

    def difference(self, other: Layout) -> str | None:
        """Return a difference from another layout that changes the bytes of the shards; None if there is none."""
        for name, value in self.settings.items():
            if other.settings.get(name) != value:
                return f"{name} is {value} now, and was {other.settings.get(name)}"
        if other.wnids != self.wnids or set(other.splits) != set(self.splits):
            return "the source has other classes or splits"
        for name, split in self.splits.items():
            if other.splits[name].listing != split.listing:
                return f"the source has other {name} images"
            if other.splits[name].shards != split.shards:
                return f"{split.shards} {name} shards are requested, there are {other.splits[name].shards}"
        return None


def layout_of(done: Manifest) -> Layout:
    """Return the layout of a finished preparation."""
    splits = {
        name: SplitLayout(
            images=split["images"],
            bytes=split["bytes"],
            per_class=split["per_class"],
            listing=split["listing"],
            ignored=split["ignored"],
            shards=len(split["shards"]),
        )
        for name, split in done["splits"].items()
    }
    return Layout(done["settings"], done["classes"], splits, done["blacklisted"])


def has_places(table: np.ndarray, classes: int) -> bool:
    """Return whether all rows of a listing have a label, an offset and a size that can be."""
    limits = {"label": classes, "offset": 1 << 40, "size": LARGEST_IMAGE}
    return all(not len(table) or 0 <= table[name].min() <= table[name].max() < limit for name, limit in limits.items())


def make_shards(layout: Layout, sources: Mapping[str, ImageSource], options: PrepareOptions) -> list[Shard]:
    """Return the shards of all splits, each with its rows of the listing.

    Args:
        layout: Layout, whose listings are in the work folder.
        sources: Where the images of each split are.
        options: Options of the preparation.

    Raises:
        UsageError: If a listing is damaged.
    """
    shards, folder, wnids = [], options.folder, tuple(layout.wnids)
    for name, split in layout.splits.items():
        table = read_listing(folder, name)
        if len(table) != split.images or not has_places(table, len(wnids)):
            raise UsageError(f"{listing_path(folder, name)} is damaged: delete {folder} and prepare it again")
        for number, (first, last) in enumerate(shard_bounds(table["key"], split.shards)):
            shards.append(
                Shard(folder, name, number, split.shards, first, last, sources[name], wnids, options.originals)
            )
    return shards
