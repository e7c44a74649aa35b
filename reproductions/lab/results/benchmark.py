"""Measured speed claims: one ratio of two times each, with its range, the machine and the versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from reproductions.lab import json_files
from reproductions.lab.errors import UsageError
from reproductions.lab.files import write_json
from reproductions.lab.ranges import Name, Positive

WHAT = "the results of benchmarks"

Ratio = Annotated[float, msgspec.Meta(gt=0, le=1e6)]


@dataclass(frozen=True)
class Machine:
    """The machine of a measurement.

    Attributes:
        processor: Model of the processor.
        cores: Number of cores that the process could use.
        quiet: Whether nothing else kept the processors busy when the measurement began.
    """

    processor: Name
    cores: Positive
    quiet: bool


@dataclass(frozen=True)
class Benchmark:
    """A measured ratio.

    Attributes:
        name: Short name, unique.
        what: What is measured, a sentence without a full stop.
        baseline: What it is divided by.
        better: Whether a lower or a higher ratio is better.
        ratio: Median over the blocks.
        low: Lowest of the blocks.
        high: Highest of the blocks.
        blocks: Number of blocks, in each of which both sides are measured in turn.
        aim: Ratio that is aimed at, if there is one.
        versions: Versions of Python and the libraries.
        machine: The machine.
        along: Quantity along which a cost grows, such as "batch size", where the ratio is one point of a curve.
        at: Value of that quantity; the baseline has another.
        note: What takes the time if the aim is missed, a sentence.
        network: Name of the network, where the same is measured of several.
        batch_size: Number of images in a batch, there.
    """

    name: Name
    what: str
    baseline: str
    better: Literal["lower", "higher"]
    ratio: Ratio
    low: Ratio
    high: Ratio
    blocks: Positive
    aim: Ratio | None
    versions: dict[str, str]
    machine: Machine
    along: Name | None = None
    at: Positive | None = None
    note: str = ""
    network: Name | None = None
    batch_size: Positive | None = None

    @property
    def is_missed(self) -> bool:
        """Whether there is an aim, and the ratio does not reach it."""
        if self.aim is None:
            return False
        return self.ratio > self.aim if self.better == "lower" else self.ratio < self.aim


def read(path: Path) -> list[Benchmark]:
    """Return the benchmarks of a file, sorted by name.

    Raises:
        UsageError: If it cannot be read or does not fit, a ratio lies outside of its range, or two ratios contradict
            each other.
    """
    found = json_files.read(path, list[Benchmark], WHAT)
    for each in found:
        if not each.low <= each.ratio <= each.high:
            raise UsageError(f"{path} is not {WHAT}: {each.name} has a ratio outside of its range")
        if (each.along is None) != (each.at is None) or (each.along and each.network):
            raise UsageError(f"{path} is not {WHAT}: {each.name} has one of along and at, or along and a network")
    if [each.name for each in found] != sorted({each.name for each in found}):
        raise UsageError(f"{path} is not {WHAT}: its names must be sorted, and each occur once")
    check_networks(path, found)
    return found


def check_networks(path: Path, benchmarks: Sequence[Benchmark]) -> None:
    """Raise UsageError if a network has a ratio twice, or what is measured of several has more than one aim."""
    networks: set[tuple[str, str, str]] = set()
    aims: dict[tuple[str, str], tuple[str, float | None]] = {}
    for each in benchmarks:
        if each.network is None:
            continue
        if (each.network, each.what, each.baseline) in networks:
            raise UsageError(f"{path} is not {WHAT}: {each.name} is a second ratio of {each.network} for {each.what}")
        networks.add((each.network, each.what, each.baseline))
        if aims.setdefault((each.what, each.baseline), (each.better, each.aim)) != (each.better, each.aim):
            raise UsageError(f"{path} is not {WHAT}: {each.name} has another aim than the same of other networks")


def write(path: Path, benchmarks: Sequence[Benchmark]) -> None:
    """Replace the benchmarks of the same names in a file, which is created if there is none, and add the others."""
    every = {each.name: each for each in (*(read(path) if path.exists() else ()), *benchmarks)}
    write_json(path, [asdict(every[name]) for name in sorted(every)])
