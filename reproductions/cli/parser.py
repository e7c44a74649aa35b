"""Parser of the command line: coloured help on a terminal, and the nearest right word after a wrong one."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
from typing import NoReturn

CHOICE = re.compile(r"(?P<what>.*): invalid choice: '(?P<found>.*?)' \(choose from (?P<names>.*)\)", re.DOTALL)
UNKNOWN = re.compile(r"unrecognized arguments: (?P<found>--[\w-]+)")


class Parser(argparse.ArgumentParser):
    """Parser of `reproduce` or of one of its commands."""

    def format_help(self) -> str:
        """Return the help, in colours on a terminal unless NO_COLOR is set."""
        if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
            from rich_argparse import RichHelpFormatter

            self.formatter_class = RichHelpFormatter
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Print the mistake and the nearest right word, and exit with status 2."""
        found = CHOICE.fullmatch(message)
        if found:
            names = [name.strip("' ") for name in found["names"].split(",")]
            what = found["what"].removeprefix("argument ")
            kind = f"value of {what}" if what.startswith("-") else what.lower()
            message = f"{found['found']!r} is not a {kind}{self.suggestion(found['found'], names)}"
            message += f"; choose from: {', '.join(names)}"
        elif found := UNKNOWN.match(message):
            message += self.suggestion(found["found"], list(self._option_string_actions))
        self.exit(2, f"{self.prog}: {message}\nhelp: {self.prog} --help\n")

    @staticmethod
    def suggestion(word: str, words: list[str]) -> str:
        """Return a question with the nearest word; an empty string if none is near."""
        return "".join(f"; did you mean {close}?" for close in difflib.get_close_matches(word, words, n=1))

    def parse_known_args(  # type: ignore[override]
        self, args: list[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse arguments; a command reports those that it does not know itself, since only it knows its options."""
        options, rest = super().parse_known_args(args, namespace)
        if rest and self._subparsers is None:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return options, rest
