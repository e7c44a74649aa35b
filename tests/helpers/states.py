"""The saved states of trainings, looked into by several tests."""

import json
from pathlib import Path

import numpy as np

from reproductions.lab.results import run_record

# To be run before a training: the processor as two devices.
TWO_DEVICES = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
"""


def position(state: Path) -> tuple[int, int]:
    """The whole passes and the further steps that a state file, if there is one, has behind it."""
    try:
        with np.load(state) as file:
            at = json.loads(file["told"].tobytes())["at"]
            return len(at["rows"]), at["step"]
    except FileNotFoundError:
        return 0, 0


def variables(run: Path) -> list[np.ndarray]:
    with np.load(run / "state.npz") as file:
        return [file[f"variable{i}"] for i in range(len(file.files) - 1)]


def assert_the_same(run: Path, undisturbed: Path) -> None:
    for one, other in zip(variables(run), variables(undisturbed), strict=True):
        np.testing.assert_array_equal(one, other)
    one, other = [run_record.read(folder / "record.json").without_times() for folder in (run, undisturbed)]
    assert one == other
