"""Runs compared with each other, and what cannot be compared."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from reports.paths import RUNS
from reproductions.cli.main import main
from reproductions.lab.errors import UsageError
from reproductions.lab.results import predictions
from reproductions.lab.results.compare import compare, epochs_to_error
from reproductions.lab.results.comparison_text import sentences
from reproductions.lab.results.entries import Misclassified
from reproductions.lab.results.run_record import Record
from reproductions.lab.results.stats import mcnemar_exact, paired_difference
from reproductions.lab.spec import protocols
from tests.helpers.records import executed, learning, made_up, result

# Of one data set: others are not compared.
NAMES = "lenet5", "lenet5-lecture"
COMMITTED = sorted(path for name in NAMES for path in RUNS.glob(f"{name}-seed*.json"))
NOTHING = Misclassified([], [], [])


@pytest.fixture
def runs(tmp_path):
    """Write records, in run folders of their own, and return the folders."""

    def write(*records: Record) -> list[Path]:
        folders = [tmp_path / f"run{number}" for number in range(len(records))]
        for folder, record in zip(folders, records):
            folder.mkdir()
            record.write(folder / "record.json")
        return folders

    return write


def other(errors: int, seed: int = 1, **changes) -> Record:
    """A record of a second network."""
    return replace(made_up(errors, seed, **changes), network="lenet5-lecture")


def test_common_seeds_are_paired_and_all_summarized(runs):
    found = compare(runs(made_up(100, 1), made_up(90, 2), made_up(80, 4), other(110, 1), other(95, 2), other(50, 3)))
    (first, second), (pair,) = found.networks, found.pairs
    assert first.seeds == [1, 2, 4] and first.error == pytest.approx(0.9)
    assert first.deviation == pytest.approx(0.1)
    assert second.error == pytest.approx(0.85)
    assert pair.seeds == [1, 2] and pair.difference == pytest.approx(0.075)
    assert pair.p == pytest.approx(paired_difference([110, 95], [100, 90]).p)
    assert [row.seeds for row in found.images] == [(1, 1), (2, 2)]


def test_single_runs_have_an_interval_and_no_t_test(runs):
    found = compare(runs(made_up(100, 1), other(110, 2)))
    low, high = found.runs[0].interval
    assert low < 1 < high and found.networks[0].deviation is None
    assert found.pairs[0].seeds == [] and found.pairs[0].p is None
    assert found.images[0].seeds == (1, 2), "two networks need not share a seed to be given the same images"
    assert "no common seed" in sentences(found)[0]


def wrong(indices: list[int]) -> Misclassified:
    """Images taken for the next class."""
    return Misclassified(indices, [i % 10 for i in indices], [(i + 1) % 10 for i in indices])


def test_images_are_counted_by_who_gets_them_wrong(runs):
    indices = list(range(30))
    found = compare(
        runs(
            replace(made_up(20), misclassified=wrong(indices[:20])),
            replace(other(17), misclassified=wrong(indices[13:])),
        )
    )
    (row,) = found.images
    assert (row.both, row.only_first, row.only_second) == (7, 13, 10)
    assert row.p == pytest.approx(mcnemar_exact(13, 10))
    says = sentences(found)[1]
    assert "7 are misclassified by both, 10 by lenet5-lecture only and 13 by lenet5 only" in says
    assert says.endswith(": no significant difference.")


def test_a_clear_difference_is_named(runs):
    few, many = runs(made_up(20), other(80))
    for order in (few, many), (many, few):
        assert sentences(compare(order))[1].endswith(": lenet5 has a significantly lower error.")


def test_epochs_to_an_error_are_interpolated():
    rows = learning([60, 40, 20, 30], made_up(1)).history
    assert [epochs_to_error(rows, error) for error in (70, 60, 50, 40, 25, 20, 10)] == [1, 1, 1.5, 2, 2.75, 3, None]


def test_networks_are_compared_by_epochs_to_an_error(runs):
    fast = [learning([40, 20], made_up(1)), learning([30, 20], made_up(1, 2))]
    slow = learning([60, 50, 40, 35, 30, 28, 27, 26, 24], other(1))
    found = compare(runs(*fast, slow), training_error=25)
    assert [each.epochs for each in found.training] == pytest.approx([(1.75 + 1.5) / 2, 8.5])
    says = "reached by lenet5 after 1.6 epochs, by lenet5-lecture after 8.5, 5.2 times as many."
    assert sentences(found)[-1].endswith(says)


def test_an_error_that_no_run_reached_is_named(runs):
    reached, never = learning([60, 40, 20], made_up(1)), learning([60, 50], other(1))
    unknown = "25% training error: not reached by every run of lenet5-lecture."
    assert sentences(compare(runs(reached, never), training_error=25))[-1] == unknown, (
        "it might have been reached sooner"
    )


def test_an_error_that_was_not_reached_has_a_lower_bound(runs):
    longer = [learning([60, 50, 40, 35, 30, 29], other(1)), learning([60, 50, 25], other(1, 2))]
    found = compare(runs(learning([60, 40, 20], made_up(1)), *longer), training_error=25)
    assert [each.more_than for each in found.training] == [None, 4.5]
    says = "reached by lenet5 after 2.8 epochs, by lenet5-lecture after more than 4.5, more than 1.6 times as many."
    assert sentences(found)[-1] == f"25% training error: {says}"


def save_predictions(folder: Path, wrong: list[int], sha256: str = "mnist", protocol: str = "whole image") -> None:
    labels = np.arange(10000) % 10
    answers = labels.copy()
    answers[wrong] = (labels[wrong] + 1) % 10
    metadata = {"network": "x", "protocol": protocol, "dataset": "mnist", "sha256": sha256, "weights": "w"}
    path = predictions.path_of(folder, protocols.find(protocol))
    predictions.Predictions(np.eye(10, dtype="float32")[answers], labels, np.arange(10000), metadata).write(path)


def test_saved_predictions_replace_missing_errors(runs):
    folders = runs(made_up(20), replace(other(30), misclassified=NOTHING))
    found = compare(folders)
    assert found.images[0].p is None and "neither records nor saved predictions" in sentences(found)[1]
    save_predictions(folders[1], list(range(5, 35)))
    (row,) = compare(folders).images
    assert (row.both, row.only_first, row.only_second) == (15, 5, 15)


@pytest.mark.parametrize("wrong, sha256", [(range(29), "mnist"), (range(30), "another")])
def test_predictions_of_another_test_are_refused(runs, wrong, sha256):
    folders = runs(made_up(20), replace(other(30), misclassified=NOTHING))
    save_predictions(folders[1], list(wrong), sha256)
    with pytest.raises(UsageError, match="does not belong to the recorded test"):
        compare(folders)


def test_the_protocol_is_one_that_all_were_tested_by(runs):
    dense = result(77, protocol="dense at 256")
    folders = runs(made_up(20).with_test(dense), replace(other(77), test=dense))
    assert compare(folders).protocol == "dense at 256"
    assert compare(folders).networks[0].error == 0.77
    with pytest.raises(UsageError, match="run1 was tested by dense at 256, not by whole image; test it with"):
        compare(folders, "whole image")


@pytest.mark.parametrize(
    "records, says",
    [
        ([made_up(9)], "at least two runs"),
        ([made_up(9), made_up(9, data="mnist-subset")], "run1 is on mnist-subset and .*run0 is on mnist, by their"),
        ([made_up(9), made_up(8)], "run0 and .*run1 are of the same run"),
    ],
)
def test_what_cannot_be_compared_is_refused(runs, records, says):
    with pytest.raises(UsageError, match=says):
        compare(runs(*records))


def test_a_damaged_record_and_a_missing_one_are_named(runs):
    folders = runs(made_up(9), other(9))
    (folders[1] / "record.json").write_text("{")
    with pytest.raises(UsageError, match=r"run1/record\.json is not the record of a run"):
        compare(folders)
    with pytest.raises(UsageError, match=r"nowhere\.json does not exist"):
        compare([folders[0], folders[0].parent / "nowhere.json"])


def test_recipes_of_one_network_are_kept_apart(runs):
    bfloat = executed(made_up(70), precision="mixed_bfloat16")
    found = compare(runs(made_up(60), made_up(65, batch_size=64), bfloat))
    assert [each.network for each in found.networks] == ["lenet5 (1)", "lenet5 (2)", "lenet5 (3)"]
    assert [pair.changes for pair in found.pairs] == [
        ["batch size 64, not 32"],
        ["precision mixed_bfloat16, not float32"],
        ["batch size 32, not 64", "precision mixed_bfloat16, not float32"],
    ]
    assert "lenet5 (2) compared with lenet5 (1) (batch size 64, not 32)" in sentences(found)[0]


def test_one_network_over_its_seeds_is_summed_up(runs):
    found = compare(runs(made_up(90, 1), made_up(110, 2)))
    assert found.pairs == found.images == []
    assert sentences(found) == ["All runs are of lenet5 by one recipe: there is nothing to compare."]


@pytest.mark.parametrize("form", ["text", "markdown", "csv", "json", "latex"])
def test_every_format_has_the_same_content(form, capsys):
    main(["compare", *map(str, COMMITTED), "--format", form])
    shown = capsys.readouterr().out
    found = compare(COMMITTED)
    if form == "json":
        assert json.loads(shown) == json.loads(json.dumps(asdict(found)))
    assert {each.network for each in found.networks} == {"lenet5", "lenet5-lecture"}
    if form != "json":
        assert all(f"{run.errors} of 10,000" in shown for run in found.runs)
    if form in ("text", "markdown"):
        assert all(sentence in shown for sentence in sentences(found))


def test_comparing_does_not_import_tensorflow():
    code = (
        "import sys\nfrom reproductions.cli.main import main\nmain(sys.argv[1:])\n"
        "sys.exit('heavy' if {'tensorflow', 'keras', 'jax'} & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, "compare", *map(str, COMMITTED)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
