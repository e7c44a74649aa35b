"""A run's updates with one thread against the same with one a core: the ratio of their images per second.

    python benchmarks/threads.py [STUDY] [NETWORK] [IMAGES]

Short trainings of LeNet-5, or another network, on the first IMAGES (3,000 unless told) of the training set, the two
ways taking turns, each in a process of its own; the second pass counts, as the record tells it. Prints both medians,
and the median ratio with its range.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from reproductions.lab.results import run_record

ROUNDS = 3


def images_per_second(words: list[str], threads: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        told = ["--epochs", "2", "--threads", str(threads), "--run-dir", str(run)]
        subprocess.run(
            [sys.executable, "-m", "reproductions", "train", *words, *told], check=True, stdout=subprocess.DEVNULL
        )
        return run_record.read(run / "record.json").images_per_second


def main(study: str = "lenet5", network: str | None = None, images: str = "3000") -> None:
    words = [study, "--training-images", images, *(["--network", network] if network else [])]
    cores = len(os.sched_getaffinity(0))
    pairs = [(images_per_second(words, 1), images_per_second(words, cores)) for _ in range(ROUNDS)]
    for threads, rates in zip((1, cores), zip(*pairs), strict=True):
        print(f"{threads} thread(s): {statistics.median(rates):,.0f} images per second")
    ratios = sorted(one / all_cores for one, all_cores in pairs)
    print(f"one thread is {statistics.median(ratios):.2f} times as fast ({ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    main(*sys.argv[1:])
