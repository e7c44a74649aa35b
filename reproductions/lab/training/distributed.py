"""Where a training runs: one device, all GPUs of a machine, or the workers of a cluster; and a watch on the workers."""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import tensorflow as tf

from reproductions.lab import environment
from reproductions.lab.errors import UsageError

BEAT, PATIENCE = 5.0, 40.0  # seconds between signs of life, and without one until a worker counts as lost
WAIT = 600.0  # seconds for all workers to come
LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)
# Of these only what names another task: a fault of one's own device has the same type.
PERHAPS = (tf.errors.InternalError, tf.errors.FailedPreconditionError, tf.errors.UnknownError)


def task() -> tuple[int, int]:
    """This process among the workers: (its number, how many there are), from TF_CONFIG; (0, 1) without."""
    told = os.environ.get("TF_CONFIG")
    if not told:
        return 0, 1
    try:
        config = json.loads(told)
        workers, here = config["cluster"]["worker"], config["task"]
        if here["type"] != "worker" or set(config["cluster"]) != {"worker"}:
            raise ValueError("it names tasks that are not of the type worker")
        if not 0 <= int(here["index"]) < len(workers):
            raise ValueError(f"task index {here['index']} is not among its {len(workers)} workers")
        return int(here["index"]), len(workers)
    except (ValueError, KeyError, TypeError) as error:
        wanted = '{"cluster": {"worker": ["host1:12345", "host2:12345"]}, "task": {"type": "worker", "index": 0}}'
        raise UsageError(f"TF_CONFIG is not as it should be ({error}); it should be like {wanted}") from None


def workers() -> list[str]:
    """The addresses of all workers, from TF_CONFIG."""
    return list(json.loads(os.environ["TF_CONFIG"])["cluster"]["worker"])


def found_from_slurm() -> None:
    """Sets TF_CONFIG from Slurm's environment, inside a step of several tasks where it is not set yet."""
    if "TF_CONFIG" in os.environ or int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) < 2:
        return
    tasks = int(os.environ["SLURM_STEP_NUM_TASKS"])
    # Jobs that share a node must not share a port.
    port = 20000 + int(os.environ.get("SLURM_JOB_ID", 0)) % 20000
    try:
        # GPUs are Slurm's to give: the numbers of them keep the resolver from asking for them itself.
        resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(
            {"worker": tasks}, port, gpus_per_node=tasks, gpus_per_task=1, auto_set_gpu=False
        )
        found = resolver.cluster_spec().as_dict()["worker"]
        index = resolver.get_task_info()[1]
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        raise UsageError(f"the workers cannot be found from Slurm's environment: {error}; set TF_CONFIG") from None
    os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": found}, "task": {"type": "worker", "index": index}})


def threads() -> dict[str, int]:
    """What a record tells of the threads; nothing where GPUs do the sums."""
    return {} if tf.config.list_physical_devices("GPU") else {"threads": environment.threads()}


def usable(gpus: int, batch: int, micro_batch_size: int | None) -> int:
    """The most devices that have equal shares of a batch, each of whole micro-batches."""
    return max((n for n in range(1, gpus + 1) if batch % (n * (micro_batch_size or 1)) == 0), default=1)


def strategy_for(name: str, batch: int, micro_batch_size: int | None = None) -> tf.distribute.Strategy:
    """The strategy of this name: auto, single, mirrored or multi-worker.

    `auto` is multi-worker where TF_CONFIG or Slurm names several workers; else it mirrors over as many GPUs as
    there are and have equal shares of a batch, of whole micro-batches. Raises UsageError where the batch does not
    divide over all devices.
    """
    if name in ("auto", "multi-worker"):
        found_from_slurm()
        if task()[1] > 1:
            # A proxy for the way out, if one is set, does not lead to the workers.
            os.environ["no_grpc_proxy"] = ",".join(address.rsplit(":", 1)[0] for address in workers())  # noqa: SIM112
            index, count = task()
            print(f"worker {index} of {count}: waiting for {', '.join(workers())}", flush=True)
            late = f"not all of the {count} workers came within {WAIT:.0f} s; see why, and start all again"
            waiting = threading.Timer(WAIT, leave, [late])
            waiting.daemon = True
            waiting.start()
            strategy = tf.distribute.MultiWorkerMirroredStrategy()
            waiting.cancel()
            if batch % strategy.num_replicas_in_sync:
                raise UsageError(f"a batch of {batch} does not divide over {strategy.num_replicas_in_sync} devices")
            return strategy
        if name == "multi-worker":
            raise UsageError("--strategy multi-worker needs the workers' addresses: set TF_CONFIG, or run under srun")
    elif task()[1] > 1:
        raise UsageError(f"TF_CONFIG names {task()[1]} workers, which --strategy {name} does not use: unset it")
    gpus = tf.config.list_logical_devices("GPU")
    if name == "auto":
        devices = gpus[: usable(len(gpus), batch, micro_batch_size)]
        if len(devices) < len(gpus):
            print(
                f"{len(devices)} of {len(gpus)} GPUs have equal shares of a batch, as the paper has them; "
                "--strategy mirrored takes all",
                flush=True,
            )
    else:
        devices = gpus or tf.config.list_logical_devices("CPU")
        if name == "mirrored" and batch % len(devices):
            raise UsageError(f"a batch of {batch} does not divide over {len(devices)} devices")
    if name == "mirrored" or (name == "auto" and len(devices) > 1):
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    return tf.distribute.get_strategy()


