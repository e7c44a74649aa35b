"""The progress of a job: a bar on a terminal, elsewhere a line a minute, and neither for a short job."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

LINE_EVERY, DRAW_EVERY = 60.0, 0.5  # seconds


@dataclass
class Progress:
    """How far a job is.

    Attributes:
        what: The job, such as "epoch 3 of 20". It may change.
        total: Number of units; None if it is not known.
        unit: What is counted, such as "images".
        done: Number of units that are done, at first those of an earlier session.
        bars: The bars on the terminal; None without a terminal.
        task: The job's own bar.
    """

    what: str
    total: int | None
    unit: str
    done: int = 0
    bars: Bars | None = None
    task: TaskID | None = field(default=None, init=False)

    # The bars that are on the terminal; those of a job within another are drawn below its own.
    drawn: ClassVar[Bars | None] = None

    def __post_init__(self) -> None:
        self.first = self.done
        self.start = self.shown = time.perf_counter()
        if self.bars is not None:
            self.task = self.bars.add_task(self.what, total=self.total, completed=self.done, text="")

    def update(self, done: int, note: str = "") -> None:
        """Note how many units are done, and show it if it is time.

        Args:
            done: Their number.
            note: What else to show, such as the loss.
        """
        self.done, now = done, time.perf_counter()
        if now - self.shown < (LINE_EVERY if self.bars is None else DRAW_EVERY):
            return
        self.shown, text = now, self.text(note)
        if self.bars is None or self.task is None:
            print(f"{self.what}: {text}", flush=True)
        else:
            self.bars.update(self.task, description=self.what, completed=done, text=text, refresh=True)

    def text(self, note: str = "") -> str:
        """Return how much is done, the speed of this session and the time left: "6 of 9 shards, 2.0 shards/min"."""
        speed = (self.done - self.first) / max(time.perf_counter() - self.start, 1e-9)
        of_all = "" if self.total is None else f" of {self.total:,}"
        unit = self.unit.removesuffix("s") if self.total is None and self.done == 1 else self.unit
        parts = [f"{self.done:,}{of_all} {unit}"]
        if speed > 0:
            parts.append(format_speed(speed, self.unit))
            parts += [] if self.total is None else [f"{format_duration((self.total - self.done) / speed)} left"]
        return ", ".join(filter(None, [*parts, note]))


@contextmanager
def progress(what: str, total: int | None, unit: str, done: int = 0) -> Iterator[Progress]:
    """Show the progress of a job while the block runs; see `Progress`.

    Only `Progress.update` writes, no thread does, so that nothing is drawn while the job is busy.
    """
    with bars_on_terminal() as bars:
        job = Progress(what, total, unit, done, bars)
        try:
            yield job
        finally:
            if bars is not None and job.task is not None:
                bars.remove_task(job.task)


@contextmanager
def bars_on_terminal() -> Iterator[Bars | None]:
    """Yield the bars, which are removed at the end of the outermost job; None without a terminal."""
    bars = Progress.drawn or create_bars()
    if bars is None or bars is Progress.drawn:
        yield bars
        return
    with bars:
        bars.console.show_cursor(True)  # a killed process could not show it again
        Progress.drawn = bars
        try:
            yield bars
        finally:
            Progress.drawn = None


def create_bars() -> Bars | None:
    """Return bars for the standard output; None if it is not a terminal on which they can be drawn again."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars
    from rich.table import Column

    console = Console(file=sys.stdout)
    if not console.is_interactive:
        return None
    return Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=min(30, max(8, console.width - 90))),
        TextColumn("{task.fields[text]}", markup=False, table_column=Column(no_wrap=True, ratio=1)),
        console=console,
        auto_refresh=False,
        transient=True,
        expand=True,
    )


def format_speed(speed: float, unit: str) -> str:
    """Return units per second as text, slow ones per minute or hour: "4,200 images/s", "2.5 shards/min"."""
    name, seconds = ("s", 1) if speed >= 1 else ("min", 60) if speed * 60 >= 1 else ("h", 3600)
    return f"{speed * seconds:,.{1 if speed * seconds < 10 else 0}f} {unit}/{name}"


def format_duration(seconds: float) -> str:
    """Return a time as text: "45 s", "12 min", "3 h 20 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
