"""One update, compared with the published rules in plain numpy."""

from dataclasses import replace
from fractions import Fraction

import keras
import numpy as np
import pytest
import tensorflow as tf

import reproductions
from reproductions.lab.errors import UsageError
from reproductions.lab.spec import ExponentialDecay, PolynomialDecay, Recipe, ReduceLROnPlateau, keras_object
from reproductions.lab.training.momentum import InPlaceSGD, create_optimizer
from reproductions.lab.training.step import StepConfig, Steps, decay_weights
from tests.helpers.linear import IMAGES, LABELS, RECIPE, linear


def steps(model: keras.Model, recipe: Recipe = RECIPE, **options: object) -> Steps:
    optimizer = create_optimizer(recipe.optimizer)
    optimizer.build(model.trainable_variables)
    decay_weights(model, recipe.weight_decay)
    return Steps(model, optimizer, recipe, StepConfig(**options))


def softmax_gradients(
    kernel: np.ndarray, bias: np.ndarray, images: np.ndarray = IMAGES, labels: np.ndarray = LABELS
) -> tuple[np.ndarray, np.ndarray]:
    """Of the mean cross-entropy of the images, in float64."""
    logits = images.astype(float) @ kernel + bias
    scores = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    wrong = (scores - np.eye(3)[labels]) / len(labels)
    return images.T.astype(float) @ wrong, wrong.sum(0)


def test_three_updates_follow_krizhevskys_rule():
    decay, rate = 0.5, 0.1
    model = linear()
    kernel, bias = [weight.astype(float) for weight in model.get_weights()]
    run = steps(model, replace(RECIPE, weight_decay=decay))
    speed = [np.zeros_like(kernel), np.zeros_like(bias)]
    for _ in range(3):
        of_kernel, of_bias = softmax_gradients(kernel, bias)
        # v <- 0.9 v - decay rate w - rate gradient; w <- w + v; biases are not decayed.
        speed[0] = 0.9 * speed[0] - decay * rate * kernel - rate * of_kernel
        speed[1] = 0.9 * speed[1] - rate * of_bias
        kernel, bias = kernel + speed[0], bias + speed[1]
        run.update((IMAGES, LABELS))
    np.testing.assert_allclose(model.get_weights()[0], kernel, atol=1e-6)
    np.testing.assert_allclose(model.get_weights()[1], bias, atol=1e-6)


