"""Networks that a classifier combines: runs of their own, from which the classifier's answers follow."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import reproductions
from reproductions.lab.classifiers.boosting import Patterns
from reproductions.lab.data import mnist
from reproductions.lab.results import run_record
from reproductions.lab.training import members
from reproductions.lab.training.members import MemberTrainer
from reproductions.lab.training.options import TrainOptions
from tests.helpers.once import once_per_session
from tests.helpers.reproduce import Reproduce

NETWORKS = ("network1", "network2", "network3")
BOOSTED = ("train", "lenet5", "--network", "boosted-lenet4", "--hold-out", "--training-images", "300")
RECIPE = reproductions.find_model("boosted-lenet4").recipe


def recipe_file(folder: Path, copies: object = 2, **changes: object) -> Path:
    """Write the classifier's recipe with few copies and two epochs, except for some parameters."""
    (step,) = RECIPE.as_data()["steps"]
    recipe = {**step["config"]["recipe"], "epochs": 2}
    path = folder / "small.json"
    path.write_text(
        json.dumps({"steps": [{**step, "config": {**step["config"], "recipe": recipe, "copies": copies, **changes}}]}),
        encoding="utf-8",
    )
    return path


def train(folder: Path) -> Path:
    """Train the three networks, in `run`."""
    done = Reproduce(folder)(*BOOSTED, "--recipe", str(recipe_file(folder)), "--run-dir", "run")
    assert done.returncode == 0, done.stderr
    (folder / "output.txt").write_text(done.stdout, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory, worker_id):
    """A folder with a small run of the boosted networks. Not to be written to."""
    return once_per_session(tmp_path_factory, worker_id, "boosted", train)


def records_in(run: Path) -> list[run_record.Record]:
    """The records of the three networks."""
    return [run_record.read(run / name / "record.json") for name in NETWORKS]


def test_each_network_has_a_run_of_its_own(trained):
    own, found = run_record.read(trained / "run" / "record.json"), records_in(trained / "run")
    assert [record.network for record in found] == ["lenet4"] * 3 and len({record.seed for record in found}) == 3
    assert found[0].data.train == own.training_images == 300
    assert found[1].data.train % 2 == 0 and found[1].data.train > 10
    assert [bool(record.recipe["train_transforms"]) for record in found] == [True, False, False]
    assert {tuple(record.recipe["splits"]) for record in found} == {("train",)}
    assert all(record.history[-1].val_error is not None for record in found), "the validation split is held out"
    assert (own.execution.threads, own.device) == (1, found[0].device)
    assert own.versions == {**found[0].versions, "sklearn": own.versions["sklearn"]}
    output = (trained / "output.txt").read_text(encoding="utf-8")
    assert f"network 2: {found[1].data.train:,} patterns" in output and "epoch 2 of 2: loss" in output


def test_the_answers_are_those_of_the_added_penalties(trained):
    """Images are put into the field of 32 pixels here without the suite's transforms."""
    record, test = run_record.read(trained / "run" / "record.json"), mnist.subset().test
    field = np.pad(test.images / 255 * 1.275 - 0.1, [(0, 0), (2, 2), (2, 2)], constant_values=-0.1)[..., np.newaxis]
    networks = [reproductions.load(trained / "run" / name) for name in NETWORKS]
    penalties = sum(np.asarray(network(field.astype(np.float32))) for network in networks)
    wrong = np.flatnonzero(penalties.argmin(axis=1) != test.labels)
    np.testing.assert_array_equal(record.misclassified.index, wrong)
    np.testing.assert_array_equal(record.misclassified.predicted, penalties.argmin(axis=1)[wrong])


def test_a_seed_fixes_the_run_and_what_is_trained_is_kept(trained, reproduce):
    """As if a run had been stopped when two networks were trained: these are those of the patterns chosen again."""
    again = reproduce.folder / "again"
    shutil.copytree(trained / "run", again)
    shutil.rmtree(again / "network3")
    (again / "record.json").unlink()
    done = reproduce(*BOOSTED, "--recipe", str(recipe_file(reproduce.folder)), "--run-dir", "again")
    assert done.returncode == 0 and done.stdout.count("has finished: reusing it") == 2, done.stderr
    for name in ("", *NETWORKS):
        first, second = (run_record.read(each / name / "record.json") for each in (trained / "run", again))
        assert first.without_times() == second.without_times()
    seconds = sum(run_record.read(again / name / "record.json").wall_seconds for name in NETWORKS)
    assert run_record.read(again / "record.json").wall_seconds > seconds, "in both sessions"


