"""Scores of networks by every protocol, against numpy; networks made fully convolutional."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import reproductions
from reproductions.lab.data.base import InMemoryImages
from reproductions.lab.data.transforms import decode, registry
from reproductions.lab.data.transforms.registry import TransformContext
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import crops, evaluate
from reproductions.lab.evaluation import scores as scoring
from reproductions.lab.evaluation.fully_convolutional import fully_convolutional
from reproductions.lab.spec.protocols import find
from tests.helpers.small import SIZES, classifier, dataset, network, pictures, ramp, recipe, scores, softmax


def views(part, index: int, name: str, size: int = 28) -> np.ndarray:
    stored = tf.constant(part.read(index))
    return crops.stacked(find(name), (), TransformContext(size))(stored, tf.constant(index, tf.int64)).numpy()


@pytest.fixture(autouse=True)
def a_step_for_small_images(monkeypatch):
    monkeypatch.setitem(
        registry.TRANSFORMS, "to_input", lambda image, key, view: tf.cast(image, tf.float32)[..., tf.newaxis]
    )


@pytest.mark.parametrize("name", ["centre crop", "ten crops", "144 crops", "one crop", "12 crops"])
def test_scores_are_the_mean_softmax_over_the_views_of_each_image(name):
    model, part = classifier(), pictures(SIZES)
    expected = [softmax(model(views(part, i, name)).numpy()).mean(axis=0) for i in range(len(SIZES))]
    found = scores(model, part, name)
    assert found.dtype == np.float32 and len(np.unique(found.argmax(axis=1))) > 1
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_scores_of_stored_images_are_the_mean_over_their_patches():
    model, images = classifier(), np.random.default_rng(0).integers(0, 256, (3, 31, 32, 3), dtype=np.uint8)
    expected = []
    for image in images:
        places = [(1, 2), (0, 0), (0, 4), (3, 0), (3, 4)]
        patches = [image[top : top + 28, left : left + 28].astype("float32") for top, left in places]
        both = np.stack([*patches, *[patch[:, ::-1] for patch in patches]])
        expected.append(softmax(model(both).numpy()).mean(axis=0))
    found = scores(model, InMemoryImages(images, np.arange(3)), "ten patches")
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_each_picture_is_read_once_however_many_crops_are_taken():
    part = pictures(SIZES)
    scores(classifier(), part, "144 crops")
    assert sorted(part.reads) == list(range(len(SIZES)))


def test_dense_scores_average_the_map_of_logits_and_the_softmax_over_mirror_and_scales():
    model, part = classifier(), pictures(SIZES)
    wide, expected = fully_convolutional(model), []
    for i in range(len(SIZES)):
        picture, own = decode.decode_rgb(part.read(i)), []
        for side in (32, 48, 64):
            resized = decode.short_side(picture, side).numpy()
            own += [softmax(wide(each[np.newaxis]).numpy().mean(axis=(1, 2))) for each in (resized, resized[:, ::-1])]
        expected.append(np.mean(own, axis=0)[0])
    np.testing.assert_allclose(scores(model, part, "dense at 256, 384, 512"), expected, atol=1e-5)


def test_multi_crop_and_dense_is_the_average_of_the_two():
    model, part = classifier(), pictures(SIZES[:2])
    both = [scores(model, part, f"{name} at 256, 384, 512") for name in ("multi-crop", "dense")]
    assert not np.allclose(*both)
    found = scores(model, part, "multi-crop and dense at 256, 384, 512")
    np.testing.assert_allclose(found, np.mean(both, axis=0), atol=1e-6)


def test_pictures_of_one_size_go_together_in_a_dense_test_and_none_is_lost():
    indices, part = np.arange(len(SIZES)), pictures(SIZES)
    groups = scoring.groups(indices, scoring.stored_sizes(part, indices), 2)
    assert sorted(np.concatenate(groups)) == list(range(len(SIZES)))
    assert sorted(map(len, groups)) == [1, 1, 1, 1, 2, 2]
    assert all(len({SIZES[i] for i in group}) == 1 for group in groups)


def test_only_the_main_output_counts():
    plain = classifier()
    part, hidden = pictures(SIZES[:3]), plain.get_layer("fc6").output
    head = keras.layers.Dense(12, name="auxiliary")(hidden)
    for outputs in {"main": plain.output, "auxiliary": head}, [plain.output, head]:
        model = keras.Model(plain.input, outputs)
        np.testing.assert_allclose(scores(model, part, "centre crop"), scores(plain, part, "centre crop"), atol=1e-6)


def test_the_smallest_penalty_wins():
    images = keras.Input((2, 2, 1))
    model = keras.Model(images, keras.layers.Flatten()(images))
    part = InMemoryImages(np.array([[[9, 2], [5, 7]], [[3, 8], [9, 1]]], np.uint8), np.array([1, 0]))
    found = scoring.class_scores(model, "penalties", part, find("whole image"), ("to_input",), TransformContext(2))
    np.testing.assert_array_equal(found, [[-9, -2, -5, -7], [-3, -8, -9, -1]])


def test_validation_sees_the_centre_of_a_photograph_and_the_whole_of_a_stored_image():
    part = pictures(SIZES[:1])
    view, stored = TransformContext(28), tf.constant(part.read(0))
    for name, same in [("144 crops", "centre crop"), ("dense at 256", "centre crop"), ("one crop", "one crop")]:
        found = evaluate.one_view(recipe(protocol=name), view, part)(stored)
        np.testing.assert_array_equal(found, views(part, 0, same)[0])
    patch = evaluate.one_view(recipe(protocol="ten patches"), TransformContext(2), part)
    np.testing.assert_array_equal(patch(np.arange(16).reshape(4, 4, 1))[..., 0], [[5, 6], [9, 10]])
    whole = evaluate.one_view(recipe(protocol="whole image", train_transforms=("to_input",)), TransformContext(2), part)
    np.testing.assert_array_equal(whole(np.eye(2, dtype=np.uint8))[..., 0], np.eye(2))


def test_what_does_not_fit_is_refused():
    model, part = classifier(), pictures(SIZES[:3])
    array = InMemoryImages(np.zeros((2, 28, 28, 3), np.uint8), np.array([0, 1]))
    with pytest.raises(UsageError, match="'ten crops' takes crops of photographs"):
        scores(model, array, "ten crops")
    larger = InMemoryImages(np.zeros((2, 32, 32, 3), np.uint8), np.array([0, 1]))
    with pytest.raises(UsageError, match="gives classifier-tested images of 32x32x3, but it takes 28x28x3"):
        scores(model, larger, "whole image")
    with pytest.raises(UsageError, match="have no blacklist"):
        scores(model, array, "whole image, non-blacklisted")
    model.get_layer("fc7").bias.assign(np.full(12, np.nan))
    with pytest.raises(UsageError, match="its weights have diverged"):
        scores(model, part, "centre crop")
    with pytest.raises(UsageError, match="classifier has 2 classes, but the data have one numbered 2"):
        evaluate.test(classifier(classes=2), network(), recipe(), dataset(part))
    with pytest.raises(UsageError, match="cannot be tested densely"):
        pooled = keras.Sequential([keras.Input((28, 28, 3)), keras.layers.GlobalAveragePooling2D()])
        fully_convolutional(pooled)


TWO_DEVICES = """
import sys
import numpy as np
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tests.helpers.small import classifier, pictures
from reproductions.lab.evaluation import scores as scoring
from reproductions.lab.data.transforms.registry import TransformContext
from reproductions.lab.spec.protocols import PROTOCOLS
part = pictures([(40, 60)] * 3 + [(60, 40)] * 2)
for name in "144 crops", "ten crops", "dense at 224, 256, 288":
    found = []
    for strategy in tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]):
        with strategy.scope():
            model = classifier()
        found.append(scoring.class_scores(model, "logits", part, PROTOCOLS[name], (), TransformContext(28)))
    np.testing.assert_allclose(*found, atol=1e-5)
