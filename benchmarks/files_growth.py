"""How the time of a preparation grows with its pictures, of a report with its records, of a search with its workers.

    python benchmarks/files_growth.py

Photographs are prepared, and the pages made, in processes of their own; their processor time counts. Records are the
committed ones, and copies of them under other seeds; all figures are drawn. The search trains LeNet-5 for an epoch in
each of eight trials, with one thread for each worker; it is measured by the clock, so that it needs a quiet machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count, cycle, islice
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from photographs import SOURCE, prepare_originals, write_originals
from timing import child_seconds, record_curve

from reports.paths import RUNS

ROUNDS = 3
PICTURES = (100, 200, 400, 800)
RECORDS = (50, 100, 200, 400)
WORKERS = (1, 2)
COMMAND = [sys.executable, "-m", "reproductions"]


def prepare(pictures: int, folder: Path) -> float:
    """Return the time in which some photographs are prepared."""
    write_originals(folder / SOURCE, pictures)
    return child_seconds([sys.executable, __file__, str(folder)])


def make_pages(records: int, folder: Path) -> float:
    """Return the time in which the pages of some records are made."""
    committed, runs = sorted(RUNS.glob("*.json")), folder / "runs"
    runs.mkdir()
    seeds = count(1000)
    for path in islice(cycle(committed), records):
        record = json.loads(path.read_text(encoding="utf-8"))
        seed = next(seeds)
        (runs / f"{record['network']}-{seed}.json").write_text(json.dumps({**record, "seed": seed}), encoding="utf-8")
    return child_seconds([*COMMAND, "report", "--runs", str(runs), "--out", str(folder / "pages")])


def search(workers: int, folder: Path) -> float:
    """Return the time on the clock that a search takes."""
    settings = ["--max-trials", "8", "--epochs", "1", "--retrain", "0", "--threads", "1", "--workers", str(workers)]
    start = time.perf_counter()
    command = [*COMMAND, "tune", "lenet5", *settings, "--run-dir", str(folder / "search")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def grow(what: str, along: str, values: tuple[int, ...], seconds: Callable[[int, Path], float]) -> None:
    """Record the times along some values, relative to the first."""
    ratios: dict[int, list[float]] = {value: [] for value in values[1:]}
    for _ in range(ROUNDS):
        found = {}
        for value in values:
            with tempfile.TemporaryDirectory() as folder:
                found[value] = seconds(value, Path(folder))
        for value in ratios:
            ratios[value].append(found[value] / found[values[0]])
    record_curve(what, along, values[0], ratios)


def main() -> None:
    """Record the curves."""
    grow("Processor time of preparing photographs", "photographs", PICTURES, prepare)
    grow("Processor time of a report", "records", RECORDS, make_pages)
    grow("Time of a search with eight trials", "workers", WORKERS, search)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        prepare_originals(Path(sys.argv[1]), "imagenet")
    else:
        main()
