"""Trained networks from folders of runs and files of weights."""

import json
import re
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
import safetensors.numpy

import reproductions
from reports import paths
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import networks, tested
from reproductions.lab.results.predictions import Predictions
from reproductions.lab.spec.provenance import Provenance
from reproductions.lab.weights import imported, suite_file
from reproductions.lab.weights.suite_file import Contents
from tests.helpers.trained_runs import write_run

PROVENANCE = {"network": "vgg-d", "preset": "a", "publisher": "a", "file_name": "a", "sha256": "a"}


def assert_equal_weights(first: keras.Model, second: keras.Model) -> None:
    assert first.name == second.name
    for own, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(own, other)


@pytest.fixture
def run(tmp_path):
    return tmp_path / "run"


def test_a_run_is_loaded(run):
    model, _ = write_run(run)
    assert_equal_weights(reproductions.load(run), model)
    assert_equal_weights(reproductions.load(str(run / "model.keras")), model)


def test_a_run_with_the_parameters_of_another_is_refused(run):
    _, record = write_run(run)
    replace(record, parameters={"trainable": 1, "non_trainable": 0}).write(run / "record.json")
    with pytest.raises(UsageError, match=r"run has a network with .* parameters, but its record has"):
        reproductions.load(run)


def test_weights_other_than_the_tested_ones_are_refused(run):
    model, _ = write_run(run)
    metadata = {"network": "lenet1", "protocol": "whole image", "dataset": "mnist", "sha256": "0" * 64}
    one = np.zeros(1, np.int64)
    saved = Predictions(np.zeros((1, 10), np.float32), one, one, {**metadata, "weights": networks.digest(model)})
    saved.write(run / "predictions" / "whole-image.npz")
    reproductions.load(run)
    model.set_weights([2 * weight for weight in model.get_weights()])
    model.save(run / "model.keras")
    with pytest.raises(UsageError, match=r"model\.keras are not those that the run tested"):
        reproductions.load(run)


def test_imported_weights_are_loaded(tmp_path):
    model, path = reproductions.build("convnetjs-cifar10"), tmp_path / "a.keras"
    imported.write(path, model, Provenance("convnetjs-cifar10", "demo", "somebody", "a.json", "0" * 64))
    assert_equal_weights(reproductions.load(path), model)


def test_a_file_without_a_name_needs_one(tmp_path):
    model, path = reproductions.build("lenet1"), tmp_path / "a.weights.h5"
    model.save_weights(path)
    assert_equal_weights(reproductions.load(path, "lenet1"), model)
    with pytest.raises(UsageError, match="name the network"):
        reproductions.load(path)


@pytest.mark.parametrize("trained", [True, False])
def test_a_file_of_this_suite_is_loaded(trained, run, tmp_path):
    model, record = write_run(run)
    contents = Contents("lenet1", record.recipe, classes=10) if trained else Contents("lenet1")
    path = tmp_path / "a.safetensors"
    suite_file.write(path, model, contents)
    assert_equal_weights(reproductions.load(path), model)
    found = tested.find(path, None, reproductions.networks())
    assert tested.recipe_of(found).as_data() == record.recipe
    again = tmp_path / "b.safetensors"
    suite_file.write(again, reproductions.load(path), contents)
    assert again.read_bytes() == path.read_bytes()
    with pytest.raises(UsageError, match="of lenet1, not of lenet5"):
        reproductions.load(path, "lenet5")


def test_imported_weights_keep_their_provenance_in_safetensors(tmp_path):
    path, provenance = tmp_path / "a.safetensors", Provenance("googlenet", "bvlc", "BVLC", "a", "0", {"classes": 3})
    model = reproductions.build("googlenet", classes=3)
    suite_file.write(path, model, Contents("googlenet", provenance=provenance))
    assert_equal_weights(reproductions.load(path), model)
    assert tested.find(path, None, reproductions.networks()).provenance == provenance


def other_network(folder):
    _, record = write_run(folder)
    replace(record, network="lenet5", recipe={**record.recipe}).write(folder / "record.json")


