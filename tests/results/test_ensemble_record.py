"""Records of ensembles: made from saved predictions, whatever their order, and refused if they are damaged."""

import itertools
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reproductions.cli.main import main
from reproductions.lab.errors import UsageError
from reproductions.lab.results import ensemble_record, predictions
from reproductions.lab.results.ensemble_record import SCHEMA, format_networks, parse_networks
from reproductions.lab.results.predictions import Predictions
from reproductions.lab.results.run_record import Record
from reproductions.lab.spec.protocols import PROTOCOLS
from tests.helpers.records import LECTURE, ensemble, made_up, member, result

WHOLE = PROTOCOLS["whole image"]
IMAGES = 50


def write_run(folder: Path, seed: int, record: Record | None = None) -> Path:
    """Write a run with made-up predictions, and the record that goes with them."""
    random = np.random.default_rng(seed)
    labels = np.arange(IMAGES) % 10
    scores = (random.random((IMAGES, 10)) + 0.4 * np.eye(10)[labels]).astype(np.float32)
    test = predictions.result_of(scores, labels, WHOLE.name)
    wrong = predictions.misclassified(predictions.predicted_classes(scores), labels)
    record = replace(record or made_up(0, seed), test=test, misclassified=wrong)
    metadata = {
        "network": record.network,
        "protocol": WHOLE.name,
        "dataset": "mnist",
        "sha256": record.data.sha256,
        "weights": f"{100 - seed:064d}",
    }
    run = folder / f"{record.network}-seed{seed}"
    run.mkdir(parents=True)
    Predictions(scores, labels, np.arange(IMAGES), metadata).write(predictions.path_of(run, WHOLE))
    record.write(run / "record.json")
    return run


@pytest.fixture
def runs(tmp_path):
    return [write_run(tmp_path / "runs", seed) for seed in (1, 2, 3)]


def test_a_record_has_the_members_and_the_error_of_the_mean(runs, tmp_path):
    record, _ = ensemble_record.of_runs(runs, WHOLE)
    saved = [predictions.read(predictions.path_of(run, WHOLE)) for run in runs]
    answers = sum(each.scores.astype(float) for each in saved).argmax(axis=1)
    wrong = np.flatnonzero(answers != saved[0].labels)
    assert 0 < record.test.top1.errors == len(wrong) and record.misclassified.index == wrong.tolist()
    assert [(each.network, each.seed) for each in record.members] == [("lenet5", seed) for seed in (1, 2, 3)]
    for each, own in zip(record.members, saved):
        assert each.weights == own.metadata["weights"] and each.commit == "c" * 40
        assert each.top1.errors == (own.scores.argmax(axis=1) != own.labels).sum() > record.test.top1.errors
    assert record.name == "3 lenet5" and record.filename == "3-lenet5-whole-image.json"
    record.write(tmp_path / "a.json")
    assert ensemble_record.read(tmp_path / "a.json") == record


def test_the_order_of_the_runs_does_not_matter(runs):
    records = []
    for order in itertools.permutations(runs):
        record, found = ensemble_record.of_runs(order, WHOLE)
        records.append((record, found.predictions.scores.tobytes()))
    assert len(records) == 6 and all(each == records[0] for each in records)


def test_predictions_that_the_record_does_not_report_are_refused(runs):
    for change in ({"test": result(1, IMAGES)}, {"network": "lenet4"}):
        record = replace(made_up(0, 3), test=ensemble_record.run_record.read(runs[2] / "record.json").test)
        replace(record, **change).write(runs[2] / "record.json")
        with pytest.raises(UsageError, match=r"lenet5-seed3 are not those that its record reports; .*reproduce eval"):
            ensemble_record.of_runs(runs, WHOLE)


def test_the_command_writes_a_record_or_compares_it(runs, capsys):
    command = ["evaluate", "--ensemble", *map(str, runs), "--protocol", WHOLE.name]
    path = runs[0].parent / "ensembles" / "3-lenet5-whole-image.json"
    main(command)
    record = ensemble_record.read(path)
    output = capsys.readouterr().out
    assert f"test error {record.test.top1.error:.2f}%" in output and f"written to {path}" in output
    main([*command[:2], *reversed(command[2:5]), *command[5:]])
    assert "equal to the recorded result" in capsys.readouterr().out
    replace(record, test=result(1, IMAGES), misclassified=made_up(1).misclassified).write(path)
    with pytest.raises(SystemExit, match=r"image\.json: recorded 2\.00% \(1 of 50; .*found "):
        main(command)


