"""Classifiers that are not networks: trained, compared and reported by the commands that networks have."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import reproductions
from reports.run_groups import groups_of
from reports.sections.rerun import rerun_commands
from reproductions.lab.results import run_record
from reproductions.lab.spec import recipe_changes, recipe_files
from tests.helpers.once import once_per_session
from tests.helpers.reproduce import Reproduce, offline

NEIGHBOURS = ("train", "lenet5", "--network", "nearest-neighbours", "--threads", "1", "--training-images", "500")

WITHOUT_TENSORFLOW = """
import sys
from reproductions.cli.main import main
from reproductions.lab.data import base
base.download = lambda title, name: None
main(sys.argv[1:])
sys.exit(f"imported {heavy}" if (heavy := {"tensorflow", "keras", "layers"} & set(sys.modules)) else 0)
"""


def train(folder: Path) -> Path:
    """Train nearest neighbours, in `run`."""
    done = Reproduce(folder)(*NEIGHBOURS, "--hold-out", "--run-dir", "run")
    assert done.returncode == 0, done.stderr
    (folder / "output.txt").write_text(done.stdout, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory, worker_id):
    """A folder with a run of nearest neighbours. Not to be written to."""
    return once_per_session(tmp_path_factory, worker_id, "nearest-neighbours", train)


def test_the_record_of_a_classifier_is_that_of_a_run(trained):
    record = run_record.read(trained / "run" / "record.json")
    assert (record.network, record.seed, record.training_images) == ("nearest-neighbours", 1, 500)
    assert record.recipe["splits"] == ["train"] and record.execution.threads == 1
    assert record.test.images == 1000 and 3 < record.test.top1.error < 20
    assert len(record.misclassified) == record.test.top1.errors
    assert record.validation is not None and 3 < record.validation.error < 25
    assert (record.history, record.images_per_second, set(record.versions)) == (
        [],
        None,
        {"python", "sklearn", "numpy"},
    )
    assert run_record.Run(trained / "run", record).sheet.is_file()
    output = (trained / "output.txt").read_text(encoding="utf-8")
    assert f"validation error {record.validation.error:.2f}%" in output
    assert f"{record.test.top1.error:.2f}%" not in output, "with --hold-out settings are chosen"


def test_its_command_reruns_it(trained):
    (group,) = groups_of(reproductions.find_study("lenet5"), run_record.read_all(trained))
    assert group.schedule == "500 images"
    (rerun,) = rerun_commands(group)
    words = [*NEIGHBOURS[:4], "--seed 1", *NEIGHBOURS[6:], "--hold-out", *NEIGHBOURS[4:6]]
    assert rerun.command == f"reproduce {' '.join(words)}"


def test_it_is_reported_and_compared_like_a_network(trained, reproduce):
    found = reproduce("report", "--runs", str(trained), "--out", "pages")
    assert found.returncode == 0, found.stderr
    page = (reproduce.folder / "pages" / "lenet5.md").read_text(encoding="utf-8")
    section = page[page.index("## nearest-neighbours on mnist-subset, 500 images") :]
    assert "| - | - |" in section and "Training error" not in section and "misclassified.png" in section
    networks = (reproduce.folder / "pages" / "networks.md").read_text(encoding="utf-8")
    assert "`KNeighborsClassifier(n_neighbors=3, algorithm=brute)`" in networks
    again = reproduce(*NEIGHBOURS, "--seed", "2", "--hold-out", "--run-dir", "again")
    assert again.returncode == 0, again.stderr
    first, second = (
        run_record.read(folder / "record.json") for folder in (trained / "run", reproduce.folder / "again")
    )
    assert first.misclassified == second.misclassified, "there is nothing random in it"
    compared = reproduce("compare", str(trained / "run"), "again")
    assert compared.returncode == 0 and "nearest-neighbours" in compared.stdout, compared.stderr
    refused = reproduce("compare", str(trained / "run"), "again", "--training-error", "5")
    assert refused.returncode == 2 and "was fitted at once" in refused.stderr


def test_a_finished_run_is_reused_and_another_is_refused(trained, reproduce, refusal):
    run = str(trained / "run")
    reused = reproduce(*NEIGHBOURS, "--hold-out", "--run-dir", run, "--resume")
    assert reused.returncode == 0 and "has finished: reusing it" in reused.stdout, reused.stderr
    for arguments, message in (
        (("--hold-out",), "already holds a run: reuse it with --resume"),
        (("--hold-out", "--resume", "--seed", "3"), "holds a run with another seed (1, not 3)"),
        (("--resume",), "holds a run with another recipe, splits"),
    ):
        assert message in refusal(*NEIGHBOURS, "--run-dir", run, *arguments)


def test_a_classifier_is_trained_without_tensorflow(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, *NEIGHBOURS, "--run-dir", "run"],
        cwd=tmp_path,
        env=offline(tmp_path),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["lock", "misclassified.png", "record.json"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--epochs", "3"),
        ("--strategy", "mirrored"),
        ("--precision", "mixed_bfloat16"),
        ("--jit",),
        ("--scale-batch", "2"),
        ("--input-size", "32"),
        ("--accumulate", "2"),
        ("--init-from", "run"),
        ("--save-every", "5"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_options_about_epochs_and_devices_are_refused(arguments, refusal):
    message = refusal(*NEIGHBOURS, *arguments)
    assert f"{arguments[0]} does not apply to nearest-neighbours, which is fitted at once" in message


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("--threads", "0"), "--threads must be at least 1; got 0"),
        (("--training-images", "0"), "--training-images must be at least 1; got 0"),
        (("--training-images", "9999"), "mnist-subset has only 4000 training images"),
        (("--seed", "-1"), "--seed must lie between 0 and"),
    ],
)
def test_invalid_values_are_refused_as_for_networks(arguments, message, refusal):
    assert message in refusal(*NEIGHBOURS, *arguments)


def test_a_recipe_file_changes_the_steps(refusal, tmp_path):
    recipe = tmp_path / "recipe.json"
    for content, message in (
        ({"epochs": 3}, "'epochs' is not a recipe field"),
        ({"steps": []}, "expected at least one item - at `$.steps`"),
        ({"steps": [{"class_name": "Flattened", "config": {}}]}, "Did you mean 'Flatten'?"),
    ):
        recipe.write_text(json.dumps(content), encoding="utf-8")
        assert message in refusal(*NEIGHBOURS, "--recipe", recipe)


@pytest.mark.parametrize("name", [each.name for each in reproductions.find_study("lenet5").classifiers])
def test_every_recipe_of_a_classifier_survives_a_file(name):
    own = reproductions.find_model(name).to_train()
    content = json.loads(json.dumps(own.as_data()))
    assert recipe_files.overridden(replace(own, dataset="", steps=()), content, Path("recipe.json")) == own
    recipe_files.check_recorded(content, Path("record.json"))
    assert recipe_changes.changes({**content, "training_images": 10}, content) == ["10 training images, not all"]


def test_a_classifier_can_neither_be_built_nor_tuned_nor_evaluated(refusal, trained):
    with pytest.raises(reproductions.UsageError, match="nearest-neighbours is not a network but a classifier"):
        reproductions.build("nearest-neighbours")
    commands = (
        ("tune", "lenet5", "--network", "nearest-neighbours"),
        ("evaluate", trained / "run"),
        ("table", "lenet5", "--network", "nearest-neighbours"),
    )
    for arguments in commands:
        assert "nearest-neighbours is not a network but a classifier" in refusal(*arguments)


def test_a_classifier_may_be_named_in_place_of_its_study():
    study, classifier = reproductions.find("nearest-neighbours")
    assert (study.name, classifier.name) == ("lenet5", "nearest-neighbours")