def test_updates_follow_convnetjs_own_trainer():
    recipe = reproductions.find_network("convnetjs-cifar10").to_train()
    batch_size, l2_decay, ro, eps = 4, 0.0001, 0.95, 1e-8
    images, labels = IMAGES[:batch_size].copy(), LABELS[:batch_size]
    images[:, 0] = 0  # the decay alone moves its weights
    model = linear()
    before = model.get_weights()[0].astype(float)
    weights = [weight.astype(float) for weight in model.get_weights()]
    gsum, xsum = ([np.zeros_like(p) for p in weights] for _ in range(2))
    run = steps(model, recipe)
    run.optimizer.learning_rate = recipe.learning_rate_at(1)
    for _ in range(10):
        summed = [batch_size * mean for mean in softmax_gradients(*weights, images, labels)]
        for i, p in enumerate(weights):
            l2grad = l2_decay * p if p.ndim > 1 else 0.0
            gij = (l2grad + summed[i]) / batch_size
            gsum[i] = ro * gsum[i] + (1 - ro) * gij * gij
            dx = -np.sqrt((xsum[i] + eps) / (gsum[i] + eps)) * gij
            xsum[i] = ro * xsum[i] + (1 - ro) * dx * dx
            weights[i] = p + dx
        run.update((tf.constant(images), tf.constant(labels)))
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(kernel - before, weights[0] - before, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(bias, weights[1], rtol=1e-3)
    moved = np.abs(weights[0] - before)
    assert moved[0].min() > 1e-5, "the decay is too small to be distinguished from none"


def test_biases_have_a_learning_rate_of_their_own():
    model = linear()
    before = [weight.astype(float) for weight in model.get_weights()]
    of_kernel, of_bias = softmax_gradients(*before)
    steps(model, replace(RECIPE, bias_learning_rate_multiplier=2.0, global_clipnorm=100.0)).update((IMAGES, LABELS))
    np.testing.assert_allclose(model.get_weights()[0], before[0] - 0.1 * of_kernel, atol=1e-6)
    np.testing.assert_allclose(model.get_weights()[1], before[1] - 0.2 * of_bias, atol=1e-6)


def test_weight_decay_by_layer():
    images = keras.Input((5,))
    hidden = keras.layers.Dense(4, name="hidden")(images)
    model = keras.Model(images, keras.layers.Dense(3, name="last")(hidden), name="two")
    decay_weights(model, {"last": 0.5})
    kernel = model.get_layer("last").kernel.numpy()
    assert float(sum(model.losses)) == pytest.approx(0.25 * (kernel.astype(float) ** 2).sum(), rel=1e-5)
    with pytest.raises(UsageError, match=r"'first' is not a layer of two whose weights can decay. Choose from: "):
        decay_weights(model, {"first": 0.5})


def test_metrics_of_an_update_are_sums_over_its_images():
    model = linear()
    logits = IMAGES @ model.get_weights()[0]
    scores = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    sums = steps(model).update((IMAGES, LABELS))
    assert float(sums["images"]) == 8
    assert float(sums["loss"]) == pytest.approx(-np.log(scores[np.arange(8), LABELS]).sum(), rel=1e-5)
    assert float(sums["errors"]) == (logits.argmax(1) != LABELS).sum()


@pytest.mark.parametrize("accumulation_steps", [2, 8])
def test_gradient_accumulation_makes_the_same_update(accumulation_steps):
    whole, split = linear(), linear()
    recipe = replace(RECIPE, weight_decay=0.5)
    first = steps(whole, recipe).update((IMAGES, LABELS))
    second = steps(split, recipe, accumulation_steps=accumulation_steps).update((IMAGES, LABELS))
    for one, other in zip(whole.get_weights(), split.get_weights()):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert {name: float(value) for name, value in first.items()} == pytest.approx(
        {name: float(value) for name, value in second.items()}, rel=1e-5
    )


def test_the_whole_gradient_is_clipped_to_the_norm():
    plain = replace(RECIPE, optimizer=keras_object("SGD", learning_rate=1.0), global_clipnorm=0.01)
    model = linear()
    before = [weight.astype(float) for weight in model.get_weights()]
    gradients = softmax_gradients(*before)
    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    steps(model, plain).update((IMAGES, LABELS))
    for weight, start, gradient in zip(model.get_weights(), before, gradients):
        np.testing.assert_allclose(start - weight, gradient * 0.01 / norm, atol=1e-6)


def test_weighted_losses_of_several_outputs_add_up():
    images = keras.Input((5,))
    main, side = [keras.layers.Dense(3, name=name)(images) for name in ("main", "aside")]
    model = keras.Model(images, {"main": main, "aside": side})
    each = {name: -np.log(softmax(IMAGES @ model.get_layer(name).get_weights()[0]))[np.arange(8), LABELS].sum()
            for name in ("main", "aside")}  # fmt: skip
    sums = steps(model, replace(RECIPE, loss_weights={"main": 1.0, "aside": 0.3})).update((IMAGES, LABELS))
    assert float(sums["loss"]) == pytest.approx(each["main"] + 0.3 * each["aside"], rel=1e-5)


def softmax(logits: np.ndarray) -> np.ndarray:
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def test_smoothed_labels_spread_a_tenth_over_all_classes():
    model = linear()
    logs = np.log(softmax(IMAGES @ model.get_weights()[0]))
    wanted = 0.9 * np.eye(3)[LABELS] + 0.1 / 3
    loss = keras_object("CategoricalCrossentropy", from_logits=True, label_smoothing=0.1)
    assert float(steps(model, replace(RECIPE, loss=loss)).update((IMAGES, LABELS))["loss"]) == pytest.approx(
        -(wanted * logs).sum(), rel=1e-5
    )


def test_a_running_average_replaces_the_weights_at_the_end():
    averaged = replace(RECIPE, optimizer=keras_object("SGD", learning_rate=0.1, use_ema=True, ema_momentum=0.5))
    model = linear()
    run = steps(model, averaged)
    run.update((IMAGES, LABELS))
    average = model.get_weights()[0].astype(float)  # the weights before the first update leave no trace
    for _ in range(2):
        run.update((IMAGES, LABELS))
        average = 0.5 * average + 0.5 * model.get_weights()[0]
    run.optimizer.finalize_variable_values(model.trainable_variables)
    np.testing.assert_allclose(model.get_weights()[0], average, atol=1e-6)


def test_half_precision_scales_its_loss_and_learns():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = linear()
    finally:
        keras.config.set_dtype_policy("float32")
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
    optimizer.build(model.trainable_variables)
    plain = linear()
    run = Steps(model, optimizer, replace(RECIPE, global_clipnorm=0.05))
    reference = steps(plain, replace(RECIPE, optimizer=keras_object("SGD", learning_rate=0.1), global_clipnorm=0.05))
    losses = [float(run.update((IMAGES, LABELS))["loss"]) for _ in range(20)]
    for _ in range(20):
        reference.update((IMAGES, LABELS))
    assert losses[-1] < losses[0]
    for half, full in zip(model.get_weights(), plain.get_weights()):
        np.testing.assert_allclose(half, full, atol=2e-3)


def test_a_compiled_update_is_the_same():
    whole, compiled = linear(), linear()
    steps(whole).update((IMAGES, LABELS))
    steps(compiled, jit=True).update((IMAGES, LABELS))
    np.testing.assert_allclose(whole.get_weights()[0], compiled.get_weights()[0], atol=1e-6)


def test_exponential_decay_after_decay_epochs():
    decay = ExponentialDecay(initial_learning_rate=1.0, decay_rate=0.5, decay_epochs=2)
    assert [decay.at(epoch, ()) for epoch in range(1, 6)] == [1, 1, 0.5, 0.5, 0.25]
    faster = ExponentialDecay(initial_learning_rate=1.0, decay_rate=0.96, decay_epochs=8 / 6)
    assert faster.at(9, ()) == pytest.approx(0.96**6)


def test_polynomial_decay_follows_its_formula():
    decay = PolynomialDecay(initial_learning_rate=0.01, decay_epochs=60, power=0.5)
    rates = [decay.at(epoch, ()) for epoch in range(1, 63)]
    assert rates[:60] == pytest.approx([0.01 * (1 - done / 60) ** 0.5 for done in range(60)])
    assert rates[60:] == [0, 0]


def test_polynomial_decay_is_that_of_keras():
    ours = PolynomialDecay(initial_learning_rate=0.1, decay_epochs=4, end_learning_rate=0.02, power=2.0)
    keras_schedule = keras.optimizers.schedules.PolynomialDecay(0.1, decay_steps=4, end_learning_rate=0.02, power=2.0)
    expected = [float(keras_schedule(done)) for done in range(6)]
    assert [ours.at(epoch, ()) for epoch in range(1, 7)] == pytest.approx(expected)


def test_plateau_reduces_the_rate_when_the_error_stalls():
    plateau = ReduceLROnPlateau(initial_learning_rate=1.0, factor=0.1, patience=2, max_reductions=2)
    errors = [50, 40, 41, 42, 39, 39, 39, 39, 39, 39, 39]
    rates = [plateau.at(epoch, errors) for epoch in range(1, len(errors) + 2)]
    assert rates == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01, 0.01])


