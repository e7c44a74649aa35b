"""Files that are written whole or not at all, checksums, locked folders, and JSON that people can read."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from reproductions.lab.errors import UsageError

UNFINISHED = ".unfinished-"


def open_regular(path: Path, flags: int = os.O_RDONLY) -> BinaryIO:
    """Open a regular file; a pipe, on which a program would wait forever, or a device is not opened.

    Args:
        path: File to open.
        flags: Flags of `os.open`.

    Raises:
        OSError: If it cannot be opened.
        UsageError: If it is not a regular file.
    """
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UsageError(f"{path} is not a regular file: remove it")
    return os.fdopen(descriptor, "rb" if flags & os.O_ACCMODE == os.O_RDONLY else "r+b")


def read_bytes(path: Path, largest: int) -> bytes:
    """Return the content of a regular file, decompressed if its name ends in "gz".

    Args:
        path: File to read.
        largest: Most bytes that are expected, decompressed. No more are read.

    Raises:
        OSError, EOFError, zlib.error: If it cannot be read.
        UsageError: If it is larger, or not a regular file.
    """
    import gzip  # which `reproduce list` does not need

    packed = path.name.endswith("gz")
    with open_regular(path) as file, gzip.GzipFile(fileobj=file) if packed else file as unpacked:
        content = unpacked.read(largest + 1)
    if len(content) > largest:
        raise UsageError(f"{path} has more than {largest:,} bytes{', decompressed' * packed}")
    return content


@contextmanager
def atomic_write(path: Path, backup: Path | None = None) -> Iterator[Path]:
    """Replace a file in one step, once its new content is complete.

    Args:
        path: File to write.
        backup: Where the previous content of `path` is kept; by default it is not.

    Yields:
        Temporary path beside `path`, with the same suffix, to write to. It replaces `path` when the block ends without
        an exception, and is removed otherwise.
    """
    unfinished = path.with_name(f"{UNFINISHED}{os.getpid()}-{path.name}")
    unfinished.unlink(missing_ok=True)  # a link of this name would lead elsewhere
    try:
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        if backup and path.exists():
            os.replace(path, backup)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Make a folder in one step, once its content is complete.

    Args:
        path: Folder, which must not exist.

    Yields:
        Temporary path beside `path` for the folder, which becomes `path` when the block ends without an exception, and
        is removed otherwise.
    """
    unfinished = path.with_name(f"{UNFINISHED}{os.getpid()}-{path.name}")
    remove(unfinished)  # of a killed process that had the same number
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with its content, if it exists. Links are not followed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_unfinished(folder: Path, name: str = "*") -> None:
    """Remove the temporary files that killed processes left in a folder, of files whose names match `name`."""
    for path in folder.glob(f"{UNFINISHED}*-{name}"):
        remove(path)


@contextmanager
def written_to(folder: Path) -> Iterator[None]:
    """Write into a folder, which is made if it does not exist; but not the folder that it is in.

    So that a folder of a run that was deleted during a test does not come back with half of its files.

    Raises:
        UsageError: If it cannot be written.
    """
    try:
        folder.mkdir(exist_ok=True)
        yield
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to: {error.strerror or error}") from None


@contextmanager
def lock_directory(folder: Path, lock_name: str = "lock") -> Iterator[None]:
    """Hold a folder for this process. The system releases the lock however the process ends.

    Args:
        folder: Folder to lock; it is created if it does not exist.
        lock_name: Name of the lock file.

    Raises:
        UsageError: If another process holds the folder, or if it cannot be created or locked.
    """
    import fcntl  # only a training needs it, which systems other than POSIX lack

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open_regular(folder / lock_name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UsageError(f"{folder / lock_name} is a symbolic link, not a lock: remove it") from None
        raise UsageError(f"{folder} cannot be created or written to: {error.strerror or error}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise UsageError(f"{folder} cannot be locked: {error.strerror or error}") from None
            raise UsageError(f"another process uses {folder}: wait for it, or name another folder") from None
        yield


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return checksum(path, "sha256")


def checksum(path: Path, algorithm: str) -> str:
    """Return a checksum of a file, by an algorithm of `hashlib`."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_json(path: Path, data: object, width: int = 200) -> None:
    """Write a JSON file that reads well in a diff, atomically; see `format_json`."""
    with atomic_write(path) as unfinished:
        unfinished.write_text(format_json(data, width), encoding="utf-8")


def format_json(data: object, width: int = 200) -> str:
    """Return JSON that reads well in a diff: what fits on a line stays on one, and so does any list of numbers.

    Args:
        data: Value made of dictionaries with string keys, lists, strings, numbers, booleans and None.
        width: Longest line of nested values, in characters.
    """
    return _format(data, 0, width) + "\n"


def _format(data: object, indent: int, width: int) -> str:
    line = json.dumps(data, ensure_ascii=False)
    if not isinstance(data, (dict, list)) or len(line) + indent <= width:
        return line
    if isinstance(data, list) and not any(isinstance(item, (dict, list, str)) for item in data):
        return json.dumps(data, separators=(",", ":"))
    if isinstance(data, dict):
        items = [f"{json.dumps(key)}: {_format(item, indent + 1, width)}" for key, item in data.items()]
    else:
        items = [_format(item, indent + 1, width) for item in data]
    opening, closing = "{}" if isinstance(data, dict) else "[]"
    margin = " " * (indent + 1)
    return opening + "\n" + ",\n".join(margin + item for item in items) + "\n" + " " * indent + closing
