"""The processors of this machine, and the threads that share an operation: their number tells in the last bits."""

from __future__ import annotations

import os

THREADS = "TF_NUM_INTRAOP_THREADS"  # TensorFlow reads it when it finds its devices


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads() -> int:
    """The threads that share an operation: as many as asked for, or else one a core."""
    asked = os.environ.get(THREADS, "")
    return int(asked) if asked.isdigit() and int(asked) else cores()
