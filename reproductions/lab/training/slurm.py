"""The tasks of a Slurm step and the machines they run on, from Slurm's environment variables."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
from collections.abc import Iterator, Mapping

from reproductions.lab.errors import UsageError

MAX_NODES = 100_000
SCONTROL_TIMEOUT = 10  # seconds
# Comma-separated parts of a list of nodes; commas within brackets belong to a part.
PART = re.compile(r"(?:[^\[\],\s]+|\[[^\[\]]*\])+")
PIECE = re.compile(r"[^\[\]]+|\[[^\[\]]*\]")
RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")
TASKS = re.compile(r"(\d{1,6})(?:\(x(\d{1,6})\))?")


def hostnames(nodes: str) -> list[str]:
    """Return the names in a list of nodes, in Slurm's order.

    Args:
        nodes: List as in SLURM_STEP_NODELIST, such as "login,node[9-11],rack[0-1]-n[0-1]".

    Raises:
        ValueError: If it is not such a list.
    """
    parts = PART.findall(nodes)
    if ",".join(parts) != nodes or not nodes:
        raise ValueError(f"{nodes!r} is not a list of nodes")
    found = list(itertools.islice(itertools.chain.from_iterable(map(expanded, parts)), MAX_NODES + 1))
    if len(found) > MAX_NODES:
        raise ValueError(f"{nodes!r} has more than {MAX_NODES} nodes")
    return found


def expanded(part: str) -> Iterator[str]:
    """Yield the names of one part of a list of nodes; the last brackets count fastest."""
    pieces = [list(numbers(piece[1:-1])) if piece[0] == "[" else [piece] for piece in PIECE.findall(part)]
    return map("".join, itertools.product(*pieces))


def numbers(ranges: str) -> Iterator[str]:
    """Yield the numbers of "08-10,12", with leading zeros as they are written.

    Raises:
        ValueError: If these are no ranges.
    """
    for text in ranges.split(","):
        found = RANGE.fullmatch(text)
        if not found:
            raise ValueError(f"{text!r} is not a number or a range of numbers")
        first, last = found[1], found[2] or found[1]
        if int(last) - int(first) > MAX_NODES:
            raise ValueError(f"{text!r} has more than {MAX_NODES} nodes")
        yield from (f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1))


def tasks_of_nodes(text: str) -> list[int]:
    """Return the number of tasks of each node, from SLURM_STEP_TASKS_PER_NODE, such as "2(x3),1".

    Raises:
        ValueError: If it is not such a list.
    """
    counts: list[int] = []
    for part in text.split(","):
        found = TASKS.fullmatch(part)
        if not found or int(found[2] or 1) > MAX_NODES:
            raise ValueError(f"{text!r} does not give the number of tasks of each node")
        counts += [int(found[1])] * int(found[2] or 1)
    return counts


def from_scontrol(nodes: str) -> list[str] | None:
    """Return the names in a list of nodes as Slurm itself expands it; None where its command does not exist."""
    command = ["scontrol", "show", "hostnames", nodes]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=SCONTROL_TIMEOUT, check=True)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.split() or None


def addresses(environment: Mapping[str, str] = os.environ) -> tuple[int, tuple[str, ...]]:
    """Return the index of this task and the "host:port" of every task of its step.

    Both come from Slurm's numbers of tasks. Tasks are numbered node by node.

    Args:
        environment: Environment variables.

    Raises:
        UsageError: If variables are missing, or do not fit together.
    """
    try:
        index, tasks = (int(environment[name]) for name in ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"))
        nodes = environment["SLURM_STEP_NODELIST"]
        hosts = from_scontrol(nodes) or hostnames(nodes)
        counts = tasks_of_nodes(environment["SLURM_STEP_TASKS_PER_NODE"])
        # Jobs that share a node must not share a port.
        port = 20000 + int(environment.get("SLURM_JOB_ID", 0)) % 20000
    except KeyError as error:
        raise UsageError(f"this is a task of a Slurm step, but {error.args[0]} is not set: set TF_CONFIG") from None
    except ValueError as error:
        raise UsageError(f"the workers cannot be found from Slurm's environment: {error}; set TF_CONFIG") from None
    if len(counts) != len(hosts) or sum(counts) != tasks or not 0 <= index < tasks:
        raise UsageError(
            f"Slurm's environment contradicts itself: {len(hosts)} nodes with {counts} tasks, {tasks} tasks in all, "
            f"and this is task {index}; set TF_CONFIG"
        )
    placed = [(host, local) for host, count in zip(hosts, counts) for local in range(count)]
    here = environment.get("SLURMD_NODENAME", placed[index][0])
    if here != placed[index][0]:
        raise UsageError(
            f"task {index} runs on {here}, not on {placed[index][0]}: Slurm must number tasks node by node; "
            "use srun --distribution=block, or set TF_CONFIG"
        )
    return index, tuple(f"{host}:{port + local}" for host, local in placed)
