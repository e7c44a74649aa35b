"""All-CNN: the network that is trained with augmentation."""

from dataclasses import replace

import numpy as np
import tensorflow as tf

import reproductions
from reproductions.lab.data.transforms.registry import TransformContext, compose
from reproductions.lab.evaluation import evaluate
from reproductions.lab.spec.protocols import find

PLAIN, AUGMENTED = (reproductions.find_network(name).to_train() for name in ("all-cnn-c", "all-cnn-c-augmented"))


def test_augmentation_is_the_only_difference():
    transforms = {"train_transforms": (), "test_transforms": ()}
    assert replace(AUGMENTED, **transforms) == replace(PLAIN, **transforms) == PLAIN


def test_training_images_are_shifted_and_test_images_are_not():
    image = tf.constant(np.random.default_rng(0).normal(size=(32, 32, 3)), tf.float32)
    context = TransformContext(32)
    tested = compose(evaluate.transforms_for(AUGMENTED, find(AUGMENTED.protocol)), context)
    trained = compose(AUGMENTED.train_transforms, context)
    for number in range(20):
        key = tf.constant([0, number], tf.int64)
        np.testing.assert_array_equal(tested(image, key), image)
        assert np.abs(trained(image, key) - image).max() > 0.1
    np.testing.assert_array_equal(evaluate.validation_transform(AUGMENTED, context)(image), image)
