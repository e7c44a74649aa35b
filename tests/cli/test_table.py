"""The command `reproduce table`."""

import csv
import io

from reproductions.cli.main import main
from reproductions.lab.analysis import architecture_tables


def test_tables_show_published_and_computed_values(capsys):
    main(["table", "lenet5"])
    output = capsys.readouterr().out
    assert "Section II-B: parameters and connections: published (computed)" in output
    assert "122,304 (122,304)" in output
    assert "[1] The text" in output, "differences are explained below the table"


def test_cells_are_written_as_csv(capsys):
    main(["table", "convnetjs", "--format", "csv"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {"published", "computed", "verdict", "reason"} < set(rows[0])
    assert {row["verdict"] for row in rows} <= {"holds", "holds as rounded"}


def test_a_network_is_shown_layer_by_layer(capsys):
    main(["table", "lenet5", "--network", "lenet5-lecture"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["type", "output", "window"]
    assert lines[-1].startswith("total")


def test_a_study_without_tables_suggests_a_network(refusal, monkeypatch, tmp_path):
    monkeypatch.setattr(architecture_tables, "PUBLISHED", tmp_path)
    message = refusal("table", "lenet5")
    assert "no published architecture tables of lenet5" in message
    assert "reproduce table lenet5 --network lenet5" in message
