"""`reproduce data status` and `verify`: which data are where, without opening them and without TensorFlow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from reproductions.lab.data import base, cifar10, mnist, usps
from reproductions.lab.data.imagenet import manifest, official
from reproductions.lab.errors import UsageError

PREPARE = "`reproduce data prepare imagenet`"


def status(data_dir: Path | None) -> str:
    """Return one line about each data set, with advice on those that are missing.

    Args:
        data_dir: Folder to search; by default the one that REPRODUCTIONS_DATA names.
    """
    folder = base.data_folder(data_dir)
    head = f"searched {folder}" if folder else "no folder to search: neither --data-dir nor REPRODUCTIONS_DATA is set"
    found = {"mnist": mnist_status(folder), "usps": usps_status(folder), "cifar10": cifar10_status(folder)}
    found |= {name: imagenet_status(name, folder) for name in manifest.FOLDERS}
    return "\n".join([head, *(f"{name:20}{line}" for name, line in found.items())])


def mnist_status(folder: Path | None) -> str:
    """Return the status of MNIST in a folder and in Keras' cache."""
    for parent in (folder, base.keras_cache()):
        if parent is None:
            continue
        if (parent / mnist.NPZ).is_file():
            return f"found: {parent / mnist.NPZ}"
        idx = mnist.idx_files(parent)
        missing = [file for name, file in mnist.IDX_NAMES.items() if name not in idx]
        if idx:
            return (
                f"incomplete: {parent} lacks {', '.join(missing)}" if missing else f"found: four IDX files in {parent}"
            )
    return "missing: Keras downloads it when it is needed; without a network, a subset of 5,000 images is used"


def usps_status(folder: Path | None) -> str:
    """Return the status of the USPS ZIP code digits in a folder."""
    files = usps.locate(folder) if folder else {}
    if not files:
        return f"missing: {usps.DOWNLOAD}, into a data folder"
    parent = next(iter(files.values())).parent
    lacking = usps.missing(files)
    return f"incomplete: {parent} lacks {lacking[0]}" if lacking else f"found: two files in {parent}"


def cifar10_status(folder: Path | None) -> str:
    """Return the status of CIFAR-10 in a folder and in Keras' cache."""
    for parent in (folder, base.keras_cache()):
        if parent and (path := cifar10.locate(parent)):
            return f"found: {path}"
    if folder and (pickles := cifar10.locate_pickles(folder)):
        return f"refused: {pickles} contains pickles, which can run code; {cifar10.DOWNLOAD} and put it beside them"
    return f"missing: Keras downloads it when it is needed; or {cifar10.DOWNLOAD} into a data folder"


def imagenet_status(name: str, parent: Path | None) -> str:
    """Return the status of prepared ImageNet.

    Args:
        name: Key of `manifest.FOLDERS`.
        parent: Folder that has the prepared folder.
    """
    folder = parent / manifest.FOLDERS[name] if parent else None
    if folder is None or parent is None or not folder.is_dir():
        return f"missing: {advice(name, parent)}"
    if not (folder / manifest.NAME).is_file():
        shards = len(list(folder.glob("[!.]*.tfrecord")))
        return f"unfinished: {folder} has {shards} shards so far; run the same {PREPARE} to resume"
    try:
        done = manifest.read(folder)
    except UsageError as error:
        return f"damaged: {error}"
    if damaged := manifest.damaged_shards(folder, done):
        return (
            f"damaged: {', '.join(damaged)} in {folder} are missing or have the wrong size; delete them and run the "
            f"same {PREPARE} to repair them"
        )
    return f"found: {folder}, {summary(done)}"


def summary(done: manifest.Manifest) -> str:
    """Return name, classes, images and size of a prepared folder as text."""
    counts = ", ".join(
        f"{sum(shard['records'] for shard in split['shards']):,} {name}" for name, split in done["splits"].items()
    )
    size = sum(shard["bytes"] for shard in manifest.shards(done)) / 1e9
    note = "" if "validation" in done["splits"] else "; no test split (prepared with --train-only)"
    return f"{done['name']} of {len(done['classes']):,} classes, {counts}, {size:.3f} GB{note}"


def advice(name: str, parent: Path | None) -> str:
    """Return how to get ImageNet, given the official files that are already in a folder."""
    files = (official.TRAIN_TAR, official.VALIDATION_TAR, f"{official.DEVKIT}.tar.gz")
    present = [file for file in files if parent and (parent / file).is_file()]
    option = " --keep-originals" if name == "imagenet-originals" else ""
    source = parent if present else "DOWNLOADS"
    command = f"`reproduce data prepare imagenet --from {source} --to {parent or 'DATA_DIR'}{option}`"
    if len(present) == len(files):
        return f"the official files are in {parent}: run {command}"
    already = f"({', '.join(present)} is already in {parent}) " if present else ""
    return f"{official.DOWNLOAD}, {already}then run {command}"


def verify(folder: Path) -> list[str]:
    """Compare prepared files with their checksums.

    Args:
        folder: Prepared folder, or the one that has it.

    Returns:
        One sentence for each file that is missing or damaged, and advice; empty if there is none.

    Raises:
        UsageError: If there are no prepared data.
    """
    candidates = (folder, *(folder / name for name in manifest.FOLDERS.values()))
    folders = [each for each in candidates if (each / manifest.NAME).is_file()]
    if not folders:
        raise UsageError(f"{folder} has no prepared data: expected a {manifest.NAME} in it")
    with ThreadPoolExecutor() as threads:
        problems = [sentence for each in folders for sentence in manifest.verify(each, threads.map)]
    return [*problems, f"delete damaged shards and run the same {PREPARE} to repair them"] if problems else []
