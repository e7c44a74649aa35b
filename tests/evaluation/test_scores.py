"""Scores of networks by every protocol, compared with numpy."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from reproductions.lab.data.base import InMemoryImages
from reproductions.lab.data.transforms import decode, registry
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import scores as scoring
from reproductions.lab.evaluation.fully_convolutional import fully_convolutional
from tests.helpers.small import SIZES, classifier, crops_of, photographs, preprocessing, scores, softmax


@pytest.mark.parametrize("name", ["centre crop", "ten crops", "144 crops", "one crop", "12 crops"])
def test_scores_are_the_mean_softmax_over_the_crops(name):
    model, images = classifier(), photographs()
    expected = [softmax(model(crops_of(images.read(i), name)).numpy()).mean(axis=0) for i in range(len(SIZES))]
    found = scores(model, images, name)
    assert found.dtype == np.float32 and len(np.unique(found.argmax(axis=1))) > 1
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_scores_of_stored_images_are_the_mean_over_patches():
    model, images = classifier(), np.random.default_rng(0).integers(0, 256, (3, 31, 32, 3), dtype=np.uint8)
    expected = []
    for image in images:
        places = [(1, 2), (0, 0), (0, 4), (3, 0), (3, 4)]
        patches = [image[top : top + 28, left : left + 28].astype("float32") for top, left in places]
        both = np.stack([*patches, *[patch[:, ::-1] for patch in patches]])
        expected.append(softmax(model(both).numpy()).mean(axis=0))
    found = scores(model, InMemoryImages(images, np.arange(3)), "ten patches")
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_each_image_is_read_once_for_all_crops():
    images = photographs()
    scores(classifier(), images, "144 crops")
    assert sorted(images.reads) == list(range(len(SIZES)))


def test_dense_scores_average_logits_then_softmax():
    """Logits are averaged over the map; their softmax over mirror images and scales."""
    model, images = classifier(), photographs()
    wide, expected = fully_convolutional(model), []
    for i in range(len(SIZES)):
        image, own = decode.decode_rgb(images.read(i)), []
        for side in (32, 48, 64):
            resized = decode.short_side(image, side).numpy()
            own += [softmax(wide(each[np.newaxis]).numpy().mean(axis=(1, 2))) for each in (resized, resized[:, ::-1])]
        expected.append(np.mean(own, axis=0)[0])
    np.testing.assert_allclose(scores(model, images, "dense at 256, 384, 512"), expected, atol=1e-5)


def test_multi_crop_and_dense_is_the_average_of_the_two():
    model, images = classifier(), photographs(SIZES[:2])
    both = [scores(model, images, f"{name} at 256, 384, 512") for name in ("multi-crop", "dense")]
    assert not np.allclose(*both)
    found = scores(model, images, "multi-crop and dense at 256, 384, 512")
    np.testing.assert_allclose(found, np.mean(both, axis=0), atol=1e-6)


def test_batches_of_a_dense_test_have_images_of_one_size():
    """No image is lost."""
    indices, images = np.arange(len(SIZES)), photographs()
    groups = scoring.groups_by_size(indices, scoring.stored_sizes(images, indices), 2)
    assert sorted(np.concatenate(groups)) == list(range(len(SIZES)))
    assert sorted(map(len, groups)) == [1, 1, 1, 1, 2, 2]
    assert all(len({SIZES[i] for i in group}) == 1 for group in groups)


def test_only_the_main_output_counts():
    plain = classifier()
    images, hidden = photographs(SIZES[:3]), plain.get_layer("fc6").output
    head = keras.layers.Dense(12, name="auxiliary")(hidden)
    expected = scores(plain, images, "centre crop")
    for outputs in {"main": plain.output, "auxiliary": head}, [plain.output, head]:
        model = keras.Model(plain.input, outputs)
        np.testing.assert_allclose(scores(model, images, "centre crop"), expected, atol=1e-6)


def test_the_smallest_penalty_wins(monkeypatch):
    def to_input(image, key, context):
        return tf.cast(image, tf.float32)[..., tf.newaxis]

    monkeypatch.setitem(registry.TRANSFORMS, "to_input", to_input)
    inputs = keras.Input((2, 2, 1))
    model = keras.Model(inputs, keras.layers.Flatten()(inputs))
    images = InMemoryImages(np.array([[[9, 2], [5, 7]], [[3, 8], [9, 1]]], np.uint8), np.array([1, 0]))
    found = scoring.class_scores(model, "penalties", images, preprocessing("whole image", 2, "to_input"))
    np.testing.assert_array_equal(found, [[-9, -2, -5, -7], [-3, -8, -9, -1]])


def test_images_that_do_not_fit_a_protocol_are_refused():
    model = classifier()
    images = InMemoryImages(np.zeros((2, 28, 28, 3), np.uint8), np.array([0, 1]))
    with pytest.raises(UsageError, match="'ten crops' takes crops of photographs"):
        scores(model, images, "ten crops")
    larger = InMemoryImages(np.zeros((2, 32, 32, 3), np.uint8), np.array([0, 1]))
    with pytest.raises(UsageError, match="gives images of 32x32x3, but classifier takes 28x28x3"):
        scores(model, larger, "whole image")
    with pytest.raises(UsageError, match="these data have no blacklist"):
        scores(model, images, "whole image, non-blacklisted")


def test_scores_that_are_not_finite_are_refused():
    model = classifier()
    model.get_layer("fc7").bias.assign(np.full(12, np.nan))
    with pytest.raises(UsageError, match="its weights have diverged"):
        scores(model, photographs(SIZES[:3]), "centre crop")


TWO_DEVICES = """
import sys
import numpy as np
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tests.helpers.small import classifier, photographs, scores
images = photographs([(40, 60)] * 3 + [(60, 40)] * 2)
for name in "144 crops", "ten crops", "dense at 224, 256, 288":
    found = []
    for strategy in tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]):
        with strategy.scope():
            model = classifier()
        found.append(scores(model, images, name))
    np.testing.assert_allclose(*found, atol=1e-5)
"""


@pytest.mark.slow
def test_several_devices_give_the_scores_of_one():
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES], cwd=Path(__file__).parents[2], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
