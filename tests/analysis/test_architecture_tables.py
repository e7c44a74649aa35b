"""Published architecture tables and the networks."""

import json

import pytest

import reproductions
from reports.paths import COMPUTED
from reproductions.lab.analysis.architecture_tables import (
    COLUMNS,
    PUBLISHED,
    check_cells,
    compute_quantity,
    published_cells,
    select_layers,
)
from reproductions.lab.analysis.profile import profile_model, without_weights

STUDIES = list(reproductions.studies())


@pytest.fixture(scope="module")
def checked():
    return {name: check_cells(published_cells(name), reproductions.build) for name in STUDIES}


@pytest.mark.parametrize("name", STUDIES)
def test_only_cells_that_differ_are_explained(name, checked):
    published = published_cells(name)
    differs = checked[name]["verdict"] == "does not hold"
    assert (published["reason"] != "").tolist() == differs.tolist()
    assert {"parameters", "output_shape"} & set(published["quantity"])


def test_committed_tables_are_those_of_the_networks(checked):
    committed = json.loads((COMPUTED / "tables.json").read_text(encoding="utf-8"))
    assert committed == {name: cells.to_dict("records") for name, cells in checked.items()}


def test_unknown_layers_and_quantities_are_errors():
    with without_weights():
        layers = profile_model(reproductions.build("lenet5"))
    with pytest.raises(LookupError, match="expected the name of a layer or block, got 'C9'"):
        select_layers(layers, "C9")
    with pytest.raises(LookupError, match="got 'weight'"):
        compute_quantity(layers, "weight")


def test_a_study_may_have_no_architecture_tables():
    assert not (PUBLISHED / "no_such_study.csv").exists()
    cells = published_cells("no_such_study")
    assert cells.empty and tuple(cells.columns) == COLUMNS == tuple(published_cells("lenet5").columns)
