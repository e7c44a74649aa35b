"""`reproduce data prepare imagenet`: from the official files to shards, resumable.

Every file is written completely or not at all, and the manifest last: a folder that has one is finished.
"""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reproductions.lab.data.imagenet import manifest, official
from reproductions.lab.data.imagenet.checks import check_complete, check_disk_space
from reproductions.lab.data.imagenet.layout import Layout, PrepareOptions, SplitLayout, layout_of, make_shards
from reproductions.lab.data.imagenet.manifest import Manifest, ShardEntry, SplitEntry
from reproductions.lab.data.imagenet.parallel import Map, parallel_map
from reproductions.lab.data.imagenet.pixel_statistics import PixelSums
from reproductions.lab.data.imagenet.shards import WORK, Shard, write_shard
from reproductions.lab.data.imagenet.survey import find_sources, make_layout
from reproductions.lab.errors import UsageError
from reproductions.lab.files import atomic_write, lock_directory, remove_unfinished, sha256
from reproductions.lab.progress import progress

MOST_SHARDS = 512
# A few undecodable images are named and left out; more than this mean that the source is damaged.
MOST_UNDECODABLE = 10


def prepare(options: PrepareOptions) -> Path:
    """Prepare the images, or resume an unfinished preparation.

    Args:
        options: Options of the command.

    Returns:
        Folder of the shards.

    Raises:
        UsageError: If an option is invalid, the source is damaged or incomplete, the disk is full, or another process
            prepares the same folder.
    """
    check_options(options)
    find_sources(options)  # an incomplete source is refused before anything is written
    folder = options.folder
    try:
        (folder / WORK).mkdir(parents=True, exist_ok=True)
        with lock_directory(folder / WORK), parallel_map(options.workers) as parallel:
            for each in (folder, folder / WORK):
                remove_unfinished(each)
            (repair if (folder / manifest.NAME).is_file() else prepare_all)(options, parallel)
            shutil.rmtree(folder / WORK)
    except OSError as error:
        advice = "free some space; " if error.errno == errno.ENOSPC else ""
        raise UsageError(
            f"{error.filename or folder}: {error.strerror}; {advice}run the same command to resume"
        ) from None
    return folder


def check_options(options: PrepareOptions) -> None:
    """Raise a UsageError if an option is invalid."""
    if not options.source.is_dir():
        raise UsageError(f"--from: {options.source} is not a folder")
    if options.shards is not None and not 1 <= options.shards <= MOST_SHARDS:
        raise UsageError(f"--shards must lie in 1..{MOST_SHARDS}, because all are kept open; got {options.shards}")
    if options.workers < 1:
        raise UsageError(f"--workers must be at least 1; got {options.workers}")


def prepare_all(options: PrepareOptions, parallel: Map) -> None:
    """Write all shards that are not finished, then indices, statistics and manifest."""
    layout, shards = plan(options, parallel)
    check_complete(layout, options)
    check_disk_space(shards)
    by_name = {shard.name: shard for shard in shards}
    undecodable: list[list[str]] = []
    for name in written(shards, parallel):
        undecodable += by_name[name].read_notes().undecodable
        check_undecodable(undecodable, options)
    finish(options.folder, layout, shards)


def plan(options: PrepareOptions, parallel: Map) -> tuple[Layout, list[Shard]]:
    """Return layout and shards, and print what the source contains."""
    print(f"Listing {options.source}", flush=True)
    layout, sources = make_layout(options, parallel)
    for name, split in layout.splits.items():
        print(f"{name}: {split.images:,} images of {len(layout.classes):,} classes, {split.bytes / 1e9:.3f} GB")
        if split.ignored["files"]:
            examples = ", ".join(split.ignored["examples"])
            count = split.ignored["files"]
            print(f"{name}: {count:,} files ignored, not images, of other classes or broken links: {examples}")
    return layout, make_shards(layout, sources, options)


def written(shards: list[Shard], parallel: Map) -> Iterator[str]:
    """Write shards, yield the name of each when it is finished, and show the progress."""
    earlier = sum(shard.finished() for shard in shards)
    with progress("preparation", len(shards), "shards", earlier) as shown:
        for number, name in enumerate(parallel(write_shard, shards), 1):
            yield name
            shown.update(max(number, earlier))


def check_undecodable(found: list[list[str]], options: PrepareOptions) -> None:
    """Raise a UsageError if too many images are undecodable."""
    if len(found) > MOST_UNDECODABLE:
        listed = ", ".join(f"{name} ({reason})" for name, reason in found)
        raise UsageError(
            f"more than {MOST_UNDECODABLE} images of {options.source} cannot be decoded: {listed}; "
            f"download it again, and delete {options.folder}"
        )


