"""Results of predictions, and ensembles."""

from dataclasses import replace

import numpy as np
import pytest

from reproductions.cli.main import main
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import evaluate
from reproductions.lab.evaluation.evaluate import EvaluationTask
from reproductions.lab.results import predictions
from reproductions.lab.results.stats import wilson_interval
from reproductions.lab.spec.protocols import PROTOCOLS
from tests.helpers.small import classifier, dataset, network, photographs, recipe

TEN_CROPS = PROTOCOLS["ten crops"]


def test_a_result_counts_answers_and_best_fives():
    random = np.random.default_rng(1)
    given, labels = random.random((300, 20)).astype("float32"), random.integers(0, 20, 300)
    best = np.argsort(-given, axis=1)[:, :5]
    wrong, outside = (best[:, 0] != labels).sum(), sum(label not in five for label, five in zip(labels, best))
    result = predictions.result_of(given, labels, "ten crops")
    assert (result.top1.errors, result.top5.errors, result.images) == (wrong, outside, 300)
    assert result.top5.error == outside / 3
    assert result.top5.interval == wilson_interval(outside, 300)
    assert result.images_per_class == [(labels == c).sum() for c in range(20)]
    rows = predictions.errors_by_class(given, labels)
    assert sum(row.errors for row in rows) == wrong and sum(row.top5_errors for row in rows) == outside


def test_of_equal_scores_the_first_class_wins():
    """Ten classes have no top-5 error."""
    equal = np.ones((10, 10), "float32")
    result = predictions.result_of(equal, np.arange(10), "whole image")
    assert result.top1.errors == 9 == (predictions.predicted_classes(equal) != np.arange(10)).sum()
    assert result.top5 is None
    assert predictions.result_of(np.ones((11, 11), "float32"), np.arange(11), "whole image").top5.errors == 6


@pytest.fixture
def two_tested(tmp_path):
    runs = [tmp_path / "one", tmp_path / "two"]
    for seed, run in enumerate(runs, 1):
        run.mkdir()
        evaluate.test(EvaluationTask(classifier(seed=seed), network(), recipe(), dataset(photographs())), run)
    return runs


def test_an_ensemble_averages_saved_scores(two_tested, capsys):
    each = [predictions.read(run / "predictions" / "ten-crops.npz") for run in two_tested]
    found = predictions.ensemble(two_tested, TEN_CROPS)
    result, mean, labels = found.result, found.predictions.scores, found.predictions.labels
    np.testing.assert_allclose(mean, (each[0].scores + each[1].scores) / 2, atol=1e-7)
    assert result == predictions.result_of(mean, each[0].labels, "ten crops")
    np.testing.assert_array_equal(labels, each[0].labels)
    own = {member.path: member.result for member in found.members}
    assert own == {
        run: predictions.result_of(saved.scores, saved.labels, "ten crops") for run, saved in zip(two_tested, each)
    }
    main(["evaluate", "--ensemble", *map(str, two_tested), "--protocol", "ten crops"])
    output = capsys.readouterr().out
    low = result.top5.interval[0]
    assert f"test error {result.top1.error:.2f}% ({result.top1.errors} of 8; 95% interval" in output
    top5 = f"top-5 error {result.top5.error:.2f}% ({result.top5.errors} of 8; 95% interval {low:.2f} to"
    assert top5 in output
    assert "not recorded" in output and "one is not the folder of a finished run" in output


def test_an_ensemble_needs_predictions_of_two_runs(two_tested):
    one, two = two_tested
    with pytest.raises(UsageError, match=r"one has no predictions .* reproduce evaluate .*one --protocol '144 crops'"):
        predictions.ensemble([one, two], PROTOCOLS["144 crops"])
    with pytest.raises(UsageError, match="at least two runs"):
        predictions.ensemble([one], TEN_CROPS)
    with pytest.raises(UsageError, match="have the same weights"):
        predictions.ensemble([one, two, one], TEN_CROPS)


def test_an_ensemble_is_of_the_same_images_in_the_same_order(two_tested):
    one, two = two_tested
    path = predictions.path_of(two, TEN_CROPS)
    saved = predictions.read(path)
    changes = [
        (dict(metadata={**saved.metadata, "sha256": "1" * 64}), "differ in data"),
        (dict(names=saved.names[::-1]), "in the same order"),
        (dict(labels=saved.labels[::-1]), "in the same order"),
        (dict(scores=np.tile(saved.scores, 2)), "has scores of shape"),
    ]
    for change, message in changes:
        replace(saved, **change).write(path)
        with pytest.raises(UsageError, match=message):
            predictions.ensemble([one, two], TEN_CROPS)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UsageError, match=r"ten-crops\.npz cannot be read"):
        predictions.ensemble([one, two], TEN_CROPS)
