"""Training speed with one thread relative to one thread per core.

    python benchmarks/threads.py [STUDY] [NETWORK] [IMAGES]

Trains LeNet-5, or another network, for two epochs on the first IMAGES images of the training set (default: 3000),
alternating between the two settings, each run in its own process, and compares the images per second of the second
epoch, as recorded. This is time on the clock: on a machine that others use, too, one thread is favoured.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from timing import Claim

from reproductions.lab.results import run_record

ROUNDS = 5


def images_per_second(arguments: list[str], threads: int) -> float:
    """Return the training speed of a run."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        settings = ["--epochs", "2", "--threads", str(threads), "--run-dir", str(run)]
        command = [sys.executable, "-m", "reproductions", "train", *arguments, *settings]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return run_record.read(run / "record.json").images_per_second


def main(study: str = "lenet5", network: str | None = None, images: str = "3000") -> None:
    """Record the ratio."""
    arguments = [study, "--training-images", images, *(["--network", network] if network else [])]
    cores = len(os.sched_getaffinity(0))
    ratios = [images_per_second(arguments, 1) / images_per_second(arguments, cores) for _ in range(ROUNDS)]
    name = network or study
    what = f"Images per second of {name}'s training with one thread"
    Claim(f"Threads of {name}", what, "one thread per core", better="higher").record(ratios)


if __name__ == "__main__":
    main(*sys.argv[1:])
