"""The processors of this machine, and the threads that TensorFlow uses on them."""

from __future__ import annotations

import os
import platform

from reproductions.lab.errors import UsageError


def cores() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processors() -> str:
    """Return a description of the processors, as records name the device."""
    return f"{cores()} CPU {'core' if cores() == 1 else 'cores'}, {platform.machine()}"


def check_threads(threads: int | None) -> None:
    """Raise UsageError if the number of threads that is asked for is not positive."""
    if threads is not None and threads < 1:
        raise UsageError(f"--threads must be at least 1; got {threads}")


def set_threads(threads: int | None) -> None:
    """Set the number of TensorFlow's intra-op threads, on which the last bits of a result depend on a CPU.

    Args:
        threads: Number of threads; None for one per core.

    Raises:
        UsageError: If the number is not positive, or TensorFlow already runs with another one, which cannot be changed.
    """
    check_threads(threads)
    import tensorflow as tf  # this module is also imported where TensorFlow is not needed

    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads or cores())
    except RuntimeError:
        current = tf.config.threading.get_intra_op_parallelism_threads() or cores()
        if current != (threads or cores()):
            raise UsageError(
                f"this process already runs TensorFlow with {current} threads, not {threads or cores()}: "
                "use --threads in a new process"
            ) from None
