"""The start of a distributed training: workers wait for each other before TensorFlow does.

TensorFlow waits without a limit, and while it waits no Python code runs, so that neither a signal nor a timer in Python
could end the wait.
"""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from reproductions.lab.errors import UsageError
from reproductions.lab.training.cluster import Cluster
from reproductions.lab.training.stopping import StopRequest

INTERVAL = 0.5  # seconds between two attempts
BACKLOG = 128


def meet(cluster: Cluster, timeout: float) -> None:
    """Return once every other worker listens at its address, in this function or already in TensorFlow.

    Args:
        cluster: The workers.
        timeout: Seconds to wait for them.

    Raises:
        UsageError: If the address of this worker is in use, or another worker does not start in time.
        Stopped: If this process is asked to stop.
    """
    missing = [address for index, address in enumerate(cluster.addresses) if index != cluster.index]
    end = time.monotonic() + timeout
    with StopRequest("stopped while waiting for the other workers"), listening(cluster.addresses[cluster.index]):
        while missing := [address for address in missing if not answers(address)]:
            if time.monotonic() > end:
                raise UsageError(
                    f"no worker answered at {', '.join(missing)} within {timeout:.0f} s; "
                    "see the workers' output, and restart all of them"
                )
            time.sleep(INTERVAL)


def parse(address: str) -> tuple[str, int]:
    """Return the host and the port of "host:port".

    Raises:
        UsageError: If it is not of this form.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise UsageError(f"invalid address of a worker: expected host:port, got {address!r}")
    return host.strip("[]"), int(port)


@contextmanager
def listening(address: str) -> Iterator[None]:
    """Accept connections at the port of an address within the block.

    Raises:
        UsageError: If it is in use.
    """
    _, port = parse(address)
    family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    try:
        server = socket.create_server(
            ("", port), family=family, backlog=BACKLOG, dualstack_ipv6=family == socket.AF_INET6
        )
    except OSError as error:
        raise UsageError(f"this worker cannot listen at {address}: {error.strerror or error}") from None
    with server:
        yield


def answers(address: str) -> bool:
    """Return whether something listens at an address."""
    try:
        with socket.create_connection(parse(address), INTERVAL):
            return True
    except OSError:
        return False


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Let the system end this process if the block takes longer, and at signals: Python code may not get to run."""
    numbers = (signal.SIGALRM, signal.SIGTERM, signal.SIGINT)
    previous = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in previous.items():
            signal.signal(number, handler)
