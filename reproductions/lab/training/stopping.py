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

    Args:
        message: Message of `Stopped` if a signal takes effect at once, because nothing has to be saved; by default none
            does.

    Attributes:
        signal: Number of the signal received, or 0.
    """

    def __init__(self, message: str | None = None) -> None:
        self.signal, self.message = 0, message

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if self.signal:
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            return
        self.signal = number
        self.raise_if_stopped()

    def stop_at_once(self, message: str) -> None:
        """Let signals take effect at once from now on, one that was received before included.

        Raises:
            Stopped: If one was.
        """
        self.message = message
        self.raise_if_stopped()

    def raise_if_stopped(self) -> None:
        """Raise `Stopped` if a signal was received while nothing has to be saved."""
        if self.signal and self.message:
            raise Stopped(self.signal, self.message)

    def __enter__(self) -> StopRequest:
        self.previous = {number: signal.signal(number, self.handle) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind and issubclass(kind, Stopped):  # the process ends, which takes a moment: schedulers repeat SIGTERM
            self.previous[signal.SIGTERM] = signal.SIG_IGN
        for number, handler in self.previous.items():
            signal.signal(number, handler)
