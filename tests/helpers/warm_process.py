"""A process that has imported TensorFlow and forks, so that commands in processes of their own start at once."""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

MODULES = ("tensorflow", "keras", "pandas", "layers", "reproductions.cli.main", "reproductions.lab.training.train")
LARGEST = 2**20  # bytes of a request
AVAILABLE = hasattr(os, "pidfd_open")


@dataclass(frozen=True)
class Request:
    """A command: Python code, run in a folder with arguments and environment variables."""

    code: str
    arguments: list[str]
    folder: str
    environment: dict[str, str]


class Forked:
    """A process forked from the warm one, with the methods of `subprocess.Popen` that tests use."""

    def __init__(self, request: Request) -> None:
        reads, writes = zip(*(os.pipe() for _ in range(3)))
        socket.send_fds(warm(), [json.dumps(asdict(request)).encode()], writes)
        for descriptor in writes:
            os.close(descriptor)
        self.stdout, self.stderr, self.status = (os.fdopen(descriptor, encoding="utf-8") for descriptor in reads)
        self.returncode: int | None = None
        self.pid = int(self.status.readline())

    def poll(self) -> int | None:
        """Return the exit status, None while the process runs."""
        return self.returncode if has_ended(self.status, 0) is False else self.wait()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, and return the exit status, negative for a signal."""
        if self.returncode is None:
            if not has_ended(self.status, timeout):
                raise subprocess.TimeoutExpired("reproduce", timeout or 0)
            self.returncode = int(self.status.readline())
            self.status.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for the end, and return what is left of the outputs."""
        texts = ["", ""]

        def read(number: int, file: TextIO) -> None:
            with file:
                texts[number] = file.read()

        outputs = [pair for pair in enumerate((self.stdout, self.stderr)) if not pair[1].closed]
        readers = [threading.Thread(target=read, args=pair, daemon=True) for pair in outputs]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(timeout)
        self.wait(timeout)
        return texts[0], texts[1]

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the process."""
        self.send_signal(signal.SIGKILL)


def has_ended(status: TextIO, timeout: float | None) -> bool:
    """Return whether a process has written its exit status, waiting for it if need be."""
    if status.closed:
        return False
    with selectors.DefaultSelector() as selector:
        selector.register(status, selectors.EVENT_READ)
        return bool(selector.select(timeout))


@functools.cache
def warm() -> socket.socket:
    """Return the connection to the warm process, which ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    home = tempfile.mkdtemp()
    subprocess.Popen(
        [sys.executable, "-m", __name__, str(theirs.fileno())],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "KERAS_HOME": home},
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
    )
    theirs.close()
    return ours


def serve(connection: socket.socket) -> Request:
    """Fork a process for each request, and return the request in it; exit when the connection is closed."""
    running: dict[int, tuple[int, int]] = {}  # pid and status pipe by pidfd
    selector = selectors.DefaultSelector()
    selector.register(connection, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fd in running:
                selector.unregister(key.fd)
                report(*running.pop(key.fd))
                os.close(key.fd)
                continue
            message, descriptors, _, _ = socket.recv_fds(connection, LARGEST, 3)
            if not message:
                sys.exit()
            output, errors, status = descriptors
            if not (pid := os.fork()):
                os.dup2(output, 1)
                os.dup2(errors, 2)
                selector.close()
                connection.close()
                for descriptor in (*descriptors, *(pipe for _, pipe in running.values()), *running):
                    os.close(descriptor)
                return Request(**json.loads(message))
            os.close(output)
            os.close(errors)
            os.write(status, f"{pid}\n".encode())
            running[pidfd := os.pidfd_open(pid)] = pid, status
            selector.register(pidfd, selectors.EVENT_READ)


def report(pid: int, status: int) -> None:
    """Write the exit status of a process that has ended."""
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(BrokenPipeError):  # nobody waits for it
        os.write(status, f"{code}\n".encode())
    os.close(status)


def become(request: Request, environment: Mapping[str, str] = os.environ) -> None:
    """Take over a request's folder, environment and arguments, and open the outputs as Python does at its start."""
    os.chdir(request.folder)
    for name in set(environment) - set(request.environment):
        del os.environ[name]
    os.environ.update(request.environment)
    sys.argv = ["-c", *request.arguments]
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", 1, "utf-8", "backslashreplace", closefd=False)


if __name__ == "__main__":
    for module in MODULES:
        importlib.import_module(module)
    wanted = serve(socket.socket(fileno=int(sys.argv[1])))
    become(wanted)
    exec(wanted.code, {"__name__": "__main__"})
