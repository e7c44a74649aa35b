"""The classic convolutional networks of a 2018 lecture, rebuilt as their papers describe them.

`studies()` gives every paper by name, `build("lenet5")` a keras.Model, and `records()` every committed
run, a row each, as a pandas DataFrame.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import pkgutil
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.spec import Network, Study

if TYPE_CHECKING:
    import keras
    import pandas

__all__ = ["UsageError", "build", "find_network", "find_study", "records", "studies"]
__version__ = "0.1.0"


class Deferred(types.ModuleType):
    """Stands in for a module, which is imported when something of it is first asked for."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


@contextlib.contextmanager
def deferred(*names: str) -> Iterator[None]:
    """Within this block `import keras` costs nothing: papers are listed without waiting for TensorFlow."""
    stand_ins = {name: Deferred(name) for name in names if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]


def studies() -> dict[str, Study]:
    """Every paper of the suite by name, oldest first: each module here that defines STUDY."""
    with deferred("keras", "layers"):
        names = [module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg]
        modules = [importlib.import_module(f"{__name__}.{name}") for name in names if name != "__main__"]
    found = [module.STUDY for module in modules if hasattr(module, "STUDY")]
    return {study.name: study for study in sorted(found, key=lambda study: (study.year, study.name))}


def find_study(name: str) -> Study:
    """The study of this name; UsageError lists the right ones."""
    found = studies()
    if name not in found:
        raise unknown("study", name, found)
    return found[name]


def find_network(name: str, study: Study | None = None) -> Network:
    """The network of this name, in one study or in all; UsageError lists the right ones."""
    among = [study] if study else list(studies().values())
    found = {network.name: network for each in among for network in each.networks}
    if name not in found:
        raise unknown("network", name, found)
    return found[name]


def build(name: str, **options: Any) -> keras.Model:
    """The network of this name, untrained, with the paper's starting weights.

    Its outputs are logits, or penalties where `find_network(name).outputs` says so (`lenet5`, whose
    RBF units answer with the class of the smallest). Options are those of the paper's own builder:
    `classes`, and `input_size` where that makes sense, among them.
    Raises UsageError for an unknown name or option, listing those there are, for less than one class, and
    for an input too small for the network.
    """
    network = find_network(name)
    known = list(inspect.signature(network.build).parameters)
    for option in options:
        if option not in known:
            raise unknown(f"option of {name}", option, known)
    for option in ("classes", "input_size"):
        value = options.get(option, 1)
        any_size = option == "input_size" and value is None and options.get("convolutional")
        if not any_size and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise UsageError(f"{option} must be at least 1, and a whole number; got {value!r}")
    try:
        return network.model(**options)
    except ValueError as error:
        usual = inspect.signature(network.build).parameters.get("input_size")
        if usual is not None and (options.get("input_size") or usual.default) < usual.default:
            raise UsageError(f"an input_size of {options['input_size']} is too small for {name}") from error
        told = str(error).strip().splitlines()[0]
        raise UsageError(f"{name} cannot be built with {options}: {told}") from error


def records(folder: Path | None = None) -> pandas.DataFrame:
    """Return the records of runs as a table, one row each.

    Args:
        folder: Folder of records or of runs; by default the committed records.

    Returns:
        Columns are the fields of `reproductions.lab.results.run_record.Record`, and `test_error` and `test_errors`.

    Raises:
        UsageError: If the folder does not exist or a record is damaged.
    """
    import pandas

    from reproductions.lab.results import run_record

    if folder is None:
        from reports.paths import RUNS as folder
    rows = [run.record for run in run_record.read_all(Path(folder))]
    tested = [{"test_error": row.test.top1.error, "test_errors": row.test.top1.errors} for row in rows]
    return pandas.DataFrame([{**vars(row), **figures} for row, figures in zip(rows, tested)])
