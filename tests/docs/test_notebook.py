"""The notebook runs from top to bottom, and its stored outputs are those of its cells."""

import nbformat
import pytest
from nbclient import NotebookClient

from reports.paths import DOCS
from tests.helpers.reproduce import offline

NOTEBOOKS = sorted(DOCS.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs_as_it_is_stored(path, tmp_path):
    stored = nbformat.read(path, as_version=4)
    done = NotebookClient(nbformat.read(path, as_version=4), timeout=300, resources={"metadata": {"path": tmp_path}})
    done.execute(env=offline(tmp_path))
    for before, after in zip(stored.cells, done.nb.cells):
        if before.cell_type == "code":
            assert kinds(before) == kinds(after), before.source


def kinds(cell) -> set[str]:
    """What a cell puts out; warnings do not count."""
    return {output.output_type for output in cell.outputs if output.get("name") != "stderr"}
