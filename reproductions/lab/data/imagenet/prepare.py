"""`reproduce data prepare imagenet`: from the official files to shards, going on where it was stopped.

A file is whole or not there; the manifest is written last, so that a folder with one is finished.
"""

from __future__ import annotations

import errno
import fcntl
import json
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

from reproductions.lab.data.imagenet import manifest, official
from reproductions.lab.data.imagenet.layout import (
    MOST_SHARDS,
    Options,
    Plan,
    check_room,
    check_whole,
    find_places,
    shards_of,
    survey,
)
from reproductions.lab.data.imagenet.parallel import Share, sharing
from reproductions.lab.data.imagenet.pixel_statistics import Sums
from reproductions.lab.data.imagenet.shards import WORK, Shard, make
from reproductions.lab.errors import UsageError
from reproductions.lab.files import atomic_write, remove_unfinished

# A stray broken picture is named and left out; more of them than this mean a damaged source.
MOST_UNDECODABLE = 10


def prepare(options: Options) -> Path:
    """Prepares the pictures and returns their folder; UsageError says what stands in the way."""
    if not options.source.is_dir():
        raise UsageError(f"--from names {options.source}, which is no folder")
    if options.shards is not None and not 1 <= options.shards <= MOST_SHARDS:
        raise UsageError(f"--shards must lie in 1..{MOST_SHARDS}, since all are kept open; got {options.shards}")
    if options.workers < 1:
        raise UsageError(f"--workers must be 1 or more; got {options.workers}")
    find_places(options)  # an incomplete source is refused before anything is written
    folder = options.folder
    try:
        (folder / WORK).mkdir(parents=True, exist_ok=True)
        with locked(folder / WORK / "lock"), sharing(options.workers) as share:
            for place in (folder, folder / WORK):
                remove_unfinished(place)
            (mend if (folder / manifest.NAME).is_file() else prepare_all)(options, share)
            shutil.rmtree(folder / WORK)
    except OSError as error:
        advice = "make room; " if error.errno == errno.ENOSPC else ""
        raise UsageError(
            f"{error.filename or folder}: {error.strerror}; {advice}the same command goes on where it stopped"
        ) from None
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps a second process from preparing the same folder."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another process is preparing {path.parent.parent}: wait for it") from None
        yield


def prepare_all(options: Options, share: Share) -> None:
    plan, shards = planned(options, share)
    check_whole(plan, options)
    check_room(plan, shards)
    made = {shard.name: shard for shard in shards}
    undecodable: list[list[str]] = []
    for name in shown(share(make, shards), len(shards)):
        with np.load(made[name].notes, allow_pickle=False) as notes:
            undecodable += notes["undecodable"].tolist()
        check_undecodable(undecodable, options)
    finish(options.folder, plan, shards)


def planned(options: Options, share: Share) -> tuple[Plan, list[Shard]]:
    print(f"Listing {options.source}", flush=True)
    plan, places = survey(options, share)
    for name, part in plan.parts.items():
        out = part["left_out"]
        print(f"{name}: {part['images']:,} pictures of {len(plan.classes):,} classes, {part['bytes'] / 1e9:.3f} GB")
        if out["files"]:
            such = ", ".join(out["such_as"])
            print(f"{name}: {out['files']:,} files left out, no pictures or of other classes, such as {such}")
    return plan, shards_of(plan, places, options)


def shown(names: Iterable[str], total: int) -> Iterator[str]:
    """The names of finished shards as they come, with a bar on a terminal, and elsewhere a line at each tenth."""
    console = Console(stderr=True)
    if console.is_terminal:
        with Progress(console=console) as progress:
            yield from progress.track(names, total=total, description="shards")
        return
    for number, name in enumerate(names, 1):
        if number * 10 // total > (number - 1) * 10 // total:
            print(f"{number} of {total} shards", file=sys.stderr, flush=True)
        yield name


def check_undecodable(found: list[list[str]], options: Options) -> None:
    if len(found) > MOST_UNDECODABLE:
        listed = ", ".join(f"{name} ({reason})" for name, reason in found)
        raise UsageError(
            f"more than {MOST_UNDECODABLE} pictures of {options.source} cannot be decoded: {listed}; "
            f"download it again, and delete {options.folder}"
        )


