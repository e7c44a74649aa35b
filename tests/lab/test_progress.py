"""The progress of jobs, on a terminal, in a file, and without an output."""

import io
import os
import re
import select
import subprocess
import sys
import time
from contextlib import redirect_stdout
from types import SimpleNamespace

import pytest

from reproductions.cli.output import LastingOutput
from reproductions.lab import progress
from reproductions.lab.progress import Progress

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture
def clock(monkeypatch):
    """A clock that only the test moves."""
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(time, "perf_counter", lambda: now.seconds)
    return now


class Terminal:
    """A terminal of 100 columns."""

    def __init__(self) -> None:
        self.ours, theirs = os.openpty()
        self.stream = os.fdopen(theirs, "w", encoding="utf-8")

    def shown(self) -> str:
        """Return what was written since the last call."""
        self.stream.flush()
        found = b""
        while select.select([self.ours], [], [], 0.05)[0]:
            found += os.read(self.ours, 1 << 20)
        return found.decode()


@pytest.fixture
def terminal(monkeypatch):
    found = Terminal()
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    yield found
    found.stream.close()
    os.close(found.ours)


def test_a_short_job_prints_nothing(clock, capsys):
    with progress.progress("test", 10, "images") as job:
        for done in range(1, 11):
            clock.seconds += 5
            job.update(done)
    assert capsys.readouterr().out == ""


def test_a_long_job_prints_a_line_a_minute(clock, capsys):
    with progress.progress("epoch 1 of 2", 72_000, "images") as job:
        for done in range(1, 361):
            clock.seconds += 1
            job.what = f"epoch {1 + (done > 150)} of 2"
            job.update(200 * done, "loss 0.25")
    assert capsys.readouterr().out.splitlines() == [
        "epoch 1 of 2: 12,000 of 72,000 images, 200 images/s, 5 min left, loss 0.25",
        "epoch 1 of 2: 24,000 of 72,000 images, 200 images/s, 4 min left, loss 0.25",
        "epoch 2 of 2: 36,000 of 72,000 images, 200 images/s, 3 min left, loss 0.25",
        "epoch 2 of 2: 48,000 of 72,000 images, 200 images/s, 2 min left, loss 0.25",
        "epoch 2 of 2: 60,000 of 72,000 images, 200 images/s, 1 min left, loss 0.25",
        "epoch 2 of 2: 72,000 of 72,000 images, 200 images/s, 0 s left, loss 0.25",
    ]


def test_the_speed_is_that_of_this_session(clock, capsys):
    with progress.progress("preparation", 12, "shards", done=8) as job:
        clock.seconds += 120
        job.update(10)
    assert capsys.readouterr().out == "preparation: 10 of 12 shards, 1.0 shards/min, 2 min left\n"


def test_a_job_of_unknown_length_has_no_time_left(clock, capsys):
    with progress.progress("search", None, "trials") as job:
        clock.seconds += 7200
        job.update(1)
    assert capsys.readouterr().out == "search: 1 trial, 0.5 trials/h\n"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "1 h 0 min"), (12_000, "3 h 20 min")]
)
def test_a_time_is_given_in_words(seconds, text):
    assert progress.format_duration(seconds) == text


# --- On a terminal


def test_a_terminal_has_a_bar_that_goes_away(clock, terminal):
    with redirect_stdout(terminal.stream), progress.progress("test", 100, "images") as job:
        terminal.shown()
        clock.seconds += 10
        job.update(25, "loss 2")
        shown = terminal.shown()
        assert re.search("test .*━.* 25 of 100 images, 2.5 images/s, 30 s left, loss 2", ESCAPES.sub("", shown))
        assert "m━" in shown, "it is coloured"
        clock.seconds += 0.01
        job.update(26)
        assert terminal.shown() == "", "it is not drawn at every step"
    assert terminal.shown().endswith("\x1b[2K\x1b[?25h\r"), "the line is erased and the cursor shown"


def test_a_job_within_another_has_its_own_bar(clock, terminal):
    with redirect_stdout(terminal.stream), progress.progress("search", 4, "trials") as outer:
        clock.seconds += 10
        outer.update(1)
        with progress.progress("epoch 1 of 2", 9, "images") as inner:
            clock.seconds += 10
            inner.update(3)
            *_, above, below = ESCAPES.sub("", terminal.shown()).rstrip("\r\n").splitlines()
            assert "search" in above and "1 of 4 trials" in above and "3 of 9 images" in below
        print("a result")
        assert "a result" in terminal.shown()
        clock.seconds += 10
        outer.update(2)
        assert "images" not in terminal.shown()
        assert sys.stdout is not terminal.stream, "what is printed goes above the bars"
    assert Progress.drawn is None


def test_a_bar_has_no_colours_if_there_shall_be_none(clock, terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    with redirect_stdout(terminal.stream), progress.progress("test", 100, "images") as job:
        clock.seconds += 10
        job.update(25)
        shown = terminal.shown()
    assert "25 of 100 images" in shown and not re.search(r"\x1b\[[0-9;]*m", shown)


def test_a_bar_is_drawn_with_the_characters_that_the_output_has(clock, terminal):
    ascii_only = os.fdopen(os.dup(terminal.stream.fileno()), "w", encoding="ascii", errors="backslashreplace")
    with redirect_stdout(LastingOutput(ascii_only)), progress.progress("test", 100, "images") as job:
        clock.seconds += 10
        job.update(25)
        shown = terminal.shown()
    ascii_only.close()
    assert "25 of 100 images" in shown and "--" in shown and r"\u" not in shown


def test_a_terminal_without_a_cursor_gets_lines(clock, terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    with redirect_stdout(terminal.stream), progress.progress("test", 100, "images") as job:
        clock.seconds += 60
        job.update(30)
    assert terminal.shown() == "test: 30 of 100 images, 30 images/min, 2 min left\r\n"


def test_the_bars_go_away_if_a_job_fails(clock, terminal):
    with pytest.raises(KeyError), redirect_stdout(terminal.stream), progress.progress("test", 100, "images"):
        raise KeyError
    assert Progress.drawn is None and terminal.shown().endswith("\x1b[?25h\r")


# --- Without an output


def test_a_job_goes_on_without_an_output(clock, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with progress.progress("test", 100, "images") as job:
        clock.seconds += 60
        job.update(30)
    assert job.done == 30


def test_a_job_goes_on_when_its_terminal_is_gone(clock, terminal, monkeypatch):
    """As after the window of a training in the background is closed: writing gives EIO."""
    descriptor = os.dup(terminal.stream.fileno())
    lasting = LastingOutput(os.fdopen(descriptor, "w", encoding="utf-8"))
    monkeypatch.setattr(sys, "stdout", lasting)
    with progress.progress("test", 100, "images") as job:
        os.close(terminal.ours)
        clock.seconds += 60
        job.update(30)
        print("an epoch", flush=True)
    terminal.ours = os.open(os.devnull, os.O_RDONLY)


def test_other_errors_of_the_output_are_not_hidden():
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        LastingOutput(Full()).write("a")


def test_rich_is_not_imported_without_a_terminal():
    code = """
import sys
from reproductions.lab.progress import progress
with progress("test", 10, "images") as job:
    job.update(1)
sys.exit("rich" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE).returncode == 0
