"""Share of trainings that end as they should after Ctrl-C or SIGTERM at a random moment, or by themselves.

    python benchmarks/interrupted_runs.py [RUNS] [NETWORK ...]

Trains networks (default: LeNet-5) in turn for 2 epochs, RUNS times (default: 6): those of MNIST or CIFAR-10 on 200
images, those of photographs on all that REPRODUCTIONS_DATA has, which should be few, in batches of 16 at most. A
first training, which is left alone, shows how long one takes. Each other one gets a signal at a random moment of that
time and a tenth more. It should end without a traceback, with the status that `reproduce` promises: 0 when it is done
or after SIGTERM, 130 after Ctrl-C. Before the training begins, SIGTERM ends the process. A training hangs if it takes
no processor time for 60 s, or more than 60 s of it: what else the machine does may delay its end. Of 200 trainings
of LeNet-5, and of AlexNet on 32 photographs, in turn, none hung. One printed a traceback: the exception of its signal
came in a callback of the garbage collector, where Python ignores it. `StopRequest` raises it again since, and all of
100 more ended as they should.

Each training is a process of its own, forked from this one after TensorFlow is imported and before it is used.
"""

from __future__ import annotations

import math
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from timing import Claim

import reproductions
from reproductions.cli.main import main as reproduce
from reproductions.lab.training import train  # noqa: F401, forked processes have it imported

LIMIT = 60.0  # seconds for a training to end, and without processor time
OPTIONS = ("--epochs", "2", "--threads", "1")
FEW_IMAGES = ("--training-images", "200")
LARGEST_BATCH = 16  # of photographs
STATUSES = {
    0: {0},
    signal.SIGTERM: {0, -signal.SIGTERM},
    signal.SIGINT: {0, 130, -signal.SIGINT},  # 0 if it was done when the signal came, the last while Python ends
}
CLAIM = Claim(
    "Interrupted runs", "Trainings that end as they should after a signal at a random moment", "all", "higher", aim=1.0
)


@dataclass(frozen=True)
class End:
    """How a training ended.

    Attributes:
        signal: Signal that it got, or 0.
        status: Exit status, negative for the signal that ended it; None if it hung.
        seconds: Time that it took to end after the signal.
        output: What it printed.
    """

    signal: int
    status: int | None
    seconds: float
    output: str

    @property
    def is_clean(self) -> bool:
        """Whether the training ended as it should."""
        return self.status in STATUSES[self.signal] and "Traceback" not in self.output

    def __str__(self) -> str:
        """Return one line about the end."""
        name = signal.Signals(self.signal).name if self.signal else "no signal"
        return f"{name}: {'hangs' if self.status is None else f'status {self.status}'} after {self.seconds:.1f} s"


def options(network: str) -> tuple[str, ...]:
    """Return the options with which a network is trained within seconds."""
    recipe = reproductions.find_network(network).to_train()
    if recipe.dataset.partition("-")[0] != "imagenet":
        return (*OPTIONS, *FEW_IMAGES)
    return (*OPTIONS, "--scale-batch", f"1/{math.ceil(recipe.batch_size / LARGEST_BATCH)}")


def start(network: str, folder: Path) -> int:
    """Start a training in a process of its own, which prints into `folder`, and return the number of the process."""
    chosen = options(network)  # found here: what comes before the command is not what is interrupted
    process = os.fork()
    if process:
        return process
    output = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what runs in the background ignore it
    reproduce(["train", network, *chosen, "--run-dir", str(folder / "run")])
    sys.exit()


def processor_seconds(process: int) -> float:
    """Return the processor time that another process has taken."""
    after_name = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, after_name[11:13])) / os.sysconf("SC_CLK_TCK")


def wait(process: int, seconds: float = math.inf) -> int | None:
    """Return the exit status of a process; None if it does not end within some seconds, or hangs."""
    began = moved = time.monotonic()
    used = start = processor_seconds(process)
    while time.monotonic() < began + seconds:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        now = processor_seconds(process)
        used, moved = now, time.monotonic() if now > used else moved
        if time.monotonic() > moved + LIMIT or used > start + LIMIT:
            return None
        time.sleep(0.02)
    return None


def run(network: str, number: int, moment: float) -> End:
    """Train a network, send a signal after some seconds unless the training has ended, and return how it ended."""
    folder = Path(tempfile.mkdtemp())  # a context manager would remove it at the end of the forked process, too
    process = start(network, folder)
    status, sent, began = wait(process, moment), 0, time.monotonic()
    if status is None:
        os.kill(process, number)
        status, sent = wait(process), number
    if status is None:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    seconds = time.monotonic() - began
    output = folder / "output.txt"
    printed = output.read_text(encoding="utf-8") if output.exists() else ""
    shutil.rmtree(folder)
    return End(sent, status, seconds, printed)


def main(runs: str = "6", *networks: str) -> None:
    """Record the share of trainings that end as they should."""
    clean, moments, numbers = 0, random.Random(1), (signal.SIGINT, signal.SIGTERM)
    names, durations = networks or ("lenet5",), {}
    for name in names:
        began = time.monotonic()
        run(name, signal.SIGTERM, math.inf)
        durations[name] = time.monotonic() - began
    for i in range(int(runs)):
        name = names[i % len(names)]
        end = run(name, numbers[i // len(names) % 2], moments.uniform(0, 1.1 * durations[name]))
        clean += end.is_clean
        if not end.is_clean:
            print(f"{name}, {end}\n{end.output}", flush=True)
    CLAIM.record([clean / int(runs)])


if __name__ == "__main__":
    main(*sys.argv[1:])
