"""The command `reproduce weights publish`."""

from dataclasses import replace

import numpy as np
import pytest

import reproductions
from reports import paths
from reproductions.cli.main import main
from reproductions.lab.results import run_record
from reproductions.lab.weights import trained
from tests.helpers.records import result
from tests.helpers.trained_runs import write_run


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Folders of five runs of LeNet-1, and their committed records, whose errors are not in the order of the seeds."""
    committed = tmp_path / "committed"
    committed.mkdir()
    monkeypatch.setattr(paths, "RUNS", committed)
    folders = []
    for seed, errors in enumerate((130, 90, 120, 150, 100), 1):
        folder = tmp_path / f"run{seed}"
        _, record = write_run(folder)
        record = replace(
            record,
            seed=seed,
            test=result(errors),
            misclassified=replace(record.misclassified, index=[], label=[], predicted=[]),
        )
        for path in (folder / "record.json", committed / f"lenet1-seed{seed}.json"):
            record.write(path)
        folders.append(folder)
    return folders


def test_the_run_with_the_median_error_is_given_out(runs, tmp_path, capsys):
    main(["weights", "publish", *map(str, runs), "--to", str(tmp_path / "out")])
    path = tmp_path / "out" / "lenet1.safetensors"
    assert capsys.readouterr().out == f"written to {path}\n"
    assert trained.read_list(tmp_path / "out")["lenet1"].record == "lenet1-seed3"
    assert trained.path_of("lenet1", tmp_path / "out") == path
    for given, saved in zip(reproductions.load(path).get_weights(), reproductions.load(runs[2]).get_weights()):
        np.testing.assert_array_equal(given, saved)
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    assert "seed 3: 120 errors, 1.20%" in card and "number 3 of 5 runs" in card and "the one with the median" in card
    assert "reproduce train lenet5 --network lenet1 --seed 3\n" in card
    for deviation in reproductions.find_network("lenet1").deviations:
        assert deviation in card


def test_without_the_median_the_nearest_is_taken_if_asked_for(runs, tmp_path, refusal):
    few, out = [str(runs[0]), str(runs[1])], ["--to", str(tmp_path / "out")]
    error = refusal("weights", "publish", *few, *out)
    assert "lenet1-seed3 has the median error, and none of the named folders has the same record" in error
    assert not (tmp_path / "out").exists()
    main(["weights", "publish", *few, *out, "--nearest"])
    assert trained.read_list(tmp_path / "out")["lenet1"].record == "lenet1-seed1"
    assert "whose weights were not kept, but the nearest" in (tmp_path / "out" / "lenet1.md").read_text()


def test_only_committed_runs_are_given_out(runs, tmp_path, refusal):
    record = run_record.read(runs[2] / "record.json")
    replace(record, commit="d" * 40).write(runs[2] / "record.json")
    assert "none of the named folders has the same record" in refusal("weights", "publish", str(runs[2]), "--nearest")
    replace(record, network="lenet4").write(runs[2] / "record.json")
    assert "lenet4 has no committed runs by its own recipe" in refusal("weights", "publish", str(runs[2]))
