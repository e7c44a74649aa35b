"""Several workers for one search: keras-tuner's chief in this process, and processes that ask it for settings."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Literal

from reproductions.lab import environment
from reproductions.lab.errors import UsageError

LOCALHOST = "127.0.0.1"
MAX_RESTARTS = 3
STOP_TIMEOUT = 60  # seconds
# Unlike `python -m`, without the current folder first on the path: it may have modules of the same names.
START = "import sys; sys.path.remove(''); from reproductions.cli.main import main; main()"
IP, PORT, TUNER_ID = "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT", "KERASTUNER_TUNER_ID"


@dataclass(frozen=True)
class TunerProcess:
    """This process among those of a search.

    Attributes:
        role: "chief" serves the oracle, "worker" asks it for settings, and "single" does both without others.
        name: Name of the process.
    """

    role: Literal["single", "chief", "worker"] = "single"
    name: str = "tuner0"


def tuner_process() -> TunerProcess:
    """Return what keras-tuner's environment variables make of this process.

    Raises:
        UsageError: If only some of them are set.
    """
    name = os.environ.get(TUNER_ID, TunerProcess.name)
    if IP not in os.environ:
        return TunerProcess(name=name)
    for variable in (PORT, TUNER_ID):
        if variable not in os.environ:
            raise UsageError(f"{IP} is set, but {variable} is not: set all of {IP}, {PORT} and {TUNER_ID}, or none")
    # An HTTP proxy, if one is set, does not lead to the chief.
    os.environ["no_grpc_proxy"] = os.environ[IP]  # noqa: SIM112
    return TunerProcess("chief" if "chief" in name else "worker", name)


def become_chief() -> TunerProcess:
    """Make this process the chief of a search on this machine: keras-tuner reads its environment."""
    os.environ.update({IP: LOCALHOST, PORT: str(free_port()), TUNER_ID: "chief"})
    return tuner_process()


def gpus() -> int:
    """Return the number of GPUs."""
    import tensorflow as tf  # this module is also imported before arguments are checked

    return len(tf.config.list_physical_devices("GPU"))


def free_port() -> int:
    """Return a port that no process uses."""
    with socket.socket() as found:
        found.bind((LOCALHOST, 0))
        return int(found.getsockname()[1])


def exit_with_parent(parent: int) -> None:
    """End this worker if its chief is killed; it would wait for settings for an hour. Its state is saved every epoch.

    Args:
        parent: Process ID of the chief, the parent of this process.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(3)

    threading.Thread(target=watch, daemon=True).start()


def threads_per_worker(threads: int | None, size: int) -> int | None:
    """Return the intra-op threads of each worker: those asked for, or on a CPU its share of the cores.

    Args:
        threads: Number asked for.
        size: Number of workers.
    """
    if threads is not None or gpus():
        return threads
    return max(1, environment.cores() // size)


class WorkerPool:
    """Workers in separate processes, each with a log; a killed one is restarted under its name.

    Args:
        arguments: Arguments of `reproduce` in each worker.
        size: Number of workers.
        folder: Folder of the logs.
    """

    def __init__(self, arguments: Sequence[str], size: int, folder: Path) -> None:
        self.arguments, self.folder, self.restarts = arguments, folder, MAX_RESTARTS
        self.gpus = gpus()
        self.processes = {number: self.start(number) for number in range(size)}

    def log(self, number: int) -> Path:
        """Return the log of a worker."""
        return self.folder / f"worker{number}.log"

    def start(self, number: int) -> subprocess.Popen:
        """Start a worker."""
        variables = {TUNER_ID: f"worker{number}"}
        if self.gpus:
            visible = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(self.gpus)))).split(",")
            variables |= {"CUDA_VISIBLE_DEVICES": visible[number % self.gpus], "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
        search_path = str(environment.SUITE), os.environ.get("PYTHONPATH")
        with self.log(number).open("a", encoding="utf-8") as log:
            return subprocess.Popen(
                [sys.executable, "-c", START, *self.arguments, "--parent", str(os.getpid())],
                env={**os.environ, **variables, "PYTHONPATH": os.pathsep.join(filter(None, search_path))},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C goes to this process only, which passes it on once
            )

    def is_working(self) -> bool:
        """Return whether any worker is running, after restarting those that were killed.

        Raises:
            UsageError: If a worker failed, or too many were killed.
        """
        for number, process in self.processes.items():
            status = process.poll()
            if status is None or status == 0:
                continue
            if status > 0 or not self.restarts:
                log = self.log(number)
                last_line = "".join(log.read_text(encoding="utf-8").strip().splitlines()[-1:])
                raise UsageError(f"worker {number} ended with status {status} ({last_line}); see {log}")
            self.restarts -= 1
            print(f"worker {number} was killed by signal {-status}; restarting it", flush=True)
            self.processes[number] = self.start(number)
        return any(process.poll() is None for process in self.processes.values())

    def stop(self) -> None:
        """Ask all workers to stop, which they do after saving their state."""
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in self.processes.values():
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()


def run_pool(chief: Callable[[], None], create_pool: Callable[[], WorkerPool], on_tick: Callable[[], None]) -> None:
    """Run a search with a pool of workers until they have finished. However it ends, they are stopped.

    Args:
        chief: Serves the oracle; runs in a thread.
        create_pool: Starts the workers.
        on_tick: Called every second.

    Raises:
        UsageError: If the chief or a worker fails.
    """

    def terminate(number: int, frame: FrameType | None) -> None:
        raise SystemExit(143)

    serving = threading.Thread(target=chief, daemon=True)
    previous = signal.signal(signal.SIGTERM, terminate)
    serving.start()
    pool = create_pool()
    chief_alive = time.monotonic()
    try:
        while pool.is_working():
            if serving.is_alive():
                chief_alive = time.monotonic()
            elif time.monotonic() - chief_alive > STOP_TIMEOUT:  # after the last trial workers take a moment to exit
                raise UsageError(f"the chief of the search ended before its workers; see {pool.log(0)}")
            on_tick()
            time.sleep(1)
        on_tick()
    finally:
        pool.stop()
        signal.signal(signal.SIGTERM, previous)
