"""Papers, networks and records as they are shown in Python and in notebooks."""

from dataclasses import replace

import reproductions
from reproductions.lab.results.run_record import Record
from tests.helpers.records import made_up


def test_papers_and_networks_are_shown_briefly():
    studies = reproductions.studies()
    assert len(repr(studies)) < 100 * len(studies)
    study = studies["alexnet"]
    assert repr(study).startswith("Study('alexnet', 2012, ")
    assert repr(reproductions.find_network("lenet5")) == "Network('lenet5', mnist, 20 epochs)"
    assert repr(replace(study.networks[0], recipe=None)) == f"Network({study.networks[0].name!r})"


def test_a_record_is_shown_briefly():
    record: Record = made_up(95)
    assert repr(record) == f"Record('lenet5', 'mnist', seed {record.seed}, test error 0.95%)"


def test_a_paper_is_a_table_in_notebooks():
    study = reproductions.find_study("lenet5")
    shown = study._repr_html_()
    assert shown.count("<tr>") == 1 + len(study.models)
    assert all(f"<td>{model.name}</td>" in shown for model in study.models)
    assert "<script>" not in replace(study, title="<script>")._repr_html_()
