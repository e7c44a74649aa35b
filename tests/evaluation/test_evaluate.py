"""Figures of predictions, tests that are interrupted, ensembles, and the command."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import reproductions
from reproductions.cli.main import main
from reproductions.lab.data import registry
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import evaluate
from reproductions.lab.evaluation import scores as scoring
from reproductions.lab.results import predictions
from reproductions.lab.results.stats import wilson_interval
from reproductions.lab.spec.protocols import PROTOCOLS, find
from tests.helpers.small import SIZES, classifier, dataset, network, pictures, recipe, scores

# --- Figures


def test_figures_are_counts_of_answers_and_of_best_fives():
    random = np.random.default_rng(1)
    given, labels = random.random((300, 20)).astype("float32"), random.integers(0, 20, 300)
    best = np.argsort(-given, axis=1)[:, :5]
    wrong, outside = (best[:, 0] != labels).sum(), sum(label not in five for label, five in zip(labels, best))
    told = predictions.figures(given, labels)
    assert (told["errors"], told["top5_errors"], told["images"]) == (wrong, outside, 300)
    assert told["top5_error"] == outside / 3
    assert told["top5_interval"] == list(wilson_interval(outside, 300))
    assert told["per_class"] == [(labels == c).sum() for c in range(20)]
    rows = predictions.by_class(given, labels)
    assert sum(row["errors"] for row in rows) == wrong and sum(row["top5_errors"] for row in rows) == outside


def test_of_equal_scores_the_first_class_wins_and_ten_classes_have_no_best_five():
    equal = np.ones((10, 10), "float32")
    told = predictions.figures(equal, np.arange(10))
    assert told["errors"] == 9 == (predictions.predicted_classes(equal) != np.arange(10)).sum()
    assert "top5_error" not in told
    assert predictions.figures(np.ones((11, 11), "float32"), np.arange(11))["top5_errors"] == 6


# --- Tests of networks, kept and gone on with


def test_a_test_says_its_protocol_and_saves_what_figures_are_made_from(tmp_path):
    part = pictures(SIZES)
    told, given = evaluate.test(classifier(), network(), recipe(), dataset(part), tested=tmp_path)
    assert told["protocol"] == "ten crops" and told["images"] == 8
    saved = predictions.read(tmp_path / "predictions" / "ten-crops.npz")
    np.testing.assert_array_equal(saved.scores, given)
    np.testing.assert_array_equal(saved.labels, part.labels)
    np.testing.assert_array_equal(saved.names, part.filenames)
    assert {**predictions.figures(saved.scores, saved.labels), "protocol": saved.told["protocol"]} == told
    assert [path.name for path in (tmp_path / "predictions").iterdir()] == ["ten-crops.npz"]


def test_blacklisted_images_are_left_out_where_asked(tmp_path):
    part, model = pictures(SIZES), classifier()
    everything = evaluate.test(model, network(), recipe(), dataset(part), PROTOCOLS["centre crop"])[1]
    protocol = find("centre crop, non-blacklisted")
    told, given = evaluate.test(model, network(), recipe(), dataset(part), protocol, tmp_path)
    assert told["images"] == 6 and told["protocol"] == "centre crop, non-blacklisted"
    np.testing.assert_allclose(given, everything[~part.blacklisted], atol=1e-6)
    saved = predictions.read(predictions.path_of(tmp_path, protocol))
    assert list(saved.names) == [f"val_{i:03d}.JPEG" for i in (0, 2, 3, 4, 6, 7)]


@pytest.mark.parametrize("name", ["ten crops", "dense at 224, 256, 288"])
def test_an_interrupted_test_goes_on_where_it_stopped(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(scoring, "BATCH", 10)
    part, model, protocol = pictures(SIZES * 2), classifier(), PROTOCOLS[name]
    whole = evaluate.test(model, network(), recipe(), dataset(part), protocol)
    reads = len(part.reads)
    part.break_after = 3 * reads // 2
    with pytest.raises(tf.errors.OpError, match="the disk is gone"):
        evaluate.test(model, network(), recipe(), dataset(part), protocol, tmp_path)
    assert not predictions.path_of(tmp_path, protocol).exists()
    part.break_after, before = None, len(part.reads)
    again = evaluate.test(model, network(), recipe(), dataset(part), protocol, tmp_path)
    assert "going on after" in capsys.readouterr().out
    assert len(part.reads) - before < reads
    assert again[0] == whole[0]
    np.testing.assert_allclose(again[1], whole[1], atol=1e-6)
    assert len(list((tmp_path / "predictions").iterdir())) == 1


def test_a_test_goes_on_in_batches_of_another_size(tmp_path, monkeypatch):
    part, model = pictures(SIZES * 5), classifier()
    monkeypatch.setattr(scoring, "BATCH", 30)
    part.break_after = 20
    with pytest.raises(tf.errors.OpError):
        evaluate.test(model, network(), recipe(), dataset(part), tested=tmp_path)
    part.break_after = None
    monkeypatch.setattr(scoring, "BATCH", 40)
    found = evaluate.test(model, network(), recipe(), dataset(part), tested=tmp_path)[1]
    np.testing.assert_allclose(found, scores(model, part, "ten crops"), atol=1e-6)


def test_what_is_left_of_a_test_of_other_weights_is_not_taken_up(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(scoring, "BATCH", 20)
    part = pictures(SIZES * 5)
    part.break_after = 20
    with pytest.raises(tf.errors.OpError):
        evaluate.test(classifier(seed=1), network(), recipe(), dataset(part), tested=tmp_path)
    part.break_after, other = None, classifier(seed=2)
    found = evaluate.test(other, network(), recipe(), dataset(part), tested=tmp_path)[1]
    assert "going on" not in capsys.readouterr().out
    np.testing.assert_allclose(found, scores(other, part, "ten crops"), atol=1e-6)


# --- Ensembles


@pytest.fixture
def two_tested(tmp_path):
    part = pictures(SIZES)
    runs = [tmp_path / "one", tmp_path / "two"]
    for seed, run in enumerate(runs, 1):
        run.mkdir()
        evaluate.test(classifier(seed=seed), network(), recipe(), dataset(part), tested=run)
    return runs


def test_an_ensemble_averages_saved_scores(two_tested, capsys):
    each = [predictions.read(run / "predictions" / "ten-crops.npz") for run in two_tested]
    told, mean, _ = predictions.ensemble(two_tested, PROTOCOLS["ten crops"])
    np.testing.assert_allclose(mean, (each[0].scores + each[1].scores) / 2, atol=1e-7)
    assert told == {**predictions.figures(mean, each[0].labels), "protocol": "ten crops"}
    main(["evaluate", "--ensemble", *map(str, two_tested), "--protocol", "ten crops"])
    shown = capsys.readouterr().out
    low = told["top5_interval"][0]
    assert f"test error {told['error']:.2f}% ({told['errors']} of 8; 95% interval" in shown
    assert f"top-5 error {told['top5_error']:.2f}% ({told['top5_errors']} of 8; 95% interval {low:.2f} to" in shown


def test_an_ensemble_of_what_does_not_belong_together_is_refused(two_tested):
    one, two = two_tested
    ten = PROTOCOLS["ten crops"]
    with pytest.raises(UsageError, match=r"one has no predictions .* reproduce evaluate .*one --protocol '144 crops'"):
        predictions.ensemble([one, two], PROTOCOLS["144 crops"])
    with pytest.raises(UsageError, match="two runs or more"):
        predictions.ensemble([one], ten)
    path = predictions.path_of(two, ten)
    saved = predictions.read(path)
    changes = [
        (dict(told={**saved.told, "sha256": "1" * 64}), "differ in the data"),
        (dict(names=saved.names[::-1]), "another order"),
        (dict(labels=saved.labels[::-1]), "another order"),
        (dict(scores=saved.scores[:, :5]), "they do not fit"),
    ]
    for change, says in changes:
        replace(saved, **change).write(path)
        with pytest.raises(UsageError, match=says):
            predictions.ensemble([one, two], ten)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UsageError, match=r"ten-crops\.npz cannot be read"):
        predictions.ensemble([one, two], ten)


# --- The command


@pytest.fixture
def suite(monkeypatch):
    """The command, with a small network and its pictures in place of those of the suite."""
    data = dataset(pictures(SIZES))
    monkeypatch.setattr(reproductions, "find_network", lambda name, study=None: network())
    monkeypatch.setattr(reproductions, "find_study", lambda name: None)
    monkeypatch.setitem(registry.LOADERS, "pictures", lambda folder: data)
    return data


def test_weights_in_a_file_are_tested_by_the_protocol_that_is_named(suite, tmp_path, capsys):
    model = classifier()
    for name in "a.keras", "a.weights.h5":
        path = tmp_path / name
        model.save(path) if path.suffix == ".keras" else model.save_weights(path)
        main(["evaluate", str(path), "--network", "classifier", "--protocol", "12 crops", "--by-class"])
        given = predictions.read(tmp_path / f"{name}.predictions" / "12-crops.npz").scores
        np.testing.assert_allclose(given, scores(model, suite.test, "12 crops"), atol=1e-6)
        told = predictions.figures(given, suite.test.labels)
        shown = capsys.readouterr().out
        assert f"classifier, 12 crops:\n    test error {told['error']:.2f}%" in shown
        assert len([line for line in shown.splitlines() if line.strip()[:1].isdigit()]) == 8


def made_up_run(folder: Path, data) -> dict:
    """A run's folder with a network and a record; what is not of the test is made up."""
    folder.mkdir()
    model = classifier()
    model.save(folder / "model.keras")
    test, _ = evaluate.test(model, network(), recipe(), data)
    record = json.loads(sorted(reproductions.RUNS.glob("*.json"))[0].read_text())
    record |= {"network": "classifier", "recipe": recipe().as_data(), "test": test, "misclassified": []}
    record["data"] |= {"name": data.name, "sha256": data.sha256}
    (folder / "record.json").write_text(json.dumps(record))
    return record


