"""The workers of a distributed training, from TF_CONFIG or from Slurm's environment."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from reproductions.lab import json_files
from reproductions.lab.errors import UsageError
from reproductions.lab.training import slurm

DISTRIBUTED = ("auto", "multi-worker")  # strategies that use a cluster
EXAMPLE = '{"cluster": {"worker": ["host1:12345", "host2:12345"]}, "task": {"type": "worker", "index": 0}}'


@dataclass(frozen=True)
class Cluster:
    """The workers of a training, and which of them this process is.

    Attributes:
        index: Index of this worker, from 0.
        addresses: "host:port" of each worker; empty for a training without a cluster.
    """

    index: int = 0
    addresses: tuple[str, ...] = ()

    @property
    def workers(self) -> int:
        """Number of workers."""
        return max(1, len(self.addresses))

    @property
    def is_chief(self) -> bool:
        """Whether this is the first worker, which writes the files of the run and prints its progress."""
        return self.index == 0

    @property
    def tf_config(self) -> str:
        """The value of TF_CONFIG, from which TensorFlow reads the cluster."""
        task = {"type": "worker", "index": self.index}
        return json.dumps({"cluster": {"worker": list(self.addresses)}, "task": task})


def find_cluster(strategy: str) -> Cluster:
    """Return the cluster that the environment describes: in TF_CONFIG, or else in Slurm's variables.

    Args:
        strategy: Name of the strategy; "auto" and "multi-worker" also look for a Slurm step of several tasks.

    Raises:
        UsageError: If TF_CONFIG or Slurm's environment is invalid, or does not fit the strategy.
    """
    value = os.environ.get("TF_CONFIG")
    in_slurm = value is None and os.environ.get("SLURM_STEP_NUM_TASKS", "1") != "1"
    if value:
        found = parse_tf_config(value)
    else:
        found = Cluster(*slurm.addresses()) if in_slurm and strategy in DISTRIBUTED else Cluster()
    if found.workers > 1 and strategy not in DISTRIBUTED:
        raise UsageError(f"TF_CONFIG has {found.workers} workers, which --strategy {strategy} does not use: unset it")
    if found.workers == 1 and strategy == "multi-worker":
        raise UsageError("--strategy multi-worker needs the workers' addresses: set TF_CONFIG, or run under srun")
    return found


def parse_tf_config(value: str) -> Cluster:
    """Return the cluster that the value of TF_CONFIG describes.

    Raises:
        UsageError: If it is invalid, or has tasks other than workers.
    """
    try:
        config = json_files.parse(value.encode(errors="surrogateescape"), "it", "JSON")
        addresses, task = config["cluster"]["worker"], config["task"]
        if task["type"] != "worker" or set(config["cluster"]) != {"worker"}:
            raise ValueError("it has tasks of a type other than worker")
        if not 0 <= int(task["index"]) < len(addresses):
            raise ValueError(f"task index {task['index']} is not among its {len(addresses)} workers")
        return Cluster(int(task["index"]), tuple(addresses))
    except (UsageError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise UsageError(f"Invalid TF_CONFIG ({error}): expected a value such as {EXAMPLE}") from None
