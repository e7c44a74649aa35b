"""Processes that share the work, and that end when the one that started them does, however it does."""

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
from typing import Any

from reproductions.lab.errors import UsageError

Share = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


def begin() -> None:
    """In a worker: leaves Ctrl-C to the parent, and follows it when it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


@contextmanager
def sharing(workers: int) -> Iterator[Share]:
    """A `map` whose results come in order, over so many processes; with one worker, in this one.

    Where the block ends early, the processes are stopped at once. UsageError where one of them dies.
    """
    if workers == 1:
        yield map
        return
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=begin)

    def shared(work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        # Not the pool's own map: it gives futures up when it is closed, on which the pool, found broken, ends in a
        # traceback of its thread.
        futures = deque(pool.submit(work, item) for item in items)
        while futures:
            yield futures.popleft().result()

    try:
        yield shared
        pool.shutdown()
    except BrokenProcessPool:
        raise UsageError(
            "a worker was killed, perhaps for want of memory: the same command goes on where it stopped; "
            "fewer --workers need less"
        ) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
