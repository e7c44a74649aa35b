"""Several workers on one search: keras-tuner's chief in this process, and processes that ask it for settings."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

import tensorflow as tf

from reproductions.lab import environment
from reproductions.lab.errors import UsageError

HERE = "127.0.0.1"
RESTARTS = 3
PARENT = "REPRODUCE_TUNE_PARENT"


def free_port() -> int:
    with socket.socket() as found:
        found.bind((HERE, 0))
        return int(found.getsockname()[1])


def role() -> str:
    """What keras-tuner's variables make of this process: "chief", "worker", or "alone" without them."""
    if "KERASTUNER_ORACLE_IP" not in os.environ:
        return "alone"
    for name in ("KERASTUNER_ORACLE_PORT", "KERASTUNER_TUNER_ID"):
        if name not in os.environ:
            raise UsageError(f"KERASTUNER_ORACLE_IP is set, and {name} is not: set all three, or none")
    # A proxy for the way out, if one is set, does not lead to the chief.
    os.environ["no_grpc_proxy"] = os.environ["KERASTUNER_ORACLE_IP"]  # noqa: SIM112
    return "chief" if "chief" in os.environ["KERASTUNER_TUNER_ID"] else "worker"


def become_chief() -> None:
    address = {"KERASTUNER_ORACLE_IP": HERE, "KERASTUNER_ORACLE_PORT": str(free_port()), "KERASTUNER_TUNER_ID": "chief"}
    os.environ.update(address)
    role()


def leave_with_parent() -> None:
    """Ends a worker whose chief was killed: it would wait an hour for settings. Its state is saved after each pass."""
    parent = os.environ.get(PARENT)
    if parent is None:
        return

    def watch() -> None:
        while os.getppid() == int(parent):
            time.sleep(1)
        os._exit(3)

    threading.Thread(target=watch, daemon=True).start()


class Crew:
    """Workers in processes of their own, each with its log; one that is killed is started again under its name."""

    def __init__(self, words: Sequence[str], size: int, folder: Path) -> None:
        self.words, self.size, self.folder, self.restarts = words, size, folder, RESTARTS
        self.gpus = len(tf.config.list_physical_devices("GPU"))
        self.processes = {number: self.start(number) for number in range(size)}

    def log(self, number: int) -> Path:
        return self.folder / f"worker{number}.log"

    def start(self, number: int) -> subprocess.Popen:
        own = {"KERASTUNER_TUNER_ID": f"worker{number}", PARENT: str(os.getpid())}
        if self.gpus:
            visible = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(self.gpus)))).split(",")
            own |= {"CUDA_VISIBLE_DEVICES": visible[number % self.gpus], "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
        elif environment.THREADS not in os.environ:  # else all workers' threads are in each other's way
            own |= {environment.THREADS: str(max(1, environment.cores() // self.size))}
        with self.log(number).open("a") as log:
            # In a session of its own: Ctrl-C is for this process, which passes it on once.
            return subprocess.Popen(
                [sys.executable, "-m", "reproductions", *self.words], env={**os.environ, **own},
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def working(self) -> bool:
        """Whether anyone still is. UsageError where one gave up, or was killed once too often."""
        for number, process in self.processes.items():
            status = process.poll()
            if status is None or status == 0:
                continue
            if status > 0 or not self.restarts:
                words = self.log(number).read_text().strip().splitlines()[-1:]
                raise UsageError(
                    f"worker {number} ended with status {status} ({''.join(words)}); see {self.log(number)}"
                )
            self.restarts -= 1
            print(f"worker {number} was killed by signal {-status}: it is started again", flush=True)
            self.processes[number] = self.start(number)
        return any(process.poll() is None for process in self.processes.values())

    def stop(self) -> None:
        """Asks all to stop, which they do after a step, their state saved."""
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in self.processes.values():
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def search(chief: Callable[[], None], crew: Callable[[], Crew], look: Callable[[], None]) -> None:
    """Runs the chief, the crew, and `look` every second, until the crew is done. At any other end it is stopped."""

    def terminated(number: int, frame: FrameType | None) -> None:
        raise SystemExit(143)

    serving = threading.Thread(target=chief, daemon=True)
    before = signal.signal(signal.SIGTERM, terminated)
    serving.start()
    workers = crew()
    try:
        while workers.working():
            if not serving.is_alive():
                raise UsageError(f"the chief of the search ended before its workers; see {workers.log(0)}")
            look()
            time.sleep(1)
        look()
    finally:
        workers.stop()
        signal.signal(signal.SIGTERM, before)
