"""Images in memory: evaluation by random crops, deterministic validation, and pictures of misclassified ones."""

import base64

import numpy as np
import tensorflow as tf

from reproductions.lab.data import pipeline
from reproductions.lab.data.base import InMemoryImages
from reproductions.lab.data.transforms.registry import TransformContext, compose
from reproductions.lab.evaluation import evaluate, scores
from reproductions.lab.spec import Network
from reproductions.lab.spec.protocols import find
from tests.helpers.small import classifier, dataset, pictures, recipe, softmax

SHIFTED = recipe(
    train_transforms=("to_half_range", ("shift", {"pixels": 2}), "random_flip"),
    test_transforms=("to_half_range",),
    protocol="six random views",
)


def in_memory(count: int = 5) -> InMemoryImages:
    part = pictures([(28, 28)] * count)
    return InMemoryImages(np.stack(part.pictures), part.labels)


def test_six_random_crops_use_the_training_transforms():
    images, network = in_memory(), Network("classifier", classifier, SHIFTED)
    model = classifier()
    model.weights[0].assign(30 * model.weights[0])  # its input is smaller
    (_, found), (_, second) = (evaluate.test(model, network, SHIFTED, dataset(images)) for _ in range(2))
    np.testing.assert_array_equal(found, second)
    expected = []
    for index, image in enumerate(images.images):
        keys = [tf.constant([number, index], tf.int64) for number in range(6)]
        six = tf.stack([compose(SHIFTED.train_transforms, TransformContext(28))(image, key) for key in keys])
        assert len(np.unique(six.numpy(), axis=0)) > 2
        expected.append(softmax(model(six).numpy()).mean(axis=0))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    whole = evaluate.test(model, network, SHIFTED, dataset(images), find("whole image"))[1]
    np.testing.assert_allclose(whole, softmax(model(images.images / np.float32(255) - 0.5).numpy()), atol=1e-5)
    assert np.abs(whole - found).max() > 1e-3


def test_validation_is_deterministic():
    """Even if the test protocol takes random crops."""
    part = in_memory(1)
    prepared = evaluate.one_view(SHIFTED, TransformContext(28), part)(tf.constant(part.images[0]))
    np.testing.assert_allclose(prepared, part.images[0] / 255 - 0.5, atol=1e-6)


def test_misclassified_images_are_shown_in_a_strip():
    """Stored images are shown unchanged, whitened ones from black to white."""
    images = in_memory(3).images
    errors = [{"index": 2}, {"index": 0}]

    def shown(stored: np.ndarray) -> np.ndarray:
        return tf.io.decode_png(base64.b64decode(evaluate.pictures(stored, errors))).numpy()

    np.testing.assert_array_equal(shown(images), np.concatenate([images[2], images[0]], axis=1))
    white = shown(images.astype(np.float32) / 50 - 1)
    for tile, image in zip(np.split(white, 2, axis=1), images[[2, 0]].astype(float)):
        np.testing.assert_allclose(tile, 255 * (image - image.min()) / (image.max() - image.min()), atol=0.51)
    assert not shown(np.ones((3, 8, 8, 3), np.float32)).any()


def test_no_pipeline_is_autotuned():
    """The thread that tunes a pipeline delays its end."""
    part, two = in_memory(4), recipe(batch_size=2)
    made = [
        pipeline.training_batches(part, two, TransformContext(28), pipeline.DataPosition(1, 1)),
        pipeline.validation_batches(part, lambda image: image, 2),
        scores.view_batches(part, [np.arange(4)], lambda image, index: image[None]),
        scores.picture_batches(pictures([(28, 28)] * 4), [np.arange(4)], lambda image: tf.zeros((28, 28, 3))),
    ]
    assert [batches.options().autotune.enabled for batches in made] == [False] * 4
