"""The standard streams: any locale, any terminal, and readers that go away."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from typing import TextIO


def set_up() -> None:
    """Let the streams take any character, and give a process without streams some that lead nowhere."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller, as in `reproduce list >&-`
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # "±" where the locale is ASCII


def is_closed() -> bool:
    """Return whether the reader of the standard output, such as `head`, has closed the pipe."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), select.POLLOUT)
    return any(events & select.POLLERR for _, events in poll.poll(0))


def silence() -> None:
    """Drop what is written to the standard output from now on. Python flushes it at exit, which would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def has_gone(error: OSError) -> bool:
    """Return whether an error says that the reader of a pipe, or a terminal, has gone away."""
    return error.errno in (errno.EPIPE, errno.EIO)


class LastingOutput(io.TextIOBase):
    """A standard output that never stops a command: once its reader has gone away, what is written is dropped.

    Args:
        stream: The standard output.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write text if there is a reader."""
        try:
            return self.stream.write(text)
        except OSError as error:
            if not has_gone(error):
                raise
            silence()
            return len(text)

    def flush(self) -> None:
        """Flush the text if there is a reader."""
        try:
            self.stream.flush()
        except OSError as error:
            if not has_gone(error):
                raise
            silence()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Encoding, by which rich chooses its characters."""
        return self.stream.encoding

    def isatty(self) -> bool:
        """Return whether the output is a terminal."""
        return self.stream.isatty()

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self.stream.fileno()
