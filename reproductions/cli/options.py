"""Types and values that several commands' options share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Subparsers = object

FORMATS = ("text", "markdown", "csv", "json", "latex")
