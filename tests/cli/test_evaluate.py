"""The command `reproduce evaluate`."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import reproductions
from reports.paths import RUNS
from reproductions.cli.main import main
from reproductions.lab.data import registry
from reproductions.lab.data.base import Dataset, InMemoryImages
from reproductions.lab.evaluation import evaluate, networks
from reproductions.lab.evaluation.evaluate import EvaluationTask
from reproductions.lab.results import predictions, run_record
from reproductions.lab.results.entries import ErrorRate, Misclassified
from reproductions.lab.results.run_record import Record
from reproductions.lab.spec.protocols import PROTOCOLS
from reproductions.lab.weights import trained
from tests.helpers.small import classifier, dataset, network, photographs, recipe, scores


@pytest.fixture
def suite(monkeypatch):
    """The command with a small network and its photographs in place of those of the suite."""
    data = dataset(photographs())
    monkeypatch.setattr(reproductions, "networks", lambda: {"classifier": network()})
    monkeypatch.setitem(registry.LOADERS, "photographs", lambda folder: data)
    return data


def write_run(folder: Path, data: Dataset) -> Record:
    """Write a run with the small network; its record is that of another run except for data, recipe and test."""
    folder.mkdir()
    model = classifier(classes=data.classes)
    model.save(folder / "model.keras")
    test, _ = evaluate.test(EvaluationTask(model, network(), recipe(), data))
    record = run_record.read(sorted(RUNS.glob("*.json"))[0])
    record = replace(
        record,
        network="classifier",
        parameters=networks.parameters(model),
        recipe=recipe().as_data(),
        data=replace(record.data, name=data.name, sha256=data.sha256, classes=data.classes),
        test=test,
        tests={},
        misclassified=Misclassified([], [], []),
    )
    record.write(folder / "record.json")
    return record


@pytest.mark.parametrize("name", ["a.keras", "a.weights.h5"])
def test_weights_in_a_file_are_tested_by_a_named_protocol(name, suite, tmp_path, capsys):
    model, path = classifier(), tmp_path / name
    model.save(path) if path.suffix == ".keras" else model.save_weights(path)
    main(["evaluate", str(path), "--network", "classifier", "--protocol", "12 crops", "--by-class"])
    given = predictions.read(tmp_path / f"{name}.predictions" / "12-crops.npz").scores
    np.testing.assert_allclose(given, scores(model, suite.test, "12 crops"), atol=1e-6)
    result = predictions.result_of(given, suite.test.labels, "12 crops")
    output = capsys.readouterr().out
    assert f"classifier, 12 crops:\n    test error {result.top1.error:.2f}%" in output
    assert len([line for line in output.splitlines() if line.strip()[:1].isdigit()]) == 8


def test_a_result_is_compared_with_the_record_or_added(suite, tmp_path, capsys):
    run = tmp_path / "run"
    path, record = run / "record.json", write_run(run, suite)
    main(["evaluate", str(run)])
    assert "equal to the recorded result" in capsys.readouterr().out
    assert run_record.read(path) == record
    name = "centre crop, non-blacklisted"
    main(["evaluate", str(run), "--protocol", "centre crop", "--non-blacklisted"])
    assert f"added to {path}" in capsys.readouterr().out
    tests = run_record.read(path).tests
    assert list(tests) == [name] and tests[name].images == 6
    assert run_record.read(path).test == record.test
    main(["evaluate", str(run), "--protocol", name])
    assert "equal to the recorded result" in capsys.readouterr().out


def test_other_formats_print_a_table_alone(suite, tmp_path, capsys):
    run = tmp_path / "run"
    write_run(run, suite)
    for options, rows in ([], 1), (["--by-class"], 8):
        main(["evaluate", str(run), "--format", "json", *options])
        shown = capsys.readouterr()
        assert len(json.loads(shown.out)) == rows and "equal to the recorded result" in shown.err


def test_a_result_that_differs_from_the_record_is_an_error(suite, tmp_path):
    run = tmp_path / "run"
    record = write_run(run, suite)
    found = record.test.top1
    replace(record, test=replace(record.test, top1=ErrorRate.of(1, 8))).write(run / "record.json")
    assert found.errors != 1
    message = rf"record\.json: recorded 12\.50% \(1 of 8; .*found {found.error:.2f}% \({found.errors} of 8; "
    with pytest.raises(SystemExit, match=message):
        main(["evaluate", str(run)])


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["run"], "run/record.json does not exist"),
        (["a.keras"], "name the network in a.keras with --network"),
        (["a.keras", "--network", "classifier"], "a.keras is not a file"),
        (
            ["a.weights.h5", "--network", "lenet6"],
            "'lenet6' is not a network. Did you mean 'lenet5'? ",
        ),
        (
            ["run", "--protocol", "nine crops"],
            "'nine crops' is not a protocol. Did you mean 'one crop'? Choose from: whole image",
        ),
        (["run", "--non-blacklisted"], "--non-blacklisted needs --protocol"),
        (["one", "two"], "expected one run or file of weights, got 2; for the average of several add --ensemble"),
        (["one", "--to", "a.json"], "--to is for ensembles"),
        (["one", "two", "--ensemble"], "--ensemble needs --protocol"),
        (["one", "two", "--ensemble", "--protocol", "ten crops"], "one has no predictions by this protocol"),
    ],
)
def test_mistakes_get_one_sentence(arguments, message, refusal, request):
    if "classifier" in arguments:
        request.getfixturevalue("suite")
    error = refusal("evaluate", *arguments)
    assert message in error and error.count("\n") == 1


def test_damaged_weights_are_named(suite, tmp_path, refusal):
    (tmp_path / "a.keras").write_bytes(b"PK damaged")
    assert "a.keras cannot be read" in refusal("evaluate", "a.keras", "--network", "classifier")


def test_a_run_on_other_data_is_refused(suite, tmp_path, refusal):
    run = tmp_path / "run"
    record = write_run(run, suite)
    replace(record, data=replace(record.data, name="others", sha256="1" * 64)).write(run / "record.json")
    error = refusal("evaluate", str(run))
    assert "the run was trained on others, but memory contains photographs" in error
    assert "1" * 64 in error and suite.sha256 in error


def test_listing_protocols_imports_nothing_heavy():
    code = (
        "import sys\nfrom reproductions.cli.main import main\nmain(['evaluate', '--list-protocols'])\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'layers'} & set(sys.modules)\nsys.exit(f'{heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(f"{name}: {protocol.crops_per_image} crop" in done.stdout for name, protocol in PROTOCOLS.items())


def test_a_network_of_the_suite_is_named_instead_of_a_file(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record = run_record.read(RUNS / f"{trained.read_list()['lenet1'].record}.json")
    images = InMemoryImages(np.random.default_rng(1).integers(0, 256, (20, 28, 28), np.uint8), np.arange(20) % 10)
    digits = dataset(images, "mnist")
    given = replace(digits, sha256=record.data.sha256)
    monkeypatch.setitem(registry.LOADERS, "mnist", lambda folder: given)
    with pytest.raises(SystemExit, match=rf"the result differs .*{record.network}-seed.*found .* of 20;"):
        main(["evaluate", "lenet1"])
    monkeypatch.setitem(registry.LOADERS, "mnist", lambda folder: digits)
    main(["evaluate", "lenet1"])
    assert "not in the record, which is of whole image on mnist" in capsys.readouterr().out
    assert not list(tmp_path.iterdir()) and not list(trained.FOLDER.glob("*.predictions"))
