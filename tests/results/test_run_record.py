"""Records are written whole, read back equal, and refused by name if they are damaged."""

import json
from dataclasses import replace

import pytest

import reproductions
from reports.paths import README, RUNS
from reproductions.lab.errors import UsageError
from reproductions.lab.results import run_record
from reproductions.lab.results.entries import ErrorRate, InitProvenance
from reproductions.lab.results.run_record import SCHEMA
from tests.helpers.records import executed, made_up, result


def test_a_record_survives_its_file_and_its_table(tmp_path):
    record = executed(made_up(95), threads=2, init_from=InitProvenance("vgg-a", 1, "0"))
    record = record.with_test(replace(result(96, protocol="ten crops"), top5=ErrorRate.of(3, 10000)))
    record.write(tmp_path / "a.json")
    assert run_record.read(tmp_path / "a.json") == record
    frame = reproductions.records(tmp_path)
    assert frame.loc[0, "test_error"] == 0.95 and frame.loc[0, "network"] == "lenet5"
    assert frame.loc[0, "own_recipe"] and frame.loc[0, "training_images"] == 60000


def test_runs_by_the_own_recipe_give_the_readme_s_table():
    """The example of the README."""
    runs = reproductions.records()
    means = runs[runs["own_recipe"]].groupby("network")["test_error"].agg(["mean", "std"])
    readme = README.read_text(encoding="utf-8")
    for network in ("lenet5", "lenet4", "lenet1", "linear-classifier", "convnetjs-cifar10"):
        mean, deviation = means.loc[network]
        assert f"| {mean:.2f} ± {deviation:.2f}% |" in readme


def test_an_empty_recipe_is_named(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({**made_up(95).as_data(), "recipe": {}}))
    with pytest.raises(UsageError, match="its recipe lacks dataset, "):
        run_record.read(tmp_path / "a.json")


def test_a_record_is_written_whole_or_not_at_all(tmp_path):
    with pytest.raises(TypeError):
        replace(made_up(95), device=object()).write(tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []


def damaged():
    whole = made_up(95).as_data()
    yield "not JSON", "{"
    yield "a list", "[]"
    yield "little", json.dumps({"schema": SCHEMA, "study": "lenet5"})
    for part in ("test", "data"):
        yield f"empty {part}", json.dumps({**whole, part: {}})
    yield "no epochs", json.dumps({**whole, "history": []})
    yield "half an epoch", json.dumps({**whole, "history": [{"epoch": 1}]})
    yield "half of the errors", json.dumps({**whole, "misclassified": {"index": [1]}})
    yield "half of a test", json.dumps({**whole, "tests": {"144 crops": {"protocol": "144 crops"}}})
    yield "a word for a number", json.dumps({**whole, "seed": "one"})
    yield "nested too deep", "[" * 100_000
    for name, change in (
        ("no images", {"test": {**whole["test"], "images": 0}}),
        ("images that do not add up", {"test": {**whole["test"], "images": 9999}}),
        ("negative errors", {"test": {**whole["test"], "top1": {**whole["test"]["top1"], "errors": -1}}}),
        ("lists of unequal length", {"misclassified": {**whole["misclassified"], "label": [1]}}),
        ("an index outside the test set", {"misclassified": {"index": [10**8], "label": [1], "predicted": [2]}}),
        ("a class that does not exist", {"misclassified": {"index": [1], "label": [1], "predicted": [10]}}),
    ):
        yield name, json.dumps({**whole, **change})


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in damaged()])
def test_a_damaged_record_is_named(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UsageError, match=r"a\.json is not the record of a run"):
        run_record.read(tmp_path / "a.json")


@pytest.mark.parametrize(
    "changes",
    [{"whatever": 1}, {"splits": None}, {"learning_rate": [[1]]}, {"learning_rate": [[1e999, 1]]},
     {"train_transforms": [[]]}, {"epochs": "20"}, {"batch_size": -1}, {"weight_decay": -1}],
)  # fmt: skip
def test_a_recipe_that_does_not_fit_is_named(tmp_path, changes):
    data = made_up(95).as_data()
    (tmp_path / "a.json").write_text(json.dumps({**data, "recipe": {**data["recipe"], **changes}}))
    with pytest.raises(UsageError, match=r"a\.json: \w+ cannot be|a\.json\)\. Choose from|a\.json is not"):
        run_record.read(tmp_path / "a.json")


def test_the_damaged_field_is_named(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({**made_up(95).as_data(), "wall_seconds": "long"}))
    with pytest.raises(UsageError, match=r"expected `float`, got `str` - at `\$\.wall_seconds`"):
        run_record.read(tmp_path / "a.json")


@pytest.mark.parametrize(
    "schema, says", [(SCHEMA + 1, "newer than 2: update the suite"), (1, "reads 2: make it again")]
)
def test_another_schema_is_refused(tmp_path, schema, says):
    (tmp_path / "a.json").write_text(json.dumps({**made_up(95).as_data(), "schema": schema}))
    with pytest.raises(UsageError, match=f"has schema {schema}, .*{says}"):
        run_record.read(tmp_path / "a.json")


def test_a_record_without_schema_is_of_the_first(tmp_path):
    data = made_up(95).as_data()
    del data["schema"]
    (tmp_path / "a.json").write_text(json.dumps(data))
    with pytest.raises(UsageError, match="has schema 1"):
        run_record.read(tmp_path / "a.json")


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(UsageError, match="nowhere is not a folder of records or runs"):
        run_record.read_all(tmp_path / "nowhere")


def test_committed_records_hold_no_path_of_a_machine():
    for path in RUNS.glob("*.json"):
        assert '"/' not in path.read_text(encoding="utf-8"), path


def test_committed_records_read_well_in_a_diff():
    """A row of the history is a line, and so is each list of misclassified images."""
    paths = list(RUNS.glob("*.json"))
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)
    assert lines < 90 * len(paths) and sum(path.stat().st_size for path in RUNS.iterdir()) < 16_000 * len(paths)
    for path in paths:
        text, record = path.read_text(encoding="utf-8"), run_record.read(path)
        assert sum(line.startswith('  {"epoch": ') for line in text.splitlines()) == len(record.history)
        assert record.as_data() == json.loads(text)


@pytest.mark.parametrize(
    "content", [{}, {"a": 1}, {"schema": 1}, {"schema": 3, "network": "a"}, [1], 3, "record", {"optimizer": {}}, None]
)
def test_a_file_that_is_no_record_is_not_said_to_be_an_old_one(content, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UsageError, match=r"a\.json is not the record of a run: it lacks .*network|seed") as refused:
        run_record.read(path)
    assert "schema" not in str(refused.value)