def finish(folder: Path, plan: Plan, shards: list[Shard]) -> None:
    """Indices, statistics and, last of all, the manifest, from the notes of the shards."""
    sums = Sums()
    parts = {name: finish_part(name, plan, [s for s in shards if s.part == name], sums) for name in plan.parts}
    save(folder / "statistics.npz", sums.statistics()._asdict())
    files = [f"index-{name}.npz" for name in plan.parts] + ["statistics.npz"]
    text = json.dumps({
        "format": manifest.FORMAT, "name": data_name(folder, plan, parts), "settings": plan.settings,
        "classes": plan.classes, "parts": parts, "blacklisted": plan.blacklisted,
        "files": {name: manifest.sha256(folder / name) for name in files},
    }, indent=1)  # fmt: skip
    with atomic_write(folder / manifest.NAME) as unfinished:
        unfinished.write_text(text + "\n")


def finish_part(name: str, plan: Plan, shards: list[Shard], sums: Sums) -> dict[str, Any]:
    """Writes the index of a part, adds to the sums, and returns what the manifest says of the part."""
    rows, listed = [], []
    odd: dict[str, list[list[str]]] = {"undecodable": [], "converted": []}
    for shard in shards:
        with np.load(shard.notes, allow_pickle=False) as notes:
            rows.append(notes["index"])
            sums.add_sums(notes["pictures"], notes["pixels"], notes["products"])
            size, sha256 = int(notes["bytes"]), str(notes["sha256"])
            listed.append({"file": shard.name, "bytes": size, "records": len(rows[-1]), "sha256": sha256})
            for kind in odd:
                odd[kind] = sorted(odd[kind] + notes[kind].tolist())
    check_counts(plan.parts[name], np.concatenate(rows)["label"], len(odd["undecodable"]))
    save(shards[0].folder / f"index-{name}.npz", index(rows, plan.blacklisted if name == "validation" else None))
    for picture, reason in odd["undecodable"]:
        print(f"{name}: {picture} cannot be decoded, and is left out: {reason}")
    return {**plan.parts[name], "shards": listed, **odd}


def check_counts(part: dict[str, Any], labels: np.ndarray, undecodable: int) -> None:
    """An error of this program, not of the user's: every picture of the source is in a shard, or is undecodable."""
    missing = np.array(part["per_class"]) - np.bincount(labels, minlength=len(part["per_class"]))
    if missing.min() < 0 or missing.sum() != undecodable:
        raise AssertionError(f"{missing.sum()} pictures are missing, {undecodable} of them undecodable")


def index(rows: list[np.ndarray], blacklisted: list[str] | None) -> dict[str, np.ndarray]:
    """Where each picture of a part is, in the order of names; `blacklisted` where it is known who is."""
    table = np.concatenate(rows)
    shard = np.repeat(np.arange(len(rows), dtype=np.int32), [len(own) for own in rows])
    order = np.lexsort((table["label"], table["name"]))
    arrays = {name: table[name][order] for name in ("name", "label", "offset", "length")} | {"shard": shard[order]}
    if blacklisted is not None:
        arrays["blacklisted"] = np.isin(arrays["name"], np.array(blacklisted, dtype=bytes))
    return arrays


def save(path: Path, arrays: dict[str, Any]) -> None:
    with atomic_write(path) as unfinished:
        np.savez_compressed(unfinished, **arrays)


def data_name(folder: Path, plan: Plan, parts: dict[str, Any]) -> str:
    """The name of the data set: ImageNet's only where every picture of it is there."""
    name = next(name for name, own in manifest.FOLDERS.items() if own == folder.name)
    kept = {part: sum(shard["records"] for shard in parts[part]["shards"]) for part in parts}
    whole = {"train": official.TRAIN_IMAGES, "validation": official.VALIDATION_IMAGES}
    return name if kept == whole and len(plan.classes) == official.CLASSES else f"{name}-subset"


def mend(options: Options, share: Share) -> None:
    """Makes shards again that are missing or of the wrong size; the source must be what it was."""
    folder = options.folder
    done = manifest.read(folder)
    misfits = manifest.misfits(folder, done)
    if not misfits:
        print(f"{folder} is prepared already; to prepare it anew, delete it")
        return
    plan, shards = planned(options, share)
    if difference := plan.differs(done):
        raise UsageError(f"{folder} cannot be mended: {difference}; delete it, and prepare it anew")
    again = [shard for shard in shards if shard.name in misfits]
    for shard in again:
        shard.path.unlink(missing_ok=True)
    wanted = {shard["file"]: shard["sha256"] for shard in manifest.shards(done)}
    for name in shown(share(make, again), len(again)):
        if manifest.sha256(folder / name) != wanted[name]:
            raise UsageError(f"{folder / name} came out different: delete {folder}, and prepare it anew")
        print(f"{folder / name} is made again")
