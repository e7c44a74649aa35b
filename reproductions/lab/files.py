"""Files that are written whole or not at all, checksums, locked folders, and JSON that people can read."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reproductions.lab.errors import UsageError

UNFINISHED = ".unfinished-"


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
    try:
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        if backup and path.exists():
            os.replace(path, backup)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder."""
    for path in folder.glob(f"{UNFINISHED}*"):
        path.unlink(missing_ok=True)


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
        lock = (folder / lock_name).open("w", encoding="utf-8")
    except OSError as error:
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
    digest = hashlib.sha256()
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
