"""Tables in every format."""

import pytest

import reproductions
from reports.formats import format_table, side_by_side
from reproductions.lab.analysis.architecture_tables import check_cells, layer_table, published_cells


@pytest.fixture(scope="module")
def tables():
    cells = check_cells(published_cells("googlenet"), reproductions.build)
    layers = layer_table(reproductions.find_network("inception-v3").build)
    return cells.set_index("table"), side_by_side(cells)[0], layers


@pytest.mark.parametrize("output_format", ["text", "markdown", "csv", "json", "latex"])
def test_tables_are_written_in_every_format(output_format, tables, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    cells, side_by_side, layers = tables
    assert "inception (3a)" in format_table(cells, output_format)
    assert "inception (3a)" in format_table(side_by_side, output_format)
    assert "23851784" in format_table(layers, output_format)
