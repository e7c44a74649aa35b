"""Detection of lost workers: every worker writes a heartbeat, and watches those of the others."""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import tensorflow as tf

from reproductions.lab.errors import UsageError
from reproductions.lab.files import open_regular, read_bytes
from reproductions.lab.training.cluster import Cluster

INTERVAL = 5.0  # seconds between heartbeats
TIMEOUT = 40.0  # seconds without a heartbeat after which a worker counts as lost
LONGEST = 100_000  # bytes of a heartbeat, which may have the message of an error
DONE, FAILED = "done", "failed: "
CONNECTION_ERRORS = (
    tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError,
)  # fmt: skip
# A lost connection only if they name another task: errors of this worker's own device have the same types.
POSSIBLE_CONNECTION_ERRORS = (tf.errors.InternalError, tf.errors.FailedPreconditionError, tf.errors.UnknownError)


class Heartbeat:
    """Heartbeats of all workers, in files of the run's folder, which they share.

    A worker that is killed breaks its connections, and the others raise. One that is stopped or unreachable does not,
    and the others would wait forever.

    Args:
        folder: Folder of the run.
        cluster: The workers.
        on_lost: Called with the index of a lost worker and the reason.
    """

    def __init__(self, folder: Path, cluster: Cluster, on_lost: Callable[[int, str], None]) -> None:
        self.folder, self.cluster, self.on_lost = folder, cluster, on_lost
        self.finished = threading.Event()

    def path(self, worker: int) -> Path:
        """Return the file of a worker."""
        return self.folder / f"worker{worker}.alive"

    def read(self, worker: int) -> str:
        """Return the last heartbeat of a worker, or an empty string."""
        try:
            return read_bytes(self.path(worker), LONGEST).decode(errors="replace")
        except (OSError, UsageError):
            return ""

    def write(self, text: str) -> None:
        """Write this worker's heartbeat, if the disk allows it."""
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with suppress(OSError, UsageError), open_regular(self.path(self.cluster.index), flags) as file:
            file.write(text.encode()[:LONGEST])

    def run(self) -> None:
        """Write heartbeats and watch the others until `finished` is set or a worker is lost."""
        # Measured by this worker's own clock: the clocks of two machines need not agree.
        last_seen: dict[int, tuple[str, float]] = {}
        others = [worker for worker in range(self.cluster.workers) if worker != self.cluster.index]
        earlier = {other: self.read(other) for other in others}  # until it changes, possibly of an earlier session
        for count in itertools.count():
            self.write(f"{os.getpid()} {count}")
            for other in others:
                text = self.read(other)
                changed = text != earlier[other]
                if changed and text.startswith(FAILED):
                    self.on_lost(other, text.removeprefix(FAILED))
                    return
                if (changed and text == DONE) or other not in last_seen or last_seen[other][0] != text:
                    last_seen[other] = text, time.monotonic()
                elif time.monotonic() - last_seen[other][1] > TIMEOUT:
                    self.on_lost(other, "it does not respond")
                    return
            if self.finished.wait(INTERVAL):
                return


def abort(message: str) -> None:
    """End the process at once with status 3: pending collective operations would wait for the lost worker."""
    print(f"\nreproduce: {message}", file=sys.stderr, flush=True)
    sys.stdout.flush()
    os._exit(3)


@contextmanager
def monitor_workers(folder: Path, cluster: Cluster, advice: Callable[[], str]) -> Iterator[None]:
    """End this worker with a message and status 3 as soon as another one is lost.

    At the end of the block, and if all are asked to stop, the other workers wait for the first, which has more to do:
    a worker that ends its process counts as lost.

    Args:
        folder: Folder of the run.
        cluster: The workers.
        advice: Returns what the user can do, for the message.
    """
    if cluster.workers == 1:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)

    def on_lost(other: int, reason: str) -> None:
        abort(f"worker {other} of {cluster.workers} is lost: {reason}; {advice()}")

    heartbeat = Heartbeat(folder, cluster, on_lost)
    heartbeat.write("")  # replaces that of an earlier session
    threading.Thread(target=heartbeat.run, daemon=True).start()
    last = DONE  # also if all were asked to stop
    try:
        try:
            yield
        finally:
            if not cluster.is_chief and not isinstance(sys.exc_info()[1], Exception):  # done, or asked to stop
                while heartbeat.read(0) != DONE:
                    time.sleep(0.2)
    except UsageError as error:
        last = FAILED + str(error)
        raise
    except (*CONNECTION_ERRORS, *POSSIBLE_CONNECTION_ERRORS) as error:
        if isinstance(error, POSSIBLE_CONNECTION_ERRORS) and "/task:" not in str(error):
            raise
        lines = str(error).strip().split("\n")
        reason = next((line for line in lines if "/task:" in line), lines[0]).strip()[:200]
        abort(f"the connection to another worker is lost ({reason}); {advice()}")
    except Exception as error:
        last = FAILED + repr(error)
        raise
    finally:
        heartbeat.finished.set()
        heartbeat.write(last)
