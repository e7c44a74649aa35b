"""TensorFlow's import without the lines that it always prints; what else it prints is kept."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import re
import sys
import tempfile
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

NAME = "tensorflow"
# Informational lines, and the notice that precedes them.
USUAL = re.compile(rb"(I\d{4} |\d{4}-\d\d-\d\d [\d:.]+: I |WARNING: All log messages before absl::InitializeLog).*\n?")


@contextmanager
def without_usual_lines() -> Iterator[None]:
    """Drop TensorFlow's informational lines from the standard error within the block, also those of its C++ code."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            caught.seek(0)
            for line in caught:
                if not USUAL.fullmatch(line):
                    os.write(2, line)


class QuietLoader(importlib.abc.Loader):
    """Loads a module without its usual lines.

    Args:
        loader: The loader of the module.
    """

    def __init__(self, loader: importlib.abc.Loader) -> None:
        self.loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        """Return the module, not yet executed."""
        return self.loader.create_module(spec)

    def exec_module(self, module: types.ModuleType) -> None:
        """Execute the module."""
        with without_usual_lines():
            self.loader.exec_module(module)


class QuietFinder(importlib.abc.MetaPathFinder):
    """Finds TensorFlow as Python does, and lets it be loaded by `QuietLoader`."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return where TensorFlow is; None for other modules."""
        if name != NAME:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec and spec.loader:
            spec.loader = QuietLoader(spec.loader)
        return spec


def install() -> None:
    """Import TensorFlow quietly in this process, unless it is imported already or TF_CPP_MIN_LOG_LEVEL is 0."""
    if NAME not in sys.modules and os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") != "0":
        sys.meta_path.insert(0, QuietFinder())
