"""Runs held against each other: the tests are those of the textbooks, and what cannot be compared is refused."""

import json
import math
import statistics
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import reproductions
from reproductions.cli.main import main
from reproductions.lab.errors import UsageError
from reproductions.lab.results import predictions
from reproductions.lab.results.compare import compare, passes_to, sentences
from reproductions.lab.results.run_record import Record
from reproductions.lab.results.stats import holm, mcnemar_exact, paired_difference
from reproductions.lab.spec import protocols
from reproductions.lab.spec.recipe_changes import changes
from tests.reports.test_report import made_up

# Of one data set: others are not compared.
NAMES = "lenet5", "lenet5-lecture"
COMMITTED = sorted(path for name in NAMES for path in reproductions.RUNS.glob(f"{name}-seed*.json"))


@pytest.fixture
def runs(tmp_path):
    """Writes records, in run folders of their own, and gives the folders."""

    def write(*records: Record) -> list[Path]:
        folders = [tmp_path / f"run{number}" for number in range(len(records))]
        for folder, told in zip(folders, records):
            folder.mkdir()
            told.write(folder / "record.json")
        return folders

    return write


def other(errors: int, seed: int = 1, **changes) -> Record:
    """A record of a second network."""
    return replace(made_up(errors, seed, **changes), network="lenet5-lecture")


def test_a_paired_t_test_is_the_formula():
    one, two = [103, 86, 89], [111, 100, 97]
    differences = [a - b for a, b in zip(one, two)]
    t = statistics.mean(differences) / (statistics.stdev(differences) / math.sqrt(3))
    found = paired_difference(one, two)
    assert found.mean == pytest.approx(statistics.mean(differences))
    # With two degrees of freedom the distribution has a closed form.
    assert found.p == pytest.approx(1 - abs(t) / math.sqrt(2 + t * t))
    a = 0.95
    quantile = a * math.sqrt(2 / (1 - a * a))
    half = quantile * statistics.stdev(differences) / math.sqrt(3)
    assert found.interval == pytest.approx((found.mean - half, found.mean + half))


def test_equal_differences_leave_a_t_test_nothing_to_go_by():
    assert paired_difference([3, 4, 5], [1, 2, 3]) is None
    with pytest.raises(ValueError, match="two pairs or more"):
        paired_difference([1], [2])


def test_holm_s_correction_takes_the_smallest_p_times_all_tests_and_the_next_times_one_less():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1, 1]


@pytest.mark.parametrize("one, two", [(0, 0), (5, 5), (1, 9), (43, 51), (0, 6)])
def test_mcnemar_s_exact_test_is_a_fair_coin_s(one, two):
    tail = sum(math.comb(one + two, k) for k in range(min(one, two) + 1)) / 2 ** (one + two)
    assert mcnemar_exact(one, two) == pytest.approx(min(1, 2 * tail))


def test_seeds_that_both_have_are_paired_and_all_are_summed_up(runs):
    found = compare(runs(made_up(100, 1), made_up(90, 2), made_up(80, 4), other(110, 1), other(95, 2), other(50, 3)))
    (first, second), (pair,) = found["networks"], found["pairs"]
    assert first["seeds"] == [1, 2, 4] and first["error"] == pytest.approx(0.9)
    assert first["deviation"] == pytest.approx(0.1)
    assert second["error"] == pytest.approx(0.85)
    assert pair["seeds"] == [1, 2] and pair["difference"] == pytest.approx(0.075)
    assert pair["p"] == pytest.approx(paired_difference([110, 95], [100, 90]).p)
    assert [row["seeds"] for row in found["images"]] == [[1, 1], [2, 2]]


def test_single_runs_have_wilson_s_interval_and_no_t_test(runs):
    found = compare(runs(made_up(100, 1), other(110, 2)))
    low, high = found["runs"][0]["interval"]
    assert low < 1 < high and found["networks"][0]["deviation"] is None
    assert found["pairs"][0]["seeds"] == [] and found["pairs"][0]["p"] is None
    assert found["images"][0]["seeds"] == [1, 2], "two networks need not share a seed to be given the same images"
    assert "no seed that both have" in sentences(found)[0]


def test_images_are_counted_by_who_gets_them_wrong(runs):
    errors = made_up(30).misclassified
    found = compare(
        runs(replace(made_up(20), misclassified=errors[:20]), replace(other(17), misclassified=errors[13:]))
    )
    (row,) = found["images"]
    assert (row["both"], row["only_first"], row["only_second"]) == (7, 13, 10)
    assert row["p"] == pytest.approx(mcnemar_exact(13, 10))
    says = sentences(found)[1]
    assert "both get 7 wrong, only lenet5-lecture 10 and only lenet5 13" in says and "not told apart" in says


