"""What is to be made of a source: its classes and pictures, whether that is all of ImageNet, and whether it fits."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reproductions.lab.data.imagenet import devkit, encode, official, sources
from reproductions.lab.data.imagenet.devkit import Devkit
from reproductions.lab.data.imagenet.parallel import Share
from reproductions.lab.data.imagenet.shards import WORK, Shard, cut, listing_path
from reproductions.lab.data.imagenet.sources import Place
from reproductions.lab.errors import UsageError
from reproductions.lab.files import atomic_write

# 256 shards of the training set: few enough to be kept open all at once, small enough to be made again.
PER_SHARD = 5_005
MOST_SHARDS = 512
PROBED = 48  # pictures that tell how large all of them will be
NOTES = 2 << 20  # bytes, at most, that the notes of a shard take while others are made
Part = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """What the user asks for; see `reproduce data prepare --help`."""

    source: Path
    to: Path
    originals: bool = False
    workers: int = 1
    shards: int | None = None
    train_only: bool = False
    subset: bool = False
    blacklist: Path | None = None

    @property
    def folder(self) -> Path:
        return self.to / ("imagenet-originals" if self.originals else "imagenet-256")


@dataclass(frozen=True)
class Plan:
    """All that decides what is written.

    `classes` are WNIDs in their order with their words ("" where there is no devkit). A part has its number of
    `images`, `per_class`, `shards`, the SHA-256 of its `listing`, and what was `left_out` of it. `blacklisted` are
    names of validation pictures.
    """

    settings: dict[str, Any]
    classes: list[dict[str, str]]
    parts: dict[str, Part]
    blacklisted: list[str] | None

    @property
    def wnids(self) -> list[str]:
        return [one["wnid"] for one in self.classes]

    def differs(self, other: Mapping[str, Any]) -> str | None:
        """What would make other bytes of pictures than those of `other`, a plan or a manifest as data; or None."""
        for name, value in self.settings.items():
            if other["settings"].get(name) != value:
                return f"{name} is {value} now, and was {other['settings'].get(name)}"
        if [one["wnid"] for one in other["classes"]] != self.wnids or set(other["parts"]) != set(self.parts):
            return "the source has other classes or parts"
        for name, part in self.parts.items():
            if other["parts"][name]["listing"] != part["listing"]:
                return f"the source's {name} pictures are others"
            if shard_count(other["parts"][name]) != part["shards"]:
                return f"{part['shards']} {name} shards are asked for, there are {shard_count(other['parts'][name])}"
        return None


def shard_count(part: Mapping[str, Any]) -> int:
    """The number of shards of a part of a plan, or of a manifest, which lists them."""
    return len(part["shards"]) if isinstance(part["shards"], list) else int(part["shards"])


def survey(options: Options, share: Share) -> tuple[Plan, dict[str, Place]]:
    """Lists the source into the work folder, or takes the listing that is there, and checks that it is in order."""
    places = find_places(options)
    kit = devkit.find(options.source)
    saved_at = options.folder / WORK / "plan.json"
    saved = json.loads(saved_at.read_text()) if saved_at.is_file() else None
    fingerprint = [[str(place.path), place.path.stat().st_size, place.path.stat().st_mtime_ns]
                   for place in places.values() if place.kind == "tar"]  # fmt: skip
    if saved and len(fingerprint) == len(places) and saved["fingerprint"] == fingerprint:
        classes, found = [one["wnid"] for one in saved["classes"]], saved["parts"]
        parts = {name: {**found[name], "shards": part["shards"]} for name, part in found.items()}
    else:
        classes, tables, out = list_all(places, kit, share)
        parts = {name: described(tables[name], len(classes), out[name]) for name in places}
        for name, table in tables.items():
            with atomic_write(listing_path(options.folder, name)) as unfinished:
                np.save(unfinished, table)
    set_shards(parts, options.shards)
    words = kit.words if kit else {}
    listed = [{"wnid": wnid, "words": words.get(wnid, "")} for wnid in classes]
    plan = Plan(encode.settings(options.originals), listed, parts, blacklisted(options, kit))
    if saved and (difference := plan.differs(saved)):
        raise UsageError(
            f"{options.folder} holds an unfinished preparation of another kind: {difference}; "
            "delete the folder, or name another with --to"
        )
    with atomic_write(saved_at) as unfinished:
        unfinished.write_text(json.dumps({**vars(plan), "fingerprint": fingerprint}))
    return plan, places


def find_places(options: Options) -> dict[str, Place]:
    """Where each part lies; UsageError where one is missing."""
    train = sources.find(options.source, "train")
    if train is None:
        raise UsageError(
            f"{options.source} holds neither {official.TRAIN_TAR} nor a folder train/; {official.DOWNLOAD}"
        )
    if options.train_only:
        return {"train": train}
    validation = sources.find(options.source, "validation")
    if validation is None:
        raise UsageError(
            f"{options.source} holds neither {official.VALIDATION_TAR} nor a folder val/: put it there, "
            "or say --train-only (there is nothing to test on, then)"
        )
    return {"train": train, "validation": validation}


def list_all(
    places: Mapping[str, Place], kit: Devkit | None, share: Share
) -> tuple[list[str], dict[str, np.ndarray], dict[str, list[str]]]:
    """Classes, a listing of each part, and the files that are left out of each. The training set has the classes."""
    files_of = {"train": sources.by_class(places["train"], share)}
    classes = sorted(set(files_of["train"]) - {""})
    strange = sorted(set(classes) - set(kit.words)) if kit else []
    if strange:
        raise UsageError(f"{places['train'].path} holds {strange[0]}, which is no class of the devkit")
    if "validation" in places:
        files_of["validation"] = validation_files(places["validation"], kit, share)
    tables = {part: sources.listing(files, classes) for part, files in files_of.items()}
    empty = np.flatnonzero(np.bincount(tables["train"]["label"], minlength=len(classes)) == 0)
    if len(empty) or not classes:
        raise UsageError(f"{places['train'].path} holds no pictures{f' of {classes[empty[0]]}' if classes else ''}")
    return classes, tables, {part: sources.left_out(files, classes) for part, files in files_of.items()}


def validation_files(place: Place, kit: Devkit | None, share: Share) -> dict[str, list[sources.Member]]:
    """WNID to files; where they are sorted into folders and there is a devkit, the two must agree."""
    if place.kind != "classes":
        if kit is None:
            raise UsageError(
                f"{place.path} says nothing about classes: put {official.DEVKIT}.tar.gz (2.5 MB, from image-net.org) "
                f"into {place.path.parent}"
            )
        return sources.by_number(place, kit.wnid_of)
    found = sources.by_class(place, share)
    for wnid, files in found.items() if kit else ():
        for name, *_ in files:
            number = sources.VALIDATION_NAME.fullmatch(name)
            if kit and number and int(number[1]) <= len(kit.truth) and kit.wnid_of(int(number[1])) != wnid:
                raise UsageError(f"{place.path}/{wnid}/{name} is of {kit.wnid_of(int(number[1]))}, says the devkit")
    return found


def described(table: np.ndarray, classes: int, out: list[str]) -> Part:
    return {
        "images": len(table),
        "bytes": int(table["size"].sum()),
        "per_class": np.bincount(table["label"], minlength=classes).tolist(),
        "listing": hashlib.sha256(b"".join(table[name].tobytes() for name in ("name", "label", "size"))).hexdigest(),
        "left_out": {"files": len(out), "such_as": sorted(out)[:3]},
    }


def set_shards(parts: Mapping[str, Part], asked: int | None) -> None:
    """As many training shards as asked for, or of 5,005 pictures each, and validation shards of the same size."""
    per_shard = parts["train"]["images"] / asked if asked else PER_SHARD
    for name, part in parts.items():
        part["shards"] = asked if asked and name == "train" else max(1, math.ceil(part["images"] / per_shard))


def blacklisted(options: Options, kit: Devkit | None) -> list[str] | None:
    numbers = devkit.blacklist(options.blacklist) if options.blacklist else kit.blacklist if kit else None
    return None if numbers is None else [f"ILSVRC2012_val_{number:08d}.JPEG" for number in sorted(numbers)]


def check_whole(plan: Plan, options: Options) -> None:
    """UsageError where a source of all 1,000 classes lacks pictures, unless it is said to be a subset."""
    if len(plan.classes) != official.CLASSES or options.subset:
        return
    low, high = official.TRAIN_PER_CLASS
    expected = {
        "train": (official.TRAIN_IMAGES, low, high),
        "validation": (official.VALIDATION_IMAGES, *2 * (official.VALIDATION_PER_CLASS,)),
    }
    for name, part in plan.parts.items():
        images, fewest, most = expected[name]
        if part["images"] != images:
            wrong = f"has {part['images']:,} {name} pictures, where ImageNet has {images:,}"
        elif min(part["per_class"]) < fewest or max(part["per_class"]) > most:
            wrong = f"has {min(part['per_class'])} to {max(part['per_class'])} {name} pictures a class, not as ImageNet"
        else:
            continue
        raise UsageError(
            f"{options.source} has ImageNet's 1,000 classes but {wrong}: "
            "complete it, or say --subset if it is meant to be a part"
        )


def check_room(plan: Plan, shards: list[Shard]) -> None:
    """UsageError where the disk has less room than what is still to be written needs, judged from a few pictures."""
    left = [shard for shard in shards if not shard.finished()]
    read = sum(int(shard.rows()["size"].sum()) for shard in left)
    needed = int(1.05 * growth(shards) * read) + NOTES * len(left)
    folder = shards[0].folder
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UsageError(
            f"{folder} has {free / 1e9:,.3f} GB free, and the preparation needs about {needed / 1e9:,.3f} GB more: "
            "make room, or name another folder with --to"
        )


def growth(shards: list[Shard]) -> float:
    """Bytes written for a byte read, over the first pictures of the listing, which come in no order."""
    read = written = 0
    shard = next(shard for shard in shards if shard.last > shard.first)
    for row in shard.rows()[:PROBED]:
        data = shard.place.read(row, shard.classes[row["label"]])
        try:
            written += len(encode.prepared(data, shard.originals).encoded) + 300  # with the rest of the example
            read += len(data)
        except encode.Undecodable:
            continue
    return written / read if read else 1.0


def shards_of(plan: Plan, places: Mapping[str, Place], options: Options) -> list[Shard]:
    """The shards of all parts, each with its rows of the listing."""
    made, folder, classes = [], options.folder, tuple(plan.wnids)
    for name, part in plan.parts.items():
        keys, count = np.load(listing_path(folder, name), mmap_mode="r")["key"], part["shards"]
        for number, (first, last) in enumerate(cut(keys, count)):
            made.append(Shard(folder, name, number, count, first, last, places[name], classes, options.originals))
    return made
