"""Session fixtures that are made once for all xdist workers of a test session."""

from __future__ import annotations

import fcntl
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")


def once_per_session(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str, name: str, make: Callable[[Path], T]
) -> T:
    """Return what `make` returns, called in one worker; the others wait for it and read the result.

    Args:
        tmp_path_factory: The fixture of this name.
        worker_id: The fixture of this name: "master" without xdist.
        name: Name of the folder, unique in the suite.
        make: Function that fills the empty folder it is given, and returns a value that can be pickled.
    """
    if worker_id == "master":
        return make(tmp_path_factory.mktemp(name))
    shared = tmp_path_factory.getbasetemp().parent
    folder, result = shared / name, shared / f"{name}.pickle"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not result.exists():
            shutil.rmtree(folder, ignore_errors=True)  # from a worker in which `make` failed
            folder.mkdir()
            result.write_bytes(pickle.dumps(make(folder)))
        value: T = pickle.loads(result.read_bytes())
        return value
