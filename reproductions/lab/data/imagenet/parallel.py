"""Worker processes that end when their parent does, however it ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Protocol, TypeVar

from reproductions.lab.errors import UsageError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Map(Protocol):
    """The builtin `map` of one iterable, or its equivalent over several processes."""

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterable[Result]:
        """Return the results of a function of each item, in order."""


def initialize_worker() -> None:
    """In a worker: ignore Ctrl-C, which the parent handles, and end when the parent has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


@contextmanager
def parallel_map(workers: int) -> Iterator[Map]:
    """Start worker processes.

    They are stopped at once if the block ends by an exception.

    Args:
        workers: Number of processes; 1 for this process alone.

    Yields:
        A `map` over the processes.

    Raises:
        UsageError: If a process is killed.
    """
    if workers == 1:
        yield map
        return
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=initialize_worker)

    def pool_map(function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
        # Not the pool's own map: it cancels futures when it is closed, on which a broken pool prints a traceback of
        # its thread.
        futures = deque(pool.submit(function, item) for item in items)
        while futures:
            yield futures.popleft().result()

    try:
        yield pool_map
        pool.shutdown()
    except BrokenProcessPool:
        raise UsageError(
            "a worker process was killed, perhaps because memory ran out: run the same command to resume; "
            "fewer --workers need less memory"
        ) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
