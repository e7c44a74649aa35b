"""Checks before shards are written: whether the source is complete, and whether the disk has enough space."""

from __future__ import annotations

import shutil

from reproductions.lab.data.imagenet import official
from reproductions.lab.data.imagenet.encode import UndecodableImage, prepare_image
from reproductions.lab.data.imagenet.layout import Layout, PrepareOptions
from reproductions.lab.data.imagenet.shards import Shard
from reproductions.lab.errors import UsageError

SAMPLE = 48  # images from which the size of all is estimated
MARGIN = 1.05  # of the estimate
EXAMPLE_BYTES = 300  # of an Example beside the image
NOTES_BYTES = 2 << 20  # at most, of the notes on a shard during the preparation


def check_complete(layout: Layout, options: PrepareOptions) -> None:
    """Raise a UsageError if a source with all 1,000 classes lacks images, unless a subset is meant."""
    if len(layout.classes) != official.CLASSES or options.subset:
        return
    low, high = official.TRAIN_PER_CLASS
    expected = {
        "train": (official.TRAIN_IMAGES, low, high),
        "validation": (official.VALIDATION_IMAGES, *2 * (official.VALIDATION_PER_CLASS,)),
    }
    for name, split in layout.splits.items():
        images, fewest, most = expected[name]
        found_fewest, found_most = min(split.per_class), max(split.per_class)
        if split.images != images:
            problem = f"has {split.images:,} {name} images instead of {images:,}"
        elif found_fewest < fewest or found_most > most:
            problem = f"has {found_fewest} to {found_most} {name} images per class instead of {fewest} to {most}"
        else:
            continue
        raise UsageError(
            f"{options.source} has ImageNet's 1,000 classes but {problem}: "
            "complete it, or use --subset if it is a subset on purpose"
        )


def check_disk_space(shards: list[Shard]) -> None:
    """Raise a UsageError if the disk has too little space for the remaining shards, estimated from a few images."""
    remaining = [shard for shard in shards if not shard.finished()]
    size = sum(int(shard.rows()["size"].sum()) for shard in remaining)
    needed = int(MARGIN * size_ratio(shards) * size) + NOTES_BYTES * len(remaining)
    folder = shards[0].folder
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UsageError(
            f"{folder} has {free / 1e9:,.3f} GB of free space, but the preparation needs about {needed / 1e9:,.3f} GB "
            "more: free some space, or choose another folder with --to"
        )


def size_ratio(shards: list[Shard]) -> float:
    """Return bytes written per byte read, over the first images of the listing, whose order is random."""
    read = written = 0
    shard = next(shard for shard in shards if shard.last > shard.first)
    for row in shard.rows()[:SAMPLE]:
        data = shard.source.read(row, shard.wnids[row["label"]])
        try:
            written += len(prepare_image(data, shard.originals).encoded) + EXAMPLE_BYTES
            read += len(data)
        except UndecodableImage:
            continue
    return written / read if read else 1.0
