"""How strongly the loss bends along each parameter: the diagonal of its Gauss-Newton matrix, not approximated."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from reproductions.lab.data import pipeline
from reproductions.lab.data.transforms.context import TransformContext
from reproductions.lab.training.step import Steps

Losses = Callable[[Any, Any], Any]


def last_trained_outputs(model: keras.Model) -> tuple[keras.Model, Callable[[Any], Any]]:
    """The network up to the outputs of its last layer with trained weights, and what comes after, as a function.

    Of LeNet-5 these are F6 and the RBF units: fixed, they belong to the loss, whose curvature they make.
    """
    last = [layer for layer in model.layers if layer.trainable_weights][-1]
    body = keras.Model(model.inputs, last.output)
    return body, (lambda x: x) if last.output is model.output else keras.Model(last.output, model.output)


def roots_of_hessians(losses: Losses, labels: Any, outputs: Any) -> Any:
    """Of the Hessian of each image's loss by its outputs (n, m): S (n, m, m) with S S^T, what is negative left out."""
    with tf.GradientTape() as second:
        second.watch(outputs)
        with tf.GradientTape() as first:
            first.watch(outputs)
            loss = losses(labels, outputs)
        slopes = first.gradient(loss, outputs)
    values, vectors = tf.linalg.eigh(second.batch_jacobian(slopes, outputs))
    return vectors * tf.sqrt(tf.maximum(values, 0))[:, tf.newaxis]


def gauss_newton_diagonal(model: keras.Model, losses: Losses, images: Any, labels: Any) -> list[Any]:
    """The mean over images of J^T H J's diagonal, in the shapes of the trained weights.

    J (outputs, weights) are the derivatives of what the last trained layer gives, H the Hessian of the loss by that,
    `losses(labels, outputs)` the loss of each image (n,). A weight that many connections share is one weight here.
    """
    body, head = last_trained_outputs(model)
    roots = roots_of_hessians(lambda labels, x: losses(labels, head(x)), labels, body(images, training=False))
    weights = [weight.value for weight in model.trainable_variables]
    sums = [tf.zeros_like(weight) for weight in weights]
    for i in tf.range(tf.shape(images)[0]):
        with tf.GradientTape() as tape:
            rooted = tf.linalg.matvec(roots[i], body(images[i : i + 1], training=False)[0], transpose_a=True)
        jacobians = tape.jacobian(rooted, weights)
        sums = [total + tf.reduce_sum(tf.square(j), 0) for total, j in zip(sums, jacobians)]
    return [total / tf.cast(tf.shape(images)[0], total.dtype) for total in sums]


def measuring(steps: Steps, images: Any, view: TransformContext, seed: int) -> Callable[[int], None]:
    """A function to call before each pass, with its number: it measures the optimizer's curvatures.

    On the images that the pass begins with, as many as the recipe says; where it says none, nothing is done.
    """
    recipe, count = steps.recipe, steps.recipe.curvature
    if count is None:
        return lambda epoch: None
    diagonal = tf.function(functools.partial(gauss_newton_diagonal, steps.model, steps.losses))

    def measure(epoch: int) -> None:
        position = pipeline.DataPosition(seed, epoch)
        shown, labels = pipeline.first_of_epoch(images, recipe, view, position, count)
        for curvature, value in zip(steps.optimizer.curvatures, diagonal(shown, labels)):
            curvature.assign(value)

    return measure
