"""Where a training runs: on one device, on all GPUs of a machine, or on the workers of a cluster."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from reproductions.lab import environment
from reproductions.lab.errors import UsageError
from reproductions.lab.training import rendezvous
from reproductions.lab.training.cluster import Cluster

START_TIMEOUT = 600.0  # seconds for all workers to start

Sums = dict[str, tf.Tensor]


def recorded_threads(threads: int | None) -> int | None:
    """Return the number of intra-op threads to record: None if GPUs compute, else that asked for or one per core."""
    return None if tf.config.list_physical_devices("GPU") else threads or environment.cores()


def usable_devices(devices: int, batch_size: int, micro_batch_size: int | None) -> int:
    """Return the largest number of devices that have equal shares of a batch, each of whole micro-batches."""
    return max((n for n in range(1, devices + 1) if batch_size % (n * (micro_batch_size or 1)) == 0), default=1)


def create_strategy(
    name: str, cluster: Cluster, batch_size: int, micro_batch_size: int | None = None
) -> tf.distribute.Strategy:
    """Return a distribution strategy.

    Args:
        name: "auto", "single", "mirrored" or "multi-worker". "auto" is multi-worker in a cluster of several workers.
            Else it mirrors over as many GPUs as have equal shares of a batch, each of whole micro-batches.
        cluster: The workers.
        batch_size: Images per update, over all replicas together.
        micro_batch_size: Images per forward pass, if the recipe has it.

    Raises:
        UsageError: If the batch does not divide over all devices.
    """
    if cluster.workers > 1:
        return multi_worker_strategy(cluster, batch_size)
    gpus = tf.config.list_logical_devices("GPU")
    if name == "auto":
        devices = gpus[: usable_devices(len(gpus), batch_size, micro_batch_size)]
        if len(devices) < len(gpus):
            print(
                f"note: training uses {len(devices)} of {len(gpus)} GPUs, over which a batch divides equally; "
                "--strategy mirrored uses all",
                flush=True,
            )
    else:
        devices = gpus or tf.config.list_logical_devices("CPU")
        if name == "mirrored":
            check_divides(batch_size, len(devices))
    if name == "mirrored" or (name == "auto" and len(devices) > 1):
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    return tf.distribute.get_strategy()


def multi_worker_strategy(cluster: Cluster, batch_size: int) -> tf.distribute.Strategy:
    """Return the strategy of a cluster, once all of its workers have started.

    Raises:
        UsageError: If not all start in time, or the batch does not divide over all devices.
        Stopped: If the process is asked to stop meanwhile.
    """
    os.environ["TF_CONFIG"] = cluster.tf_config  # TensorFlow reads it
    # An HTTP proxy, if one is set, does not lead to the workers.
    os.environ["no_grpc_proxy"] = ",".join(address.rsplit(":", 1)[0] for address in cluster.addresses)  # noqa: SIM112
    print(f"worker {cluster.index} of {cluster.workers}: waiting for {', '.join(cluster.addresses)}", flush=True)
    rendezvous.meet(cluster, START_TIMEOUT)
    with rendezvous.bounded(START_TIMEOUT):
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    check_divides(batch_size, strategy.num_replicas_in_sync)
    return strategy


def check_divides(batch_size: int, devices: int) -> None:
    """Raise a UsageError unless a batch divides over the devices."""
    if batch_size % devices:
        raise UsageError(f"a batch of {batch_size} images does not divide over {devices} devices")


def summed_over_replicas(
    strategy: tf.distribute.Strategy, step: Callable[..., Sums]
) -> Callable[[tuple[tf.Tensor, ...]], Sums]:
    """Return a function that runs a step on every replica and returns the sums over all of them."""

    def run(batch: tuple[tf.Tensor, ...]) -> Sums:
        sums = strategy.run(step, args=batch)
        return {name: strategy.reduce("SUM", value, axis=None) for name, value in sums.items()}

    return run


class WorkerGroup:
    """All workers of a training, which agree on what to do next.

    Args:
        cluster: The workers.
        strategy: Their strategy.
    """

    def __init__(self, cluster: Cluster, strategy: tf.distribute.Strategy) -> None:
        self.cluster, self.strategy = cluster, strategy
        self._sum = tf.function(summed_over_replicas(strategy, lambda values: {"sum": values}))

    @property
    def is_single(self) -> bool:
        """Whether there is only one worker."""
        return self.cluster.workers == 1

    def check_same_state(self, epoch: int, step: int, folder: Path) -> None:
        """Check that all workers restored the same state.

        Raises:
            UsageError: If they are at different steps.
        """
        if self.is_single:
            return
        here = tf.constant([epoch, step], tf.int64)
        total, squares = self._sum((tf.stack([here, here**2]),))["sum"].numpy()
        # Only from sums, so that all workers come to the same conclusion: the variance must be zero.
        if (self.strategy.num_replicas_in_sync * squares != total**2).any():
            raise UsageError(
                f"the workers found different states in {folder}, which must be one folder that all of them share: "
                "name a shared folder with --run-dir"
            )

    def agree(self, stop_signal: int, save: bool) -> tuple[int, bool]:
        """Return the signal on which all workers stop, 0 for none, and whether the state is saved.

        Args:
            stop_signal: Signal that this worker received, or 0. SIGTERM at any worker takes precedence over SIGINT.
            save: Whether a save is due at this worker.
        """
        if self.is_single:
            return stop_signal, save
        here = tf.constant([float(stop_signal == signal.SIGTERM), float(stop_signal == signal.SIGINT), float(save)])
        terminate, interrupt, save_somewhere = self._sum((here,))["sum"].numpy()
        return signal.SIGTERM if terminate else signal.SIGINT if interrupt else 0, bool(save_somewhere)
