"""The Gauss-Newton diagonal, compared with finite differences in float64; and runs that measure it."""

import signal
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

import layers
from reproductions import UsageError, find_network, find_study
from reproductions.lab.data import pipeline
from reproductions.lab.data.base import InMemoryImages
from reproductions.lab.data.transforms.context import TransformContext
from reproductions.lab.results import run_record
from reproductions.lab.training import plan
from reproductions.lab.training import train as training
from reproductions.lab.training.cluster import Cluster
from reproductions.lab.training.curvature import gauss_newton_diagonal
from reproductions.lab.training.options import TrainOptions
from reproductions.lab.training.plan import resolve
from tests.helpers import small
from tests.helpers.once import once_per_session
from tests.helpers.reproduce import TWO_DEVICES, Reproduce
from tests.helpers.states import position, variables

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(6, 6, 6, 1)).astype("float32")
LABELS = RANDOM.integers(0, 3, 6)
CENTRES = RANDOM.choice([-1.0, 1.0], (3, 4))


def with_weights(model):
    model.set_weights(
        [RANDOM.normal(0, 0.5, weight.shape) for weight in model.get_weights()[:6]] + model.get_weights()[6:]
    )
    return model


def shared_weights(last):
    """A convolution at 16 positions, a subsampling, a fully connected layer, and the layer that is given."""
    images = keras.Input((6, 6, 1))
    x = keras.layers.Conv2D(2, 3, activation=layers.scaled_tanh)(images)
    x = layers.TrainableSubsampling2D(2, layers.scaled_tanh)(x)
    x = keras.layers.Dense(4, activation=layers.scaled_tanh)(keras.layers.Flatten()(x))
    return with_weights(keras.Model(images, last(x)))


def scaled_tanh(a):
    return 1.7159 * np.tanh(2 * a / 3)


def outputs_loop(image, kernel, bias, coefficient, offset, dense, last):
    """Outputs of the fully connected layer of `shared_weights` for one image, from the formulas."""
    maps = np.array([
        [[(image[i : i + 3, j : j + 3, 0] * kernel[:, :, 0, m]).sum() + bias[m] for m in range(2)] for j in range(4)]
        for i in range(4)
    ])  # fmt: skip
    sums = scaled_tanh(maps).reshape(2, 2, 2, 2, 2).sum((1, 3))
    return scaled_tanh(scaled_tanh(sums * coefficient + offset).ravel() @ dense + last)


def slopes(image, weights, step=1e-6):
    """Derivatives of the outputs by each weight, (outputs, *shape), by central differences."""
    found = []
    for number, weight in enumerate(weights):
        columns = np.zeros((4, *weight.shape))
        for place in np.ndindex(weight.shape):
            ends = []
            for sign in 1, -1:
                moved = [value.copy() for value in weights]
                moved[number][place] += sign * step
                ends.append(outputs_loop(image, *moved))
            columns[(slice(None), *place)] = (ends[0] - ends[1]) / (2 * step)
        found.append(columns)
    return found


def hessian_of_squared_distance(outputs, label):
    return 2 * np.eye(4)


def hessian_of_equation_9(outputs, label):
    """Of y_right + log(e^-1 + sum_i e^-y_i), y_i the squared distance from centre i."""
    away = outputs - CENTRES
    share = np.exp(-np.append((away**2).sum(1), 1.0))
    share /= share.sum()
    inner = np.diag(share[:3]) - np.outer(share[:3], share[:3])
    return 2 * share[3] * np.eye(4) + 4 * away.T @ inner @ away


def hessian_of_cross_entropy(outputs, label):
    share = np.exp(outputs) / np.exp(outputs).sum()
    return np.diag(share) - np.outer(share, share)


CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)


@pytest.mark.parametrize(
    "last, losses, hessian",
    [
        (layers.RBFOutput(CENTRES), layers.MeanPenalty(reduction=None), hessian_of_squared_distance),
        (layers.RBFOutput(CENTRES), layers.MaximumAPosteriori(1.0, reduction=None), hessian_of_equation_9),
        (lambda x: x, CROSS_ENTROPY, hessian_of_cross_entropy),
    ],
    ids=["squared distance", "equation 9", "cross-entropy"],
)
def test_the_diagonal_equals_finite_differences(last, losses, hessian):
    """Shared weights included."""
    model = shared_weights(last)
    weights = [weight.astype(float) for weight in model.get_weights()[:6]]
    expected = [np.zeros_like(weight) for weight in weights]
    for image, label in zip(IMAGES.astype(float), LABELS):
        bend = hessian(outputs_loop(image, *weights), label)
        for total, slope in zip(expected, slopes(image, weights)):
            total += np.einsum("i...,ij,j...->...", slope, bend, slope) / len(IMAGES)
    found = gauss_newton_diagonal(model, losses, tf.constant(IMAGES), tf.constant(LABELS))
    for value, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, other, rtol=2e-4, atol=1e-6)


