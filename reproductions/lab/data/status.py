"""`reproduce data status` and `verify`: what data are where, without opening them and without TensorFlow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from reproductions.lab.data import base, cifar10, mnist
from reproductions.lab.data.imagenet import manifest, official
from reproductions.lab.errors import UsageError


def status(data_dir: Path | None) -> str:
    """A line or two about each data set, and what to do about those that are missing."""
    folder = base.data_folder(data_dir)
    head = f"looked in {folder}" if folder else "no folder to look in: neither --data-dir nor REPRODUCTIONS_DATA is set"
    found = {"mnist": digits(folder), "cifar10": cifar(folder)}
    found |= {name: imagenet(name, folder) for name in manifest.FOLDERS}
    return "\n".join([head, *(f"{name:20}{told}" for name, told in found.items())])


def digits(folder: Path | None) -> str:
    for place in (folder, base.keras_cache()):
        if place is None:
            continue
        if (place / "mnist.npz").is_file():
            return f"there: {place / 'mnist.npz'}"
        idx = mnist.idx_files(place)
        lacking = [file for name, file in mnist.IDX_NAMES.items() if name not in idx]
        if idx:
            return f"incomplete: {place} lacks {', '.join(lacking)}" if lacking else f"there: four IDX files in {place}"
    return "missing: Keras will download it when it is asked for; without a network, a subset of 5,000 images serves"


def cifar(folder: Path | None) -> str:
    for parent in (folder, base.keras_cache()):
        if parent and (there := cifar10.place(parent)):
            return f"there: {there}"
    if folder and (refused := cifar10.pickled(folder)):
        return f"refused: {refused} holds pickles, which can run code; {cifar10.DOWNLOAD} and put it beside them"
    return f"missing: Keras will download it when it is asked for; or {cifar10.DOWNLOAD} and put it there, as it is"


def imagenet(name: str, parent: Path | None) -> str:
    """Ready, with what is in it; unfinished; not as it was written; or missing, and what to do."""
    folder = parent / manifest.FOLDERS[name] if parent else None
    if folder is None or parent is None or not folder.is_dir():
        return f"missing: {advice(name, parent)}"
    if not (folder / manifest.NAME).is_file():
        made = len(list(folder.glob("[!.]*.tfrecord")))
        return f"unfinished: {folder} has {made} shards so far; the same `reproduce data prepare imagenet` goes on"
    try:
        done = manifest.read(folder)
    except UsageError as error:
        return f"damaged: {error}"
    if wrong := manifest.misfits(folder, done):
        again = "delete them and run the same `reproduce data prepare imagenet` to make them again"
        return f"damaged: in {folder}, {', '.join(wrong)} missing or not of the size they had; {again}"
    counts = ", ".join(
        f"{sum(shard['records'] for shard in part['shards']):,} {part_name}"
        for part_name, part in done["parts"].items()
    )
    size = sum(shard["bytes"] for shard in manifest.shards(done)) / 1e9
    note = "" if "validation" in done["parts"] else "; nothing to test on (prepared with --train-only)"
    return f"there: {folder}, {done['name']} of {len(done['classes']):,} classes, {counts}, {size:.3f} GB{note}"


def advice(name: str, parent: Path | None) -> str:
    files = (official.TRAIN_TAR, official.VALIDATION_TAR, f"{official.DEVKIT}.tar.gz")
    there = [file for file in files if parent and (parent / file).is_file()]
    options = " --keep-originals" if name == "imagenet-originals" else ""
    where = parent if there else "WHERE_THEY_ARE"
    command = f"`reproduce data prepare imagenet --from {where} --to {parent or 'DATA_DIR'}{options}`"
    if len(there) == len(files):
        return f"the official files are in {parent}: run {command}"
    had = f"({', '.join(there)} is in {parent} already) " if there else ""
    return f"{official.DOWNLOAD}, {had}then run {command}"


def verify(folder: Path) -> list[str]:
    """What is wrong with the prepared folders at or in `folder`, a sentence each, and what to do about it."""
    places = [place for place in (folder, *(folder / name for name in manifest.FOLDERS.values()))
              if (place / manifest.NAME).is_file()]  # fmt: skip
    if not places:
        raise UsageError(f"{folder} holds no prepared data: there is no {manifest.NAME} in it")
    with ThreadPoolExecutor() as threads:
        wrong = [sentence for place in places for sentence in manifest.verify(place, threads.map)]
    advice = "delete damaged shards and run the same `reproduce data prepare imagenet`, which makes them again"
    return [*wrong, advice] if wrong else []