def test_a_clear_difference_is_named(runs):
    few, many = runs(made_up(20), other(80))
    for order in (few, many), (many, few):
        assert sentences(compare(order))[1].endswith(": of these two runs, lenet5 errs less.")


def learning(errors: list[float], record: Record) -> Record:
    return replace(record, epochs=[{"epoch": n, "error": error} for n, error in enumerate(errors, 1)])


def test_passes_to_a_training_error_lie_between_those_above_and_below_it():
    rows = learning([60, 40, 20, 30], made_up(1)).epochs
    assert [passes_to(rows, error) for error in (70, 60, 50, 40, 25, 20, 10)] == [1, 1, 1.5, 2, 2.75, 3, None]


def test_networks_are_held_against_each_other_by_their_passes_to_a_training_error(runs):
    fast = [learning([40, 20], made_up(1)), learning([30, 20], made_up(1, 2))]
    slow = learning([60, 50, 40, 35, 30, 28, 27, 26, 24], other(1))
    found = compare(runs(*fast, slow), training_error=25)
    assert [each["passes"] for each in found["training"]] == pytest.approx([(1.75 + 1.5) / 2, 8.5])
    assert sentences(found)[-1].endswith("lenet5 comes to it in 1.6 passes, lenet5-lecture in 8.5, 5.2 times as many.")


def test_a_training_error_that_was_never_reached_is_said_to_be(runs):
    reached, never = learning([60, 40, 20], made_up(1)), learning([60, 50], other(1))
    unknown = "25% training error: not every run of lenet5-lecture came to it."
    assert sentences(compare(runs(reached, never), training_error=25))[-1] == unknown, "it might have come to it sooner"


def test_a_training_error_that_was_not_reached_in_longer_is_so_many_passes_away_at_least(runs):
    longer = [learning([60, 50, 40, 35, 30, 29], other(1)), learning([60, 50, 25], other(1, 2))]
    found = compare(runs(learning([60, 40, 20], made_up(1)), *longer), training_error=25)
    assert [each["more_than"] for each in found["training"]] == [None, 4.5]
    told = "lenet5 comes to it in 2.8 passes, lenet5-lecture in more than 4.5, more than 1.6 times as many."
    assert sentences(found)[-1] == f"25% training error: {told}"


def save_predictions(folder: Path, wrong: list[int], sha256: str = "mnist", protocol: str = "whole image") -> None:
    labels = np.arange(10000) % 10
    answers = labels.copy()
    answers[wrong] = (labels[wrong] + 1) % 10
    told = {"network": "x", "protocol": protocol, "dataset": "mnist", "sha256": sha256, "weights": "w"}
    path = predictions.path_of(folder, protocols.find(protocol))
    predictions.Predictions(np.eye(10, dtype="float32")[answers], labels, np.arange(10000), told).write(path)


def test_saved_predictions_serve_where_a_record_lists_no_errors(runs):
    folders = runs(made_up(20), replace(other(30), misclassified=[]))
    found = compare(folders)
    assert found["images"][0]["p"] is None and "nothing lists the images" in sentences(found)[1]
    save_predictions(folders[1], list(range(5, 35)))
    (row,) = compare(folders)["images"]
    assert (row["both"], row["only_first"], row["only_second"]) == (15, 5, 15)


@pytest.mark.parametrize("wrong, sha256", [(range(29), "mnist"), (range(30), "another")])
def test_predictions_of_another_test_are_refused(runs, wrong, sha256):
    folders = runs(made_up(20), replace(other(30), misclassified=[]))
    save_predictions(folders[1], list(wrong), sha256)
    with pytest.raises(UsageError, match="is not of the test that the record tells of"):
        compare(folders)


def test_runs_are_compared_by_a_protocol_that_all_were_tested_by(runs):
    dense = {**made_up(77).test, "protocol": "dense at 256"}
    folders = runs(made_up(20).tested(dense), replace(other(30), test=dense))
    assert compare(folders)["protocol"] == "dense at 256"
    assert compare(folders)["networks"][0]["error"] == 0.77
    with pytest.raises(UsageError, match="run1 was tested by dense at 256, not by whole image; test it with"):
        compare(folders, "whole image")


@pytest.mark.parametrize(
    "records, says",
    [
        ([made_up(9)], "two runs or more"),
        ([made_up(9), made_up(9, data="mnist-subset")], "run1 is of mnist-subset and .*run0 is of mnist, by their"),
        ([made_up(9), made_up(8)], "run0 and .*run1 are of the same run"),
    ],
)
def test_what_cannot_be_compared_is_refused(runs, records, says):
    with pytest.raises(UsageError, match=says):
        compare(runs(*records))


