"""Text of records and files never reaches the terminal as control characters; it is shown escaped."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from reproductions.cli.main import main
from reproductions.cli.options import FORMATS
from reproductions.lab.weights import tensor_file
from tests.helpers.records import made_up, result

CLEAR = "\x1b]0;title\x07\x1b[2J"
SHOWN = r"\x1b]0;title\x07\x1b[2J"


@pytest.fixture
def runs(tmp_path):
    """Two runs whose records have such text in all that is printed of them."""
    for seed in 1, 2:
        record = made_up(100 + seed, seed)
        changed = replace(
            record,
            data=replace(record.data, name=CLEAR + "data", source=CLEAR),
            test=result(100 + seed, protocol=CLEAR + "protocol"),
            device=CLEAR,
        )
        (tmp_path / f"run{seed}").mkdir()
        changed.write(tmp_path / f"run{seed}" / "record.json")
    return [str(tmp_path / f"run{seed}") for seed in (1, 2)]


@pytest.mark.parametrize("form", FORMATS)
def test_comparisons_show_control_characters_escaped(form, runs, capsys):
    for run in runs:
        record = Path(run, "record.json")
        content = {**json.loads(record.read_text(encoding="utf-8")), "network": CLEAR + "network"}
        record.write_text(json.dumps(content), encoding="utf-8")
    main(["compare", *runs, "--format", form])
    printed = capsys.readouterr().out
    assert "\x1b" not in printed and "\x07" not in printed
    assert (SHOWN if form == "text" else "x1b]0") in printed


def test_results_show_no_control_characters(runs, tmp_path, capsys):
    main(["results", "lenet5", "--runs", str(tmp_path)])
    assert "\x1b" not in capsys.readouterr().out


def test_errors_show_control_characters_escaped(tmp_path, refusal):
    (tmp_path / "recipe.json").write_text(json.dumps({CLEAR: 1}), encoding="utf-8")
    error = refusal("train", "lenet5", "--recipe", "recipe.json")
    assert SHOWN.replace("\\", "\\\\") in error and "\x1b" not in error
    error = refusal("evaluate", f"{CLEAR}.keras", "--network", "lenet5")
    assert f"{SHOWN}.keras is not a file" in error and "\x1b" not in error


def test_names_of_weights_show_control_characters_escaped(tmp_path):
    safetensors.numpy.save_file({CLEAR: np.ones(1, np.float32)}, tmp_path / "a.safetensors")
    assert list(tensor_file.read(tmp_path / "a.safetensors").tensors) == [SHOWN]
