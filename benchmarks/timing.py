"""Timing shared by the benchmarks: compiled training steps, medians of ratios, and `benchmarks/results.json`."""

from __future__ import annotations

import os
import platform
import re
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import keras
import tensorflow as tf

from reproductions.lab.environment import cores
from reproductions.lab.results.benchmark import Benchmark, Machine, write

RESULTS = Path(__file__).with_name("results.json")
QUIET = 0.5  # load of the machine, in processes


def compiled_step(layer: keras.layers.Layer, images: tf.Tensor, jit: bool = False) -> Callable[[], list[tf.Tensor]]:
    """Return a compiled forward and backward step of a layer, called once already.

    Args:
        layer: Layer, not yet built.
        images: Its input.
        jit: Whether XLA compiles it.
    """
    layer.build(images.shape)

    @tf.function(jit_compile=jit)
    def step() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(images)
            loss = tf.reduce_sum(layer(images) ** 2)
        return tape.gradient(loss, [images, *[weight.value for weight in layer.trainable_weights]])

    step()
    return step


def alternating(first: Callable[[], object], second: Callable[[], object], rounds: int, calls: int = 1) -> list[float]:
    """Return the ratio of the processor times of two functions in each round, after a first call of each.

    Processor time, over all threads, does not count what else the machine does.

    Args:
        first: Function to time.
        second: Function to compare it with.
        rounds: Number of rounds, in each of which both are timed in turn.
        calls: Calls of each function in a round.
    """
    first(), second()
    return [processor_seconds(first, calls) / processor_seconds(second, calls) for _ in range(rounds)]


def processor_seconds(function: Callable[[], object], calls: int = 1) -> float:
    """Return the processor time of some calls, over all threads of this process, in seconds."""
    start = time.process_time()
    for _ in range(calls):
        function()
    return time.process_time() - start


def child_seconds(command: Sequence[str]) -> float:
    """Return the processor time of a command and of the processes that it starts, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def format_ratios(ratios: Sequence[float]) -> str:
    """Return the median of some ratios with their range: "0.45 (0.43 to 0.49)"."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


@dataclass(frozen=True)
class Claim:
    """A ratio that a script measures; see `Benchmark` for the attributes."""

    name: str
    what: str
    baseline: str
    better: Literal["lower", "higher"] = "lower"
    aim: float | None = None
    along: str | None = None
    at: int | None = None
    note: str = ""
    network: str | None = None
    batch_size: int | None = None

    def record(self, ratios: Sequence[float]) -> None:
        """Print the ratio with its range, and write it into `benchmarks/results.json`."""
        print(f"{self.what} / {self.baseline}: {format_ratios(ratios)}", flush=True)
        measured = {"ratio": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}
        rounded = {name: float(f"{value:.3g}") for name, value in measured.items()}
        write(RESULTS, [Benchmark(**asdict(self), **rounded, blocks=len(ratios), versions=versions(), machine=MACHINE)])


def record_curve(what: str, along: str, first: int, ratios: Mapping[int, Sequence[float]]) -> None:
    """Record the points of a curve relative to its first.

    Args:
        what: What is measured; see `Benchmark`.
        along: Quantity along which it grows.
        first: Value of that quantity that the others are compared with.
        ratios: Measured ratios by value.
    """
    for value, found in ratios.items():
        Claim(f"{what}, {along} {value}", what, f"{along} {first}", along=along, at=value).record(found)


def versions() -> dict[str, str]:
    """Return the versions of Python and the libraries."""
    libraries = {name: metadata.version(name) for name in ("tensorflow", "keras", "numpy")}
    return {"python": platform.python_version(), **libraries}


def processor() -> str:
    """Return the model of the processor."""
    try:
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        found = None
    return found.group(1).strip() if found else platform.processor() or platform.machine()


MACHINE = Machine(processor(), cores(), quiet=os.getloadavg()[0] < QUIET)  # before the script adds to the load
