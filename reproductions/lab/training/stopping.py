"""Reasons for a training to stop early: signals, and divergence."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING

from reproductions.lab.errors import UsageError

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

REPEAT_AFTER = 0.05  # seconds until `Stopped` is raised again where it was swallowed


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
        self.repeated: threading.Timer | None = None

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if self.repeated:
            self.repeated.cancel()
            self.repeated = None
            self.raise_if_stopped()
            return
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

    def repeat_if_swallowed(self, unraisable: UnraisableHookArgs) -> None:
        """Have `Stopped` raised again after a finalizer, or a callback of the garbage collector, which swallow it."""
        if isinstance(unraisable.exc_value, Stopped):
            main = threading.main_thread().ident  # whose calls to the system the signal interrupts
            self.repeated = threading.Timer(REPEAT_AFTER, signal.pthread_kill, [main, self.signal])
            self.repeated.start()
        else:
            self.previous_hook(unraisable)

    def __enter__(self) -> StopRequest:
        self.previous_hook, sys.unraisablehook = sys.unraisablehook, self.repeat_if_swallowed
        self.previous = {number: signal.signal(number, self.handle) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self.message, timer = None, self.repeated
        if timer:
            timer.cancel()
            timer.join()
        sys.unraisablehook = self.previous_hook
        if kind and issubclass(kind, Stopped):  # the process ends, which takes a moment: schedulers repeat SIGTERM
            self.previous[signal.SIGTERM] = signal.SIG_IGN
        for number, handler in self.previous.items():
            signal.signal(number, handler)