def test_a_file_of_other_networks_is_not_replaced(runs, tmp_path, refusal):
    path = tmp_path / "a.json"
    command = ["evaluate", "--ensemble", *map(str, runs), "--protocol", WHOLE.name, "--to", str(path)]
    ensemble(result(1, IMAGES), member(1, images=IMAGES), member(2, 2, images=IMAGES)).write(path)
    before = path.read_bytes()
    assert "a.json has the record of other networks (lenet5 seed 1, lenet5 seed 2)" in refusal(*command)
    (runs[0] / "record.json").unlink()
    assert "a.json is not written: " in refusal(*command)
    assert path.read_bytes() == before


def test_logits_and_penalties_are_not_averaged(runs, tmp_path, refusal):
    other = replace(made_up(0, 4), network=LECTURE.name, recipe=LECTURE.to_train().as_data())
    runs.append(write_run(tmp_path / "runs", 4, other))
    error = refusal("evaluate", "--ensemble", *map(str, runs), "--protocol", WHOLE.name)
    assert "networks with logits (lenet5-lecture) and penalties (lenet5) cannot be averaged" in error
    assert not (tmp_path / "runs" / "ensembles").exists()


# --- Damaged records

WHOLE_RECORD = replace(ensemble(result(2), member(3), member(4, 2)), misclassified=made_up(2).misclassified).as_data()


def damaged():
    first, second = WHOLE_RECORD["members"]
    test, wrong = WHOLE_RECORD["test"], WHOLE_RECORD["misclassified"]
    yield "one member", {"members": [first]}, "fewer than two members"
    yield "one network twice", {"members": [first, {**second, "weights": first["weights"]}]}, "the same weights"
    yield "no recipe", {"members": [first, {**second, "recipe": {}}]}, "its recipe lacks dataset"
    yield "a top-5 error", {"members": [first, {**second, "top5": first["top1"]}]}, "must both have a top-5"
    yield "many errors", {"members": [first, {**second, "top1": {**first["top1"], "errors": 10001}}]}, "not between 0"
    yield "another rate", {"test": {**test, "top1": {**test["top1"], "error": 1.0}}}, r"2 errors .* are not 1\.0%"
    yield "no images", {"test": {**test, "images": 0}}, "expected `int` >= 1, got 0 - at `.*test.images`"
    yield "half a list", {"misclassified": {**wrong, "label": [1]}}, "lists of misclassified images differ"
    yield (
        "one mistake",
        {"misclassified": {name: own[:1] for name, own in wrong.items()}},
        "1 misclassified image",
    )
    yield "a field too many", {"author": "nobody"}, r"unknown field - at `\$\.author`"
    yield "deep inside", {"members": [first, {**second, "top1": {**first["top1"], "x": 1}}]}, r"members\[1\]\.top1\.x`"
    yield "a word for a number", {"members": [first, {**second, "seed": "two"}]}, r"members\[1\]\.seed`"
    yield "an old schema", {"schema": 1}, "has schema 1, but this version reads"
    yield "a new schema", {"schema": SCHEMA + 1}, "update the suite"


@pytest.mark.parametrize(
    "change, message", [pytest.param(change, message, id=name) for name, change, message in damaged()]
)
def test_a_damaged_record_is_named(tmp_path, change, message):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(WHOLE_RECORD))
    assert ensemble_record.read(path).as_data() == WHOLE_RECORD
    path.write_text(json.dumps({**WHOLE_RECORD, **change}))
    with pytest.raises(UsageError, match=rf"(?s)a\.json.*{message}"):
        ensemble_record.read(path)


@pytest.mark.parametrize(
    "text, networks",
    [
        ("5 alexnet", {"alexnet": 5}),
        ("inception-v4 + 3 inception-resnet-v2", {"inception-v4": 1, "inception-resnet-v2": 3}),
        ("vgg-d-256-512 + vgg-e-256-512", {"vgg-d-256-512": 1, "vgg-e-256-512": 1}),
    ],
)
def test_the_networks_of_an_ensemble_are_parsed(text, networks):
    assert parse_networks(text) == networks
    assert parse_networks(format_networks(Counter(networks))) == networks


@pytest.mark.parametrize("text", ["", "alexnet", "1 alexnet", "0 alexnet + 2 zfnet", "a + a", "2 a and b", "two a"])
def test_other_texts_are_not_ensembles(text):
    with pytest.raises(UsageError, match="ensemble"):
        parse_networks(text)