def test_negative_curvature_counts_as_zero():
    images = keras.Input((2,))
    model = keras.Model(images, keras.layers.Dense(1)(images))
    (of_kernel, of_bias) = gauss_newton_diagonal(
        model, lambda labels, outputs: -(outputs[:, 0] ** 2), tf.constant(IMAGES[:, 0, :2, 0]), tf.constant(LABELS)
    )
    assert not of_kernel.numpy().any() and not of_bias.numpy().any()


def test_the_measured_images_are_those_an_epoch_begins_with():
    """They are a function of seed and epoch."""
    split = InMemoryImages(RANDOM.integers(0, 256, (40, 28, 28)).astype(np.uint8), np.arange(40) % 10)
    ranges = {"shift": 2.0, "scale": 0.1, "squeeze": 0.1, "shear": 0.1}
    recipe = small.recipe(train_transforms=(("affine_distortion", ranges), "lenet_field"), epochs=3, batch_size=4)

    def first(seed, epoch, count=8):
        images, labels = pipeline.first_of_epoch(
            split, recipe, TransformContext(32), pipeline.DataPosition(seed, epoch), count
        )
        return images.numpy(), labels.numpy()

    images, labels = first(1, 2)
    np.testing.assert_array_equal(first(1, 2)[0], images)
    assert all(not np.array_equal(first(*other)[0], images) for other in [(1, 1), (2, 2)])
    begun = list(pipeline.training_batches(split, recipe, TransformContext(32), pipeline.DataPosition(1, 2)).take(2))
    np.testing.assert_array_equal(np.concatenate([batch for batch, _ in begun]), images)
    np.testing.assert_array_equal(np.concatenate([each for _, each in begun]), labels)
    assert len(first(1, 2, count=500)[0]) == 40, "if there are fewer, all of them"


FEW = """
import dataclasses
from reproductions import lenet5
own = next(network for network in lenet5.STUDY.networks if network.name == "lenet5-sdlm")
few = dataclasses.replace(own, recipe=dataclasses.replace(own.recipe, curvature=20))
lenet5.STUDY = dataclasses.replace(lenet5.STUDY, networks=(few,))
"""
ARGUMENTS = (
    "train", "lenet5", "--epochs", "2", "--training-images", "1000", "--scale-batch", "4", "--resume", "--run-dir",
)  # fmt: skip


def train_measured(folder):
    done = Reproduce(folder)(*ARGUMENTS, "run", before=FEW)
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.fixture(scope="module")
def measured(tmp_path_factory, worker_id):
    """A finished run of two epochs that measured curvatures on 20 images before each. Not to be written to."""
    return once_per_session(tmp_path_factory, worker_id, "measured", train_measured)


def test_a_run_stopped_within_an_epoch_keeps_its_curvatures(measured, reproduce):
    process = reproduce.start(*ARGUMENTS, "run", "--save-every", "0", before=FEW)
    run = reproduce.folder / "run"
    while process.poll() is None and position(run / "state.npz") < (1, 10):
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert "stopped after epoch 2, step" in errors, errors
    assert reproduce(*ARGUMENTS, "run", before=FEW).returncode == 0
    for one, other in zip(variables(run), variables(measured), strict=True):
        np.testing.assert_array_equal(one, other)
    record, undisturbed = (run_record.read(folder / "record.json") for folder in (run, measured))
    assert record.without_times() == undisturbed.without_times()
    assert record.recipe["training_images"] == 1000 and record.recipe["curvature"] == 20


def test_two_devices_measure_and_update_as_one(measured, reproduce):
    done = reproduce(*ARGUMENTS, "two", "--strategy", "mirrored", before=TWO_DEVICES + FEW)
    assert done.returncode == 0, done.stderr
    for single, mirrored in zip(variables(measured), variables(reproduce.folder / "two"), strict=True):
        np.testing.assert_allclose(mirrored, single, rtol=1e-3, atol=1e-5)


def test_curvatures_refuse_several_workers(monkeypatch):
    monkeypatch.setattr(plan, "find_cluster", lambda strategy: Cluster(0, ("a:1", "b:1")))
    study = find_study("lenet5")
    with pytest.raises(UsageError, match="lenet5-sdlm measures curvatures, which several workers cannot share"):
        training.train(study, find_network("lenet5-sdlm", study), TrainOptions())


def test_curvatures_refuse_half_precision():
    with pytest.raises(UsageError, match="lenet5-sdlm measures curvatures, which needs float32"):
        resolve(find_network("lenet5-sdlm"), TrainOptions(precision="mixed_float16"))
