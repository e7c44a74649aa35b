"""The networks that the suite gives out: their files, model cards and errors."""

from pathlib import Path

import numpy as np
import pytest

import reproductions
from reports import model_cards, paths
from reproductions.cli import publish
from reproductions.lab import files
from reproductions.lab.data import registry
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import evaluate, networks, tested
from reproductions.lab.evaluation.evaluate import EvaluationTask
from reproductions.lab.results import predictions, run_record
from reproductions.lab.weights import trained

LISTED = trained.read_list()
COMMITTED = run_record.read_all(paths.RUNS)


def given_out(name: str) -> model_cards.GivenOut:
    """What the list says of a network."""
    study, group = publish.committed_group(name, COMMITTED)
    run = next(run for run in group.runs if run.path.stem == LISTED[name].record)
    return model_cards.GivenOut(study, reproductions.find_network(name), group, run)


def test_every_file_is_listed_and_small():
    sizes = {path.stem: path.stat().st_size for path in trained.FOLDER.glob("*.safetensors")}
    assert {"lenet1", "lenet5", "lecun1989", "convnetjs-cifar10"} <= set(sizes) == set(LISTED)
    assert max(sizes.values()) < trained.LARGEST and sum(sizes.values()) < trained.LARGEST_TOGETHER


@pytest.mark.parametrize("name", LISTED)
def test_the_model_card_is_that_of_the_record(name):
    card = (trained.FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert card == model_cards.model_card(given_out(name), files.sha256(trained.path_of(name)))


@pytest.mark.parametrize("name", LISTED)
def test_the_recipe_is_that_of_the_record_and_the_network(name):
    found = tested.find(Path(name), None, reproductions.networks())
    assert found.contents is not None and found.contents.recipe == given_out(name).run.record.recipe
    assert networks.parameters(reproductions.build(name, weights="trained")) == given_out(name).run.record.parameters


SLOW = [pytest.param(name, marks=[] if name == "lenet5" else pytest.mark.slow) for name in LISTED]


@pytest.mark.parametrize("name", SLOW)
def test_the_errors_are_those_of_the_record(name):
    found = tested.find(Path(name), None, reproductions.networks())
    recipe, record = tested.recipe_of(found), given_out(name).run.record
    try:
        data = registry.load(recipe.dataset)
    except UsageError:
        pytest.skip(f"{recipe.dataset} is not here")
    task = EvaluationTask(reproductions.build(name, weights="trained"), found.network, recipe, data)
    result, scores = evaluate.test(task)
    if data.sha256 == record.data.sha256:
        assert result == record.test
        assert predictions.misclassified(predictions.predicted_classes(scores), data.test.labels) == (
            record.misclassified
        )
    else:
        # The subset of MNIST, on which no run was tested.
        assert result.top1.error < record.test.top1.error + 1


def test_a_changed_or_missing_file_is_refused(tmp_path):
    files.write_json(tmp_path / trained.LIST, {"lenet1": {"record": "lenet1-seed1", "sha256": "0" * 64}})
    with pytest.raises(UsageError, match=r"lenet1\.safetensors is missing or was changed: install the suite again"):
        trained.path_of("lenet1", tmp_path)
    (tmp_path / "lenet1.safetensors").write_bytes(trained.path_of("lenet1").read_bytes())
    with pytest.raises(UsageError, match="is missing or was changed"):
        trained.path_of("lenet1", tmp_path)
    with pytest.raises(
        UsageError, match="there are no trained weights of vgg-d in the suite, only of alexnet-cifar10-relu, convnetjs"
    ):
        reproductions.build("vgg-d", weights="trained")


def test_features_of_a_trained_network():
    features = reproductions.build("lenet5", weights="trained", include_top=False)
    assert features.output_shape == (None, 1, 1, 120)
    whole = reproductions.load("lenet5")
    np.testing.assert_array_equal(features.get_layer("C1").get_weights()[0], whole.get_layer("C1").get_weights()[0])
