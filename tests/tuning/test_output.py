"""What a search prints: its trials in every format, and its progress."""

import csv
import io
import json
import re

import pytest

from reproductions.cli import tune as tuning
from reproductions.cli.main import main
from reproductions.cli.options import FORMATS
from reproductions.lab import progress
from reproductions.lab.results import trial_record
from tests.helpers.tiny_search import NETWORK, STUDY, searched


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("search") / "run"


@pytest.mark.parametrize("form", FORMATS)
def test_tune_prints_its_trials_in_every_format(form, folder, monkeypatch, capsys):
    monkeypatch.setattr(tuning, "find_network", lambda options: (STUDY, NETWORK))
    options = ("--max-trials", "2", "--epochs", "1", "--retrain", "0", "--resume", "--run-dir", str(folder))
    main(["tune", "made-up", *options, "--format", form])
    output, errors = capsys.readouterr()
    trials = trial_record.read_all(folder)
    found = {f"{trial.error:.2f}%" for trial in trials}
    assert len(trials) == 2
    if form == "text":
        assert "best: " in output and all(error in output for error in found)
        return
    assert "best: " in errors and "best: " not in output, "programs read a table alone"
    if form == "json":
        assert {row["validation error"] for row in json.loads(output)} == found
    elif form == "csv":
        assert {row["validation error"] for row in csv.DictReader(io.StringIO(output))} == found
    elif form == "markdown":
        assert [line[0] for line in output.splitlines()] == ["|"] * 4
        assert all(error in output for error in found)
    else:
        assert output.startswith(r"\begin{tabular}") and r"\bottomrule" in output
        assert all(error.replace("%", r"\%") in output for error in found)


def test_a_search_shows_how_many_trials_are_done(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "LINE_EVERY", 0)
    searched(tmp_path / "run", max_trials=3, epochs=1)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("search: ")]
    counts = [re.match(r"search: (\d) of 3 trials, [\d.]+ trials/(s|min), \d+ (s|min) left$", line) for line in lines]
    assert [count and count[1] for count in counts] == ["1", "2", "3"], lines
