"""Reasons for a training to stop early: signals, and divergence."""

from __future__ import annotations

import signal
from types import FrameType

from reproductions.lab.errors import UsageError


class Stopped(BaseException):
    """The run was asked to stop, and can be resumed.

    Not an `Exception`, so that it is never mistaken for the error of a file that is being read.

    Attributes:
        status: Exit status of the process: 0 after SIGTERM, as schedulers expect, and 130 after Ctrl-C.
    """

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.status = 0 if number == signal.SIGTERM else 130


class Diverged(UsageError):
    """The loss or the weights became NaN or infinite.

    Attributes:
        reason: What became NaN or infinite, and when.
    """

    def __init__(self, reason: str, consequence: str) -> None:
        super().__init__(f"{reason}: training is stopped; {consequence}")
        self.reason = reason


class StopRequest:
    """SIGTERM and Ctrl-C during a run, as a context manager.

    A signal is recorded and takes effect after a step. A second Ctrl-C ends the run in any case; schedulers repeat
    SIGTERM.

    Attributes:
        signal: Number of the signal received, or 0.
        immediate: Whether a signal takes effect at once, because nothing has to be saved.
    """

    def __init__(self) -> None:
        self.signal, self.immediate = 0, False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if self.signal and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = number
        if self.immediate:
            self.raise_if_stopped()

    def raise_if_stopped(self) -> None:
        """Raise `Stopped` if a signal was received while nothing has to be saved."""
        if self.signal:
            message = "stopped during the test, whose partial results are saved; resume with --resume"
            raise Stopped(self.signal, message)

    def __enter__(self) -> StopRequest:
        self.previous = {number: signal.signal(number, self.handle) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)
