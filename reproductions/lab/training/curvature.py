"""Curvature of the loss along each parameter: the exact diagonal of its Gauss-Newton matrix."""

from __future__ import annotations

import functools
from collections.abc import Callable

import keras
import tensorflow as tf

from reproductions.lab.data import pipeline
from reproductions.lab.data.base import Images
from reproductions.lab.data.transforms.context import TransformContext
from reproductions.lab.training.step import Steps

Losses = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def split_after_last_trained(model: keras.Model) -> tuple[keras.Model, Callable[[tf.Tensor], tf.Tensor]]:
    """Split a network after its last layer with trained weights.

    Of LeNet-5 the second part are the RBF units: fixed, they belong to the loss, whose curvature they contribute to.

    Returns:
        The network up to the outputs of that layer, and a function from these to the outputs of the network.
    """
    last = [layer for layer in model.layers if layer.trainable_weights][-1]
    body = keras.Model(model.inputs, last.output)
    return body, (lambda x: x) if last.output is model.output else keras.Model(last.output, model.output)


def roots_of_hessians(losses: Losses, labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Return matrix roots of the Hessians of the losses, without their negative part.

    Args:
        losses: Function from labels and outputs to the loss of each image, (n,).
        labels: Labels, (n,).
        outputs: Outputs, (n, m).

    Returns:
        S (n, m, m), where S S^T is the Hessian of each image's loss with respect to its outputs, negative eigenvalues
        set to zero.
    """
    with tf.GradientTape() as second:
        second.watch(outputs)
        with tf.GradientTape() as first:
            first.watch(outputs)
            loss = losses(labels, outputs)
        slopes = first.gradient(loss, outputs)
    values, vectors = tf.linalg.eigh(second.batch_jacobian(slopes, outputs))
    return vectors * tf.sqrt(tf.maximum(values, 0))[:, tf.newaxis]


def gauss_newton_diagonal(model: keras.Model, losses: Losses, images: tf.Tensor, labels: tf.Tensor) -> list[tf.Tensor]:
    """Return the diagonal of J^T H J, averaged over images.

    J (outputs, weights) is the Jacobian of the outputs of the last trained layer, H the Hessian of the loss with
    respect to these outputs. A weight that many connections share is one weight here.

    Args:
        model: Network.
        losses: Function from labels and outputs to the loss of each image, (n,).
        images: Images, (n, ...).
        labels: Labels, (n,).

    Returns:
        A tensor in the shape of each trained weight.
    """
    body, head = split_after_last_trained(model)
    roots = roots_of_hessians(lambda labels, x: losses(labels, head(x)), labels, body(images, training=False))
    weights = [weight.value for weight in model.trainable_variables]
    sums = [tf.zeros_like(weight) for weight in weights]
    for i in tf.range(tf.shape(images)[0]):
        with tf.GradientTape() as tape:
            rooted = tf.linalg.matvec(roots[i], body(images[i : i + 1], training=False)[0], transpose_a=True)
        jacobians = tape.jacobian(rooted, weights)
        sums = [total + tf.reduce_sum(tf.square(j), 0) for total, j in zip(sums, jacobians)]
    return [total / tf.cast(tf.shape(images)[0], total.dtype) for total in sums]


def create_measurement(steps: Steps, images: Images, context: TransformContext, seed: int) -> Callable[[int], None]:
    """Return a function that measures the optimizer's curvatures before an epoch.

    It takes the number of the epoch, and measures on the images that the epoch begins with, as many as the recipe
    states. It does nothing if the recipe states none.

    Args:
        steps: Steps with the model, the optimizer and the recipe.
        images: Images to train on.
        context: Context of the transforms.
        seed: Random seed of the run.
    """
    recipe, count = steps.recipe, steps.recipe.curvature
    if count is None:
        return lambda epoch: None
    diagonal = tf.function(functools.partial(gauss_newton_diagonal, steps.model, steps.losses))

    def measure(epoch: int) -> None:
        position = pipeline.DataPosition(seed, epoch)
        inputs, labels = pipeline.first_of_epoch(images, recipe, context, position, count)
        for curvature, value in zip(steps.optimizer.curvatures, diagonal(inputs, labels)):
            curvature.assign(value)

    return measure