DONE, FAILED = "done", "failed: "


class Watch:
    """Signs of life of all workers, in files of the run's folder, which they share.

    A worker that is killed breaks its connections, and the others raise; one that is stopped or cut off
    does not, and they would wait for ever.
    """

    def __init__(self, folder: Path, lost: Callable[[int, str], None]) -> None:
        self.folder, self.lost = folder, lost
        self.index, self.workers = task()
        self.over = threading.Event()

    def sign(self, worker: int) -> Path:
        return self.folder / f"worker{worker}.alive"

    def run(self) -> None:
        # By this worker's own clock: the clocks of two machines need not agree.
        heard: dict[int, tuple[str, float]] = {}
        others = [worker for worker in range(self.workers) if worker != self.index]
        earlier = {other: self.told(other) for other in others}  # perhaps of an earlier sitting, until it changes
        for count in itertools.count():
            with suppress(OSError):
                self.sign(self.index).write_text(f"{os.getpid()} {count}")
            for other in others:
                told = self.told(other)
                fresh = told != earlier[other]
                if fresh and told.startswith(FAILED):
                    self.lost(other, told.removeprefix(FAILED))
                    return
                if (fresh and told == DONE) or other not in heard or heard[other][0] != told:
                    heard[other] = told, time.monotonic()
                elif time.monotonic() - heard[other][1] > PATIENCE:
                    self.lost(other, "it gives no sign of life")
                    return
            if self.over.wait(BEAT):
                return

    def told(self, worker: int) -> str:
        try:
            return self.sign(worker).read_text()
        except OSError:
            return ""


def leave(message: str) -> None:
    """Ends the process at once: the collective operations under way would keep it waiting for the lost worker."""
    print(f"\nreproduce: {message}", file=sys.stderr, flush=True)
    sys.stdout.flush()
    os._exit(3)


@contextmanager
def watching(folder: Path, advice: Callable[[], str]) -> Iterator[None]:
    """Ends this worker with a clear message, status 3, as soon as another one is found to be lost.

    At the end of the block, and where all are asked to stop, workers wait for the first, which has more to do: one
    that leaves counts as lost.
    """
    index, workers = task()
    if workers == 1:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        (folder / f"worker{index}.alive").write_text("")  # not what an earlier sitting left there
    watch = Watch(folder, lambda other, why: leave(f"worker {other} of {workers} is lost: {why}; {advice()}"))
    threading.Thread(target=watch.run, daemon=True).start()
    last = DONE  # also where all were asked to stop
    try:
        try:
            yield
        finally:
            if index and not isinstance(sys.exc_info()[1], Exception):  # done, or asked to stop
                while watch.told(0) != DONE:
                    time.sleep(0.2)
    except UsageError as error:
        last = FAILED + str(error)
        raise
    except (*LOST, *PERHAPS) as error:
        if isinstance(error, PERHAPS) and "/task:" not in str(error):
            raise
        lines = str(error).strip().split("\n")
        reason = next((line for line in lines if "/task:" in line), lines[0]).strip()[:200]
        leave(f"the connection to another worker is lost ({reason}); {advice()}")
    except Exception as error:
        last = FAILED + repr(error)
        raise
    finally:
        watch.over.set()
        with suppress(OSError):
            watch.sign(index).write_text(last)
