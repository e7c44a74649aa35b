"""Evaluation of a network: results, saved predictions, and resuming after an interruption."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from reports.paths import RUNS
from reproductions.lab import progress
from reproductions.lab.data.transforms import registry
from reproductions.lab.data.transforms.registry import TransformContext
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import evaluate
from reproductions.lab.evaluation import scores as scoring
from reproductions.lab.evaluation.evaluate import EvaluationTask
from reproductions.lab.evaluation.recipes import recipe_of
from reproductions.lab.results import predictions, run_record
from reproductions.lab.results.entries import Misclassified
from reproductions.lab.spec.protocols import PROTOCOLS, find
from tests.helpers.small import SIZES, Photographs, classifier, crops_of, dataset, network, photographs, recipe, scores


def task(images: Photographs, protocol: str | None = None, **options: int) -> EvaluationTask:
    chosen = find(protocol) if protocol else None
    return EvaluationTask(classifier(**options), network(), recipe(), dataset(images), chosen)


def test_a_result_is_computed_from_saved_predictions(tmp_path):
    images = photographs()
    result, given = evaluate.test(task(images), tmp_path)
    assert result.protocol == "ten crops" and result.images == 8
    saved = predictions.read(tmp_path / "predictions" / "ten-crops.npz")
    np.testing.assert_array_equal(saved.scores, given)
    np.testing.assert_array_equal(saved.labels, images.labels)
    np.testing.assert_array_equal(saved.names, images.filenames)
    assert predictions.result_of(saved.scores, saved.labels, saved.metadata["protocol"]) == result
    assert [path.name for path in (tmp_path / "predictions").iterdir()] == ["ten-crops.npz"]


def test_blacklisted_images_are_left_out(tmp_path):
    images = photographs()
    everything = evaluate.test(task(images, "centre crop"))[1]
    name = "centre crop, non-blacklisted"
    result, given = evaluate.test(task(images, name), tmp_path)
    assert result.images == 6 and result.protocol == name
    np.testing.assert_allclose(given, everything[~images.blacklisted], atol=1e-6)
    saved = predictions.read(predictions.path_of(tmp_path, find(name)))
    assert list(saved.names) == [f"val_{i:03d}.JPEG" for i in (0, 2, 3, 4, 6, 7)]


def test_misclassified_images_have_index_label_and_prediction():
    found = predictions.misclassified(np.array([4, 2, 7, 0]), np.array([4, 1, 7, 9], np.uint8))
    assert found == Misclassified([1, 3], [1, 9], [2, 0])
    assert json.dumps(list(found)) == "[[1, 1, 2], [3, 9, 0]]", "plain integers"


def test_a_network_with_too_few_classes_is_refused():
    with pytest.raises(UsageError, match="classifier has 2 classes, but the data have labels up to 2"):
        evaluate.test(task(photographs(SIZES[:3]), classes=2))


def test_a_test_shows_how_many_images_are_done(monkeypatch, capsys):
    monkeypatch.setattr(progress, "LINE_EVERY", 0)
    monkeypatch.setattr(scoring, "BATCH_SIZE", 20)
    evaluate.test(task(photographs()))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(", ")[0] for line in lines] == [f"test: {done} of 8 images" for done in (2, 4, 6, 8)]
    assert all(line.endswith(" left") for line in lines)


# --- Resuming


@pytest.mark.parametrize("name", ["ten crops", "dense at 224, 256, 288"])
def test_an_interrupted_test_resumes(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(scoring, "BATCH_SIZE", 10)
    images = photographs(SIZES * 2)
    own = task(images, name)
    whole = evaluate.test(own)
    reads = len(images.reads)
    images.break_after = 3 * reads // 2
    with pytest.raises(tf.errors.OpError, match="the disk is gone"):
        evaluate.test(own, tmp_path)
    assert not predictions.path_of(tmp_path, PROTOCOLS[name]).exists()
    images.break_after, before = None, len(images.reads)
    resumed = evaluate.test(own, tmp_path)
    assert "resuming after" in capsys.readouterr().out
    assert len(images.reads) - before < reads
    assert resumed[0] == whole[0]
    np.testing.assert_allclose(resumed[1], whole[1], atol=1e-6)
    assert len(list((tmp_path / "predictions").iterdir())) == 1


def test_a_test_resumes_with_another_batch_size(tmp_path, monkeypatch):
    images = photographs(SIZES * 5)
    own = task(images)
    monkeypatch.setattr(scoring, "BATCH_SIZE", 30)
    images.break_after = 20
    with pytest.raises(tf.errors.OpError):
        evaluate.test(own, tmp_path)
    images.break_after = None
    monkeypatch.setattr(scoring, "BATCH_SIZE", 40)
    found = evaluate.test(own, tmp_path)[1]
    np.testing.assert_allclose(found, scores(own.model, images, "ten crops"), atol=1e-6)


def test_unfinished_scores_of_other_weights_are_not_reused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(scoring, "BATCH_SIZE", 20)
    images = photographs(SIZES * 5)
    images.break_after = 20
    with pytest.raises(tf.errors.OpError):
        evaluate.test(task(images, seed=1), tmp_path)
    images.break_after, other = None, task(images, seed=2)
    found = evaluate.test(other, tmp_path)[1]
    assert "resuming" not in capsys.readouterr().out
    np.testing.assert_allclose(found, scores(other.model, images, "ten crops"), atol=1e-6)


# --- Validation and recipes


def test_validation_uses_the_centre_of_a_photograph():
    images = photographs(SIZES[:1])
    for name, same in [("144 crops", "centre crop"), ("dense at 256", "centre crop"), ("one crop", "one crop")]:
        transform = evaluate.validation_transform(recipe(protocol=name), TransformContext(28))
        np.testing.assert_array_equal(transform(tf.constant(images.read(0))), crops_of(images.read(0), same)[0])


def test_validation_uses_the_whole_stored_image_or_its_centre(monkeypatch):
    def to_input(image, key, context):
        return tf.cast(image, tf.float32)[..., tf.newaxis]

    monkeypatch.setitem(registry.TRANSFORMS, "to_input", to_input)
    context = TransformContext(2)
    patch = evaluate.validation_transform(recipe(protocol="ten patches"), context)
    np.testing.assert_array_equal(patch(np.arange(16).reshape(4, 4, 1))[..., 0], [[5, 6], [9, 10]])
    whole = evaluate.validation_transform(recipe(protocol="whole image", train_transforms=("to_input",)), context)
    np.testing.assert_array_equal(whole(np.eye(2, dtype=np.uint8))[..., 0], np.eye(2))


@pytest.mark.parametrize("path", sorted(RUNS.glob("*.json")), ids=lambda path: path.stem)
def test_committed_records_have_the_protocol_of_their_recipe(path: Path):
    record = run_record.read(path)
    is_network = "optimizer" in record.recipe  # other classifiers see whole images only
    assert record.test.protocol == (recipe_of(record).protocol if is_network else "whole image")
