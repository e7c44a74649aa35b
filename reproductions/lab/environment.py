"""The processors of this machine, the threads that TensorFlow uses on them, and Keras' settings."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reproductions.lab.errors import UsageError

SUITE = Path(__file__).parents[2]  # the folder with the packages
BACKEND, DATA_FORMAT, FLOATX = "tensorflow", "channels_last", "float32"


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


def set_keras_defaults() -> None:
    """Set what papers' builders rely on, whatever ~/.keras/keras.json says: channels last, and float32.

    A dtype policy that somebody has chosen is kept.
    """
    import keras  # this module is also imported where Keras is not needed

    if keras.config.dtype_policy().name == keras.config.floatx():
        keras.config.set_dtype_policy(FLOATX)
    keras.config.set_floatx(FLOATX)
    keras.config.set_image_data_format(DATA_FORMAT)


@contextmanager
def keras_defaults() -> Iterator[None]:
    """Set Keras' defaults within the block, for builders that are called in somebody else's process."""
    import keras

    before = keras.config.dtype_policy(), keras.config.floatx(), keras.config.image_data_format()
    set_keras_defaults()
    try:
        yield
    finally:
        policy, floatx, data_format = before
        keras.config.set_dtype_policy(policy)
        keras.config.set_floatx(floatx)
        keras.config.set_image_data_format(data_format)


def set_up_keras() -> None:
    """Set Keras' defaults for the rest of the process, which trains or tests.

    Raises:
        UsageError: If this process uses Keras on another backend than TensorFlow.
    """
    import keras

    if keras.config.backend() != BACKEND:
        raise UsageError(
            f"training and testing run on TensorFlow, and this process uses Keras on {keras.config.backend()}: "
            f"set KERAS_BACKEND={BACKEND}; networks can be built on every backend"
        )
    set_keras_defaults()


def set_threads(threads: int | None, default: int | None = None) -> int:
    """Set up Keras and TensorFlow's number of intra-op threads, on which the last bits of a result depend on a CPU.

    Args:
        threads: Number of threads; None for the default, or for that with which TensorFlow already runs.
        default: Default number; by default one per core.

    Returns:
        The number of threads.

    Raises:
        UsageError: If the number is not positive, or TensorFlow already runs with another one, which cannot be changed.
    """
    check_threads(threads)
    set_up_keras()
    import tensorflow as tf  # this module is also imported where TensorFlow is not needed

    chosen = threads or default or cores()
    try:
        tf.config.threading.set_intra_op_parallelism_threads(chosen)
    except RuntimeError:
        current = int(tf.config.threading.get_intra_op_parallelism_threads()) or cores()
        if threads not in (None, current):
            raise UsageError(
                f"this process already runs TensorFlow with {current} threads, not {threads}: "
                "use --threads in a new process"
            ) from None
        return current
    return chosen