def test_a_damaged_record_and_a_missing_one_are_named(runs):
    folders = runs(made_up(9), other(9))
    (folders[1] / "record.json").write_text("{")
    with pytest.raises(UsageError, match=r"run1/record\.json is not a whole record"):
        compare(folders)
    with pytest.raises(UsageError, match=r"nowhere\.json does not exist"):
        compare([folders[0], folders[0].parent / "nowhere.json"])


def test_recipes_of_one_network_are_kept_apart_and_their_differences_told(runs):
    bfloat = replace(made_up(70), execution={"precision": "mixed_bfloat16"})
    found = compare(runs(made_up(60), made_up(65, batch=64), bfloat))
    assert [each["network"] for each in found["networks"]] == ["lenet5 (1)", "lenet5 (2)", "lenet5 (3)"]
    assert [pair["changes"] for pair in found["pairs"]] == [
        ["batch 64, not 32"],
        ["precision mixed_bfloat16, not float32"],
        ["batch 32, not 64", "precision mixed_bfloat16, not float32"],
    ]
    assert "lenet5 (2) against lenet5 (1) (batch 64, not 32)" in sentences(found)[0]


def test_one_network_over_its_seeds_is_summed_up(runs):
    found = compare(runs(made_up(90, 1), made_up(110, 2)))
    assert found["pairs"] == found["images"] == []
    assert sentences(found) == ["All runs are of lenet5 by one recipe: there is nothing to compare."]


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_every_format_tells_the_same_of_the_committed_runs(form, capsys):
    main(["compare", *map(str, COMMITTED), "--format", form])
    shown = capsys.readouterr().out
    found = json.loads(shown) if form == "json" else compare(COMMITTED)
    assert {each["network"] for each in found["networks"]} == {"lenet5", "lenet5-lecture"}
    if form != "json":
        assert all(f"{run['errors']} of 10,000" in shown for run in found["runs"])
        assert all(sentence in shown for sentence in sentences(found))


def test_comparing_does_not_wait_for_tensorflow():
    code = (
        "import sys\nfrom reproductions.cli.main import main\nmain(sys.argv[1:])\n"
        "sys.exit('heavy' if {'tensorflow', 'keras', 'jax'} & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, "compare", *map(str, COMMITTED)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


RECIPE = made_up(0).recipe
SGD = {"class_name": "SGD", "config": {"momentum": 0.9}}


@pytest.mark.parametrize(
    "changed, phrases",
    [
        ({}, []),
        ({"batch_size": 512, "epochs": 3}, ["batch 512, not 32", "epochs 3, not 20"]),
        ({"weight_decay": 0.0005}, ["weight decay 0.0005, not 0.0"]),
        ({"weight_decay": {"conv1": 0.1}}, ["weight decay conv1=0.1, not 0.0"]),
        ({"optimizer": {**SGD, "config": {"momentum": 0.5}}}, ["optimizer momentum 0.5, not 0.9"]),
        ({"optimizer": {**SGD, "config": {}}}, ["optimizer momentum unset, not 0.9"]),
        ({"optimizer": {"class_name": "Adam", "config": {}}}, ["optimizer Adam, not SGD(momentum=0.9)"]),
        ({"learning_rate": [[first, 2 * rate] for first, rate in RECIPE["learning_rate"]]}, ["rates 2 times as high"]),
        (
            {"learning_rate": {"first": 0.1, "factor": 0.5, "every": 2}},
            [
                "rates first=0.1, factor=0.5, every=2, not 0.002 from pass 1, 0.0008 from pass 3, "
                "0.0004 from pass 6, 0.0002 from pass 9, 4e-05 from pass 13"
            ],
        ),
        ({"images": ["lenet_field", ["affine", {"degrees": 5}]]},
         ["images lenet_field and affine(degrees=5), not lenet_field"]),
        ({"loss_weights": {"main": 1.0}}, ["heads main 1.0, not unset"]),
        ({"kernel_initializer": None}, ["initial weights none, not layers>FanInUniform(bound=2.4)"]),
    ],
)  # fmt: skip
def test_changes_of_a_recipe_are_phrases(changed, phrases):
    assert changes({**RECIPE, **changed}, RECIPE) == phrases


def test_recipes_older_than_a_setting_have_its_default():
    old = {name: value for name, value in RECIPE.items() if name not in ("weight_decay", "protocol", "loss_weights")}
    assert changes(old, RECIPE) == changes(RECIPE, old) == []


def test_a_decay_is_compared_part_by_part():
    decay = {"first": 0.1, "factor": 0.5, "every": 2}
    assert changes({**RECIPE, "learning_rate": {**decay, "first": 0.2}}, {**RECIPE, "learning_rate": decay}) == [
        "rates first 0.2, not 0.1"
    ]