def test_a_network_of_another_seed_is_not_continued(trained, refusal, tmp_path):
    shutil.copytree(trained / "run", tmp_path / "run")
    (tmp_path / "run" / "record.json").unlink()
    message = refusal(*BOOSTED, "--recipe", recipe_file(tmp_path), "--run-dir", "run", "--seed", "2")
    assert "network1 holds a run with another seed" in message


@pytest.fixture
def trainer(tmp_path):
    """A trainer of LeNet-4 with distortions, and a hundred digits with pixels in 0..1."""
    study = reproductions.find_study("lenet5")
    recipe = members.recipe_of(RECIPE.steps[0]["config"]["recipe"], "boosted-lenet4")
    data = mnist.subset()
    options = TrainOptions(seed=1, run_dir=tmp_path)
    digits = Patterns(data.train.images[:100].astype(np.float32) / 255, data.train.labels[:100])
    return MemberTrainer(study, members.find_network("lenet4", study), recipe, options, data), digits


def test_the_recipe_of_the_networks_is_that_of_lenet4_distorted(trainer):
    own = reproductions.find_network("lenet4").to_train()
    distorted = reproductions.find_network("lenet5-distorted").to_train()
    transforms = {name: getattr(distorted, name) for name in ("train_transforms", "test_transforms")}
    assert trainer[0].recipe.as_data() == replace(own, **transforms).as_data()


def test_copies_are_new_ones_for_each_network(trainer):
    trainer, digits = trainer
    second, same, third = (list(trainer.copies(number, digits, 3)) for number in (2, 2, 3))
    assert [block.images.shape for block in second] == [(100, 32, 32, 1)] * 3
    for one, other in zip(second, same):
        np.testing.assert_array_equal(one.images, other.images)
    unlike = {block.images[i].tobytes() for block in (*second, *third) for i in range(100)}
    assert 490 < len(unlike) <= 600, "nine in ten of them are distorted, all differently"
    for block in second:
        np.testing.assert_array_equal(np.bincount(block.labels), np.bincount(digits.labels))


def test_inputs_are_undistorted_and_in_order(trainer):
    trainer, digits = trainer
    inputs = trainer.inputs(digits.images)
    assert inputs.shape == (100, 32, 32, 1)
    np.testing.assert_allclose(inputs[:, 2:-2, 2:-2, 0], digits.images * 1.275 - 0.1, atol=1e-6)


@pytest.mark.parametrize(
    "fields, message",
    [
        (3, "must be fields by name; got 3"),
        ({"epochs": 2}, "the recipe of the networks of boosted-lenet4 is not whole"),
        ({"epoch": 2}, "Did you mean 'epochs'?"),
        ({"epochs": 0}, r"`\$.recipe.epochs`"),
        ({**RECIPE.steps[0]["config"]["recipe"], "train_transforms": ["shifted"]}, "Did you mean 'shift'?"),
    ],
)
def test_the_recipe_of_the_networks_is_checked(fields, message):
    with pytest.raises(reproductions.UsageError, match=message):
        members.recipe_of(fields, "boosted-lenet4")


@pytest.mark.parametrize("name", ["lenet9", "alexnet", 3, None])
def test_the_networks_are_of_the_same_paper(name):
    with pytest.raises(reproductions.UsageError, match=f"'{name}' is not a network of lenet5"):
        members.find_network(name, reproductions.find_study("lenet5"))


def test_mistakes_in_its_steps_are_found_before_training(refusal, tmp_path):
    recipe = recipe_file(tmp_path, network="lenet9")
    message = refusal(*BOOSTED, "--recipe", recipe, "--run-dir", tmp_path / "run")
    assert "'lenet9' is not a network of lenet5. Did you mean 'lenet" in message


def test_fewer_patterns_than_a_batch_are_refused(refusal, tmp_path):
    arguments = (*BOOSTED[:-1], "5", "--recipe", recipe_file(tmp_path), "--run-dir", tmp_path / "run")
    assert "patterns of network 1 has 5 training images, fewer than a batch of 8" in refusal(*arguments)