def test_scaling_a_recipe_scales_its_learning_rates():
    assert (
        replace(RECIPE, learning_rate=ReduceLROnPlateau(0.01)).scaled(Fraction(4)).learning_rate.initial_learning_rate
        == 0.04
    )
    scaled = replace(RECIPE, learning_rate=((1, 0.1), (3, 0.01))).scaled(Fraction(2))
    assert (scaled.batch_size, scaled.learning_rate) == (16, ((1, 0.2), (3, 0.02)))
    assert (
        replace(RECIPE, learning_rate=ExponentialDecay(0.1, 0.5, 1))
        .scaled(Fraction(1, 4))
        .learning_rate.initial_learning_rate
        == 0.025
    )
    polynomial = PolynomialDecay(0.1, decay_epochs=2, end_learning_rate=0.01)
    assert replace(RECIPE, learning_rate=polynomial).scaled(Fraction(2)).learning_rate == PolynomialDecay(0.2, 2, 0.02)


@pytest.mark.parametrize("arguments", [{"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"momentum": 0.0}])
def test_momentum_in_place_is_that_of_keras(arguments):
    start, gradients = np.random.default_rng(1).normal(size=(2, 3, 1001)).astype("float32")
    found = []
    for optimizer in keras.optimizers.SGD(0.3, **arguments), InPlaceSGD(0.3, **arguments):
        weights = [keras.Variable(start)]
        optimizer.build(weights)
        for gradient in gradients:
            tf.function(optimizer.apply)([tf.constant(gradient + start)])
        found.append([variable.numpy() for variable in (*weights, *optimizer.variables)])
    for theirs, ours in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, theirs)