@pytest.mark.parametrize(
    "write, message",
    [
        (lambda run: None, r"run/record\.json does not exist"),
        (lambda run: run.mkdir(), r"run/record\.json does not exist"),
        (other_network, r"model\.keras is of the network lenet1, not of lenet5"),
        (lambda run: (write_run(run), (run / "model.keras").unlink()), r"model\.keras is not a file"),
        (lambda run: (write_run(run), (run / "model.keras").write_bytes(b"PK")), r"model\.keras cannot be read"),
    ],
)
def test_a_folder_without_a_trained_network_is_refused(write, message, run):
    write(run)
    with pytest.raises(UsageError, match=message):
        reproductions.load(run)


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("a.pth", b"", "contains Python objects"),
        ("a.txt", b"", "is not a file of weights"),
        ("a.caffemodel", b"", "is not a network of this suite: make one of it with reproduce weights import"),
        ("a.safetensors", b"\xff" * 9, "a.safetensors cannot be read"),
        ("a.safetensors", safetensors.numpy.save({"a": np.zeros(1)}), "was not written by this suite: import it"),
        (
            "a.safetensors",
            safetensors.numpy.save({"a": np.zeros(1)}, {"reproductions": '{"network": 1}'}),
            "a.safetensors is not a file of weights of this suite: expected `str`, got `int` - at `",
        ),
        (
            "a.safetensors",
            safetensors.numpy.save({"a": np.zeros(1)}, {"reproductions": '{"network": "lenet1"}'}),
            "does not fit lenet1 .* the file lacks",
        ),
        (
            "a.safetensors",
            safetensors.numpy.save({"a": np.zeros(1)}, {"reproductions": '{"network": "lenet6"}'}),
            "'lenet6' is not a network",
        ),
        ("a.keras", b"PK", "a.keras cannot be read"),
        ("missing.safetensors", None, "missing.safetensors is not a file"),
        ("missing.pth", None, "does not exist"),
    ],
)
def test_a_file_without_a_trained_network_is_refused(name, content, message, tmp_path):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        reproductions.load(path)


def test_a_fitted_classifier_has_no_network_to_load(run, refusal):
    run.mkdir()
    shutil.copy(paths.RUNS / "nearest-neighbours-seed1.json", run / "record.json")
    message = "nearest-neighbours is not a network but a classifier that is fitted at once, without weights"
    with pytest.raises(UsageError, match=message):
        reproductions.load(run)
    assert message in refusal("evaluate", str(run))


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"classes": 10**9}, "expected `int` <= 25000, got 1000000000 - at `$.reproductions.classes`"),
        (
            {"recipe": {"input_size": 10**5}},
            "expected `int` <= 8192, got 100000 - at `$.reproductions.recipe.input_size`",
        ),
        ({"recipe": {"input_size": 8000}}, "its option input_size must be at most 512; got 8,000"),
        ({"recipe": {"options": {"classes": 10**9}}}, "its option classes must be at most 25,000"),
        ({"recipe": {"options": 3}}, "expected `object`, got `int` - at `$.reproductions.recipe.options`"),
        ({"recipe": {"dropout": 3}}, "'dropout' is not a recipe field (in "),
        ({"provenance": {**PROVENANCE, "options": {"classes": 10**9}}}, "its option classes must be at most 25,000"),
        ({"provenance": {**PROVENANCE, "options": {"unknown": 3}}}, "got an unexpected keyword argument 'unknown'"),
    ],
)
def test_a_file_that_describes_a_huge_network_is_refused(contents, message, tmp_path):
    path, network = tmp_path / "a.safetensors", reproductions.networks()["vgg-d"]
    if "recipe" in contents:
        contents = {"recipe": {**network.to_train().as_data(), **contents["recipe"]}}
    metadata = {suite_file.ENTRY: json.dumps({"network": "vgg-d", **contents})}
    safetensors.numpy.save_file({"a": np.ones(1, np.float32)}, path, metadata)
    with pytest.raises(
        UsageError, match=rf"(a\.safetensors.*{re.escape(message)})|({re.escape(message)}.*a\.safetensors)"
    ):
        tested.load(tested.find(path, None, reproductions.networks()))