def test_a_run_is_held_against_its_record_which_takes_up_tests_by_other_protocols(suite, tmp_path, capsys):
    run = tmp_path / "run"
    record = made_up_run(run, suite)
    main(["evaluate", str(run)])
    assert "as its record says" in capsys.readouterr().out
    assert json.loads((run / "record.json").read_text()) == record
    main(["evaluate", str(run), "--protocol", "centre crop", "--non-blacklisted"])
    told = json.loads((run / "record.json").read_text())["tests"]
    assert list(told) == ["centre crop, non-blacklisted"] and told["centre crop, non-blacklisted"]["images"] == 6
    main(["evaluate", str(run), "--protocol", "centre crop, non-blacklisted"])
    assert "as its record says" in capsys.readouterr().out
    record["test"]["errors"] += 1
    (run / "record.json").write_text(json.dumps(record))
    with pytest.raises(SystemExit, match="but its record says"):
        main(["evaluate", str(run)])


def test_committed_records_are_of_the_protocol_of_their_recipes():
    from reproductions.lab.results import run_record

    for path in reproductions.RUNS.glob("*.json"):
        told = run_record.read(path)
        assert evaluate.recipe_of(told).protocol == told.protocol, path


@pytest.mark.parametrize(
    "words, says",
    [
        (["run"], "run/record.json does not exist"),
        (["a.keras"], "name the network in a.keras with --network"),
        (["a.keras", "--network", "classifier"], "a.keras does not exist"),
        (
            ["a.weights.h5", "--network", "lenet6"],
            "'lenet6' is not a network. Did you mean 'lenet5'? Choose from: lenet5",
        ),
        (
            ["run", "--protocol", "nine crops"],
            "'nine crops' is not a protocol. Did you mean 'one crop'? Choose from: whole image",
        ),
        (["run", "--non-blacklisted"], "--non-blacklisted needs --protocol"),
        (["one", "two"], "name one run, or one file of weights, or several runs with --ensemble"),
        (["one", "two", "--ensemble"], "--ensemble needs --protocol"),
        (["one", "two", "--ensemble", "--protocol", "ten crops"], "one has no predictions by this protocol"),
    ],
)
def test_mistakes_get_one_sentence(words, says, refusal, request):
    if "classifier" in words:
        request.getfixturevalue("suite")
    told = refusal("evaluate", *words)
    assert says in told and told.count("\n") == 1


def test_damaged_weights_are_named(suite, tmp_path, refusal):
    (tmp_path / "a.keras").write_bytes(b"PK damaged")
    assert "a.keras cannot be read" in refusal("evaluate", "a.keras", "--network", "classifier")
