"""The survey of a source: its splits, classes and images, saved so that a resumed preparation reuses it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from reproductions.lab import json_files
from reproductions.lab.data.imagenet import devkit, encode, manifest, official, sources
from reproductions.lab.data.imagenet.devkit import Devkit
from reproductions.lab.data.imagenet.layout import Layout, PrepareOptions, SplitLayout
from reproductions.lab.data.imagenet.manifest import ClassEntry
from reproductions.lab.data.imagenet.parallel import Map
from reproductions.lab.data.imagenet.shards import WORK, listing_path
from reproductions.lab.data.imagenet.sources import Files, ImageSource
from reproductions.lab.errors import UsageError
from reproductions.lab.files import atomic_write

# 256 shards of the training set: few enough to keep all of them open, small enough to write one again.
IMAGES_PER_SHARD = 5_005
EXAMPLES = 3  # ignored files that are named
SAVED_LAYOUT = "layout.json"

Fingerprint = list[list[str | int]]  # path, size and modification time of each tar


@dataclass(frozen=True)
class SavedLayout:
    """The layout of an unfinished preparation, and the state of the tars it was made from; None for folders."""

    layout: Layout
    fingerprint: Fingerprint | None


def make_layout(options: PrepareOptions, parallel: Map) -> tuple[Layout, dict[str, ImageSource]]:
    """List the source, and save listings and layout in the work folder.

    The listings of an earlier run are reused if the tars are unchanged.

    Args:
        options: Options of the preparation.
        parallel: Map over the worker processes.

    Returns:
        Layout, and where the images of each split are.

    Raises:
        UsageError: If the source is damaged, or differs from that of an unfinished preparation.
    """
    found = find_sources(options)
    kit = devkit.find(options.source)
    saved, state = read_saved(options.folder), fingerprint(found)
    if saved and state is not None and saved.fingerprint == state:
        wnids, splits = saved.layout.wnids, saved.layout.splits
    else:
        wnids, splits = list_images(options.folder, found, kit, parallel)
    words = kit.words if kit else {}
    classes: list[ClassEntry] = [{"wnid": wnid, "words": words.get(wnid, "")} for wnid in wnids]
    splits = with_shards(splits, options.shards)
    layout = Layout(encode.settings(options.originals), classes, splits, blacklisted_names(options, kit))
    if saved and (difference := layout.difference(saved.layout)):
        raise UsageError(
            f"{options.folder} has a different unfinished preparation: {difference}; "
            "delete the folder, or choose another with --to"
        )
    with atomic_write(options.folder / WORK / SAVED_LAYOUT) as unfinished:
        unfinished.write_text(json.dumps(asdict(SavedLayout(layout, state))), encoding="utf-8")
    return layout, found


def read_saved(folder: Path) -> SavedLayout | None:
    """Return the saved layout; None if the preparation has not begun or is finished.

    Raises:
        UsageError: If there are shards without a layout.
    """
    path = folder / WORK / SAVED_LAYOUT
    if path.is_file():
        try:
            return json_files.read(path, SavedLayout, "the layout of an unfinished preparation")
        except UsageError as error:
            raise UsageError(f"{error}; delete {folder}, or choose another with --to") from None
    if any(folder.glob("[!.]*.tfrecord")) and not (folder / manifest.NAME).is_file():
        raise UsageError(
            f"{folder} has shards of an unfinished preparation by another version: delete the folder, "
            "or choose another with --to"
        )
    return None


def fingerprint(found: Mapping[str, ImageSource]) -> Fingerprint | None:
    """Return path, size and modification time of the tars; None if images are in folders."""
    paths = [source.path for source in found.values() if source.kind == "tar"]
    if len(paths) < len(found):
        return None
    return [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in paths]


def find_sources(options: PrepareOptions) -> dict[str, ImageSource]:
    """Return where the images of each split are.

    Raises:
        UsageError: If a split is missing.
    """
    train = sources.find(options.source, "train")
    if train is None:
        raise UsageError(f"{options.source} has neither {official.TRAIN_TAR} nor a folder train/; {official.DOWNLOAD}")
    if options.train_only:
        return {"train": train}
    validation = sources.find(options.source, "validation")
    if validation is None:
        raise UsageError(
            f"{options.source} has neither {official.VALIDATION_TAR} nor a folder val/: put it there, "
            "or use --train-only, which leaves no test split"
        )
    return {"train": train, "validation": validation}


def list_images(
    folder: Path, found: Mapping[str, ImageSource], kit: Devkit | None, parallel: Map
) -> tuple[list[str], dict[str, SplitLayout]]:
    """Save the listing of each split, and return the WNIDs, which are those of the training set, and the splits."""
    files_of = {"train": sources.list_by_class(found["train"], parallel)}
    wnids = sorted(set(files_of["train"]) - {""})
    unknown = sorted(set(wnids) - set(kit.words)) if kit else []
    if unknown:
        raise UsageError(f"{found['train'].path} has {unknown[0]}, which is not a class of the devkit: remove it")
    if "validation" in found:
        files_of["validation"] = validation_files(found["validation"], kit, parallel)
    tables = {split: sources.make_listing(files, wnids) for split, files in files_of.items()}
    empty = np.flatnonzero(np.bincount(tables["train"]["label"], minlength=len(wnids)) == 0)
    if len(empty) or not wnids:
        raise UsageError(f"{found['train'].path} has no images{f' of {wnids[empty[0]]}' if wnids else ''}")
    splits = {}
    for split, table in tables.items():
        splits[split] = describe_split(table, len(wnids), sources.ignored_files(files_of[split], wnids))
        with atomic_write(listing_path(folder, split)) as unfinished:
            np.save(unfinished, table)
    return wnids, splits


def validation_files(source: ImageSource, kit: Devkit | None, parallel: Map) -> Files:
    """Return the validation files by WNID.

    Raises:
        UsageError: If their classes are not known, or the folders they are sorted into disagree with the devkit.
    """
    if source.kind != "classes":
        if kit is None:
            raise UsageError(
                f"{source.path} does not give the classes of its images: put {official.DEVKIT}.tar.gz (2.5 MB, from "
                f"image-net.org) into {source.path.parent}"
            )
        return sources.list_by_number(source, kit.wnid_of)
    found = sources.list_by_class(source, parallel)
    for wnid, files in found.items() if kit else ():
        for name, *_ in files:
            number = sources.VALIDATION_NAME.fullmatch(name)
            if kit and number and int(number[1]) <= len(kit.ground_truth) and kit.wnid_of(int(number[1])) != wnid:
                raise UsageError(
                    f"{source.path}/{wnid}/{name}: its class is {kit.wnid_of(int(number[1]))} in the devkit; "
                    "move the file or remove the devkit"
                )
    return found


def describe_split(table: np.ndarray, classes: int, ignored: list[str]) -> SplitLayout:
    """Return the layout of a split without its number of shards, given its listing."""
    return SplitLayout(
        images=len(table),
        bytes=int(table["size"].sum()),
        per_class=np.bincount(table["label"], minlength=classes).tolist(),
        listing=hashlib.sha256(b"".join(table[name].tobytes() for name in ("name", "label", "size"))).hexdigest(),
        ignored={"files": len(ignored), "examples": sorted(ignored, key=by_kind)[:EXAMPLES]},
        shards=0,
    )


def by_kind(name: str) -> tuple[bool, str]:
    """Return a key that sorts names of ignored files, broken links first: the images that they stand for are missed."""
    return not name.endswith(sources.BROKEN_LINK), name


def with_shards(splits: Mapping[str, SplitLayout], requested: int | None) -> dict[str, SplitLayout]:
    """Return the splits with their numbers of shards.

    Args:
        splits: Splits by name.
        requested: Number of training shards; by default one for 5,005 images. Validation shards have the same size.
    """
    size = splits["train"].images / requested if requested else IMAGES_PER_SHARD
    return {
        name: replace(
            split, shards=requested if requested and name == "train" else max(1, math.ceil(split.images / size))
        )
        for name, split in splits.items()
    }


def blacklisted_names(options: PrepareOptions, kit: Devkit | None) -> list[str] | None:
    """Return the file names of blacklisted validation images; None if they are not known."""
    numbers = devkit.read_blacklist(options.blacklist) if options.blacklist else kit.blacklist if kit else None
    return None if numbers is None else [f"ILSVRC2012_val_{number:08d}.JPEG" for number in sorted(numbers)]