"""


@pytest.mark.slow
def test_several_devices_give_the_scores_of_one():
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES], cwd=Path(__file__).parents[2], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


# --- Fully convolutional networks


@pytest.mark.parametrize("name, size", [("vgg-a", 32), ("alexnet", 67), ("zfnet", 63)])
def test_the_papers_networks_give_their_own_logits_once_convolutional(name, size):
    model = reproductions.build(name, classes=5, input_size=size)
    random = np.random.default_rng(1)
    picture = random.normal(0, 50, (2, size, size, 3)).astype("float32")
    for layer in model.layers:
        if layer.weights and layer.weights[0].ndim > 1:
            fan_in = np.prod(layer.kernel.shape[:-1])
            layer.kernel.assign(random.normal(0, (2 / fan_in) ** 0.5, layer.kernel.shape))
    wide = fully_convolutional(model)
    assert wide.input_shape == (None, None, None, 3) and wide.count_params() == model.count_params()
    expected, found = model(picture).numpy(), wide(picture).numpy()
    assert found.shape == (2, 1, 1, 5) and np.abs(expected).max() > 1e-2
    np.testing.assert_allclose(found[:, 0, 0], expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    assert wide(np.zeros((1, size + 32, size + 64, 3), "float32")).shape[1:3] != (1, 1)


def test_a_larger_image_gives_a_map_of_the_logits_of_its_crops():
    model = classifier(size=22, padding="valid")  # the paper's own padding would differ at the edges of crops
    wide, picture = fully_convolutional(model), ramp(34, 42)[np.newaxis].astype("float32")
    found = wide(picture).numpy()[0]
    assert found.shape == (4, 6, 12)
    for i in range(4):
        for j in range(6):
            crop = picture[:, 4 * i : 4 * i + 22, 4 * j : 4 * j + 22]
            np.testing.assert_allclose(found[i, j], model(crop).numpy()[0], rtol=1e-4, atol=1e-4)