def finish(folder: Path, layout: Layout, shards: list[Shard]) -> None:
    """Write indices, statistics and, last, the manifest, from the notes on the shards."""
    sums = PixelSums()
    splits = {
        name: finish_split(layout, name, [shard for shard in shards if shard.split == name], sums)
        for name in layout.splits
    }
    save_npz(folder / "statistics.npz", sums.statistics()._asdict())
    files = [f"index-{name}.npz" for name in layout.splits] + ["statistics.npz"]
    content: Manifest = {
        "format": manifest.FORMAT,
        "name": data_name(folder, layout, splits),
        "settings": layout.settings,
        "classes": layout.classes,
        "splits": splits,
        "blacklisted": layout.blacklisted,
        "files": {name: sha256(folder / name) for name in files},
    }
    with atomic_write(folder / manifest.NAME) as unfinished:
        unfinished.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def finish_split(layout: Layout, name: str, shards: list[Shard], sums: PixelSums) -> SplitEntry:
    """Write the index of a split.

    Args:
        layout: Layout of the preparation.
        name: Name of the split.
        shards: Shards of the split.
        sums: Sums to which those over its images are added.

    Returns:
        Entry of the split in the manifest.
    """
    rows, entries = [], []
    undecodable: list[list[str]] = []
    converted: list[list[str]] = []
    for shard in shards:
        notes = shard.read_notes()
        rows.append(notes.index)
        sums.add_other(notes.sums)
        entry: ShardEntry = {
            "file": shard.name,
            "bytes": notes.bytes,
            "records": len(notes.index),
            "sha256": notes.sha256,
        }
        entries.append(entry)
        undecodable += notes.undecodable
        converted += notes.converted
    split = layout.splits[name]
    check_counts(split, np.concatenate(rows)["label"], len(undecodable))
    blacklisted = layout.blacklisted if name == "validation" else None
    save_npz(shards[0].folder / f"index-{name}.npz", make_index(rows, blacklisted))
    for image, reason in sorted(undecodable):
        print(f"{name}: {image} is left out because it cannot be decoded: {reason}")
    return {
        "images": split.images,
        "bytes": split.bytes,
        "per_class": split.per_class,
        "listing": split.listing,
        "ignored": split.ignored,
        "shards": entries,
        "undecodable": sorted(undecodable),
        "converted": sorted(converted),
    }


def check_counts(split: SplitLayout, labels: np.ndarray, undecodable: int) -> None:
    """Check that every image of the source is in a shard or undecodable.

    Raises:
        AssertionError: If not, which is a bug.
    """
    missing = np.array(split.per_class) - np.bincount(labels, minlength=len(split.per_class))
    if missing.min() < 0 or missing.sum() != undecodable:
        raise AssertionError(f"{missing.sum()} images are missing, {undecodable} of them undecodable")


def make_index(rows: list[np.ndarray], blacklisted: list[str] | None) -> dict[str, np.ndarray]:
    """Return the index of a split, sorted by file name.

    Args:
        rows: Index of each shard.
        blacklisted: File names of blacklisted images; None if they are not known.

    Returns:
        Columns name, label, offset, length, shard and, if known, blacklisted.
    """
    table = np.concatenate(rows)
    shard = np.repeat(np.arange(len(rows), dtype=np.int32), [len(own) for own in rows])
    order = np.lexsort((table["label"], table["name"]))
    columns = {name: table[name][order] for name in ("name", "label", "offset", "length")} | {"shard": shard[order]}
    if blacklisted is not None:
        columns["blacklisted"] = np.isin(columns["name"], np.array(blacklisted, dtype=bytes))
    return columns


def save_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays to a compressed npz file."""
    with atomic_write(path) as unfinished:
        np.savez_compressed(unfinished, **arrays)  # type: ignore[arg-type]


def data_name(folder: Path, layout: Layout, splits: dict[str, SplitEntry]) -> str:
    """Return the name of the data set, which is ImageNet's only if no image is missing."""
    name = next(name for name, own in manifest.FOLDERS.items() if own == folder.name)
    found = {split: sum(shard["records"] for shard in entry["shards"]) for split, entry in splits.items()}
    complete = {"train": official.TRAIN_IMAGES, "validation": official.VALIDATION_IMAGES}
    return name if found == complete and len(layout.classes) == official.CLASSES else f"{name}-subset"


def repair(options: PrepareOptions, parallel: Map) -> None:
    """Write the shards that are missing or have the wrong size again, from the same source."""
    folder = options.folder
    done = manifest.read(folder)
    damaged = manifest.damaged_shards(folder, done)
    if not damaged:
        print(f"{folder} is already prepared; delete it to prepare it again")
        return
    layout, shards = plan(options, parallel)
    if difference := layout.difference(layout_of(done)):
        raise UsageError(f"{folder} cannot be repaired: {difference}; delete it, and prepare it again")
    chosen = [shard for shard in shards if shard.name in damaged]
    for shard in chosen:
        shard.path.unlink(missing_ok=True)
    expected = {shard["file"]: shard["sha256"] for shard in manifest.shards(done)}
    for name in written(chosen, parallel):
        if sha256(folder / name) != expected[name]:
            raise UsageError(f"{folder / name} has another checksum than before: delete {folder}, and prepare it again")
        print(f"{folder / name} is repaired")
