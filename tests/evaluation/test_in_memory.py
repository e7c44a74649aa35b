"""Images in memory: random crops, deterministic validation, and pipelines without autotuning."""

import numpy as np
import tensorflow as tf

from reproductions.lab.data import pipeline
from reproductions.lab.data.base import InMemoryImages
from reproductions.lab.data.transforms.registry import TransformContext, compose
from reproductions.lab.evaluation import evaluate, scores
from reproductions.lab.evaluation.evaluate import EvaluationTask
from reproductions.lab.spec import Network
from reproductions.lab.spec.protocols import find
from tests.helpers.small import classifier, dataset, photographs, recipe, softmax

SHIFTED = recipe(
    train_transforms=("to_half_range", ("shift", {"pixels": 2}), "random_flip"),
    test_transforms=("to_half_range",),
    protocol="six random views",
)


def in_memory(count: int = 5) -> InMemoryImages:
    images = photographs([(28, 28)] * count)
    return InMemoryImages(np.stack(images.pixels), images.labels)


def test_six_random_crops_use_the_training_transforms():
    images, network = in_memory(), Network("classifier", classifier, SHIFTED)
    model = classifier()
    model.weights[0].assign(30 * model.weights[0])  # its input is smaller
    task = EvaluationTask(model, network, SHIFTED, dataset(images))
    (_, found), (_, second) = (evaluate.test(task) for _ in range(2))
    np.testing.assert_array_equal(found, second)
    expected = []
    for index, image in enumerate(images.images):
        keys = [tf.constant([number, index], tf.int64) for number in range(6)]
        six = tf.stack([compose(SHIFTED.train_transforms, TransformContext(28))(image, key) for key in keys])
        assert len(np.unique(six.numpy(), axis=0)) > 2
        expected.append(softmax(model(six).numpy()).mean(axis=0))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    task = EvaluationTask(model, network, SHIFTED, dataset(images), find("whole image"))
    whole = evaluate.test(task)[1]
    np.testing.assert_allclose(whole, softmax(model(images.images / np.float32(255) - 0.5).numpy()), atol=1e-5)
    assert np.abs(whole - found).max() > 1e-3


def test_validation_is_deterministic():
    """Even if the test protocol takes random crops."""
    images = in_memory(1)
    prepared = evaluate.validation_transform(SHIFTED, TransformContext(28))(tf.constant(images.images[0]))
    np.testing.assert_allclose(prepared, images.images[0] / 255 - 0.5, atol=1e-6)


def test_no_pipeline_is_autotuned():
    """The thread that tunes a pipeline delays its end."""
    images, two = in_memory(4), recipe(batch_size=2)
    pipelines = [
        pipeline.training_batches(images, two, TransformContext(28), pipeline.DataPosition(1, 1)),
        pipeline.validation_batches(images, lambda image: image, 2),
        scores.crop_batches(images, [np.arange(4)], lambda image, index: image[None]),
        scores.uncropped_batches(photographs([(28, 28)] * 4), [np.arange(4)], lambda image: tf.zeros((28, 28, 3))),
    ]
    assert [batches.options().autotune.enabled for batches in pipelines] == [False] * 4
