"""One update and one validation step, on one device or many: gradients, clipping, weight decay, the loss's scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.evaluation.evaluate import answers
from reproductions.lab.spec.recipe import Recipe

Sums = dict[str, Any]  # of loss times images and of errors, and the images they are of


def decay_weights(model: keras.Model, weight_decay: float | Mapping[str, float]) -> None:
    """Adds weight_decay / 2 |w|^2 to the loss, w being the kernels: the papers' w <- w - rate * weight_decay * w.

    Within the gradient, hence within the momentum; Keras' own `weight_decay` of an optimizer stays outside of it.
    By the names of layers where that is given, others not at all; UsageError for a layer that the model has not.
    """
    if isinstance(weight_decay, Mapping):
        layers = {layer.name: layer for layer in model.layers}
        for name, own in weight_decay.items():
            if name not in layers:
                raise unknown(f"layer of {model.name} whose weights can decay", name, layers)
            if not any(weight.name == "kernel" for weight in layers[name].trainable_weights):
                raise UsageError(f"{name} of {model.name} has no kernel whose weights could decay")
            decay_weights(layers[name], own)
        return
    for weight in model.trainable_weights:
        if weight_decay and weight.name == "kernel":
            weight.regularizer = keras.regularizers.L2(weight_decay / 2)


def own_seeds(model: keras.Model, strategy: tf.distribute.Strategy) -> None:
    """Dropout masks that differ between replicas: without it every replica draws the same."""
    seeds = [weight for weight in model.non_trainable_variables if weight.name == "seed_generator_state"]

    def shift() -> None:
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        for seed in seeds:
            # A replica's copy alone: these variables are not aggregated.
            seed.assign(seed.value + tf.cast([replica * 1_000_003, 0], seed.dtype))

    if strategy.num_replicas_in_sync > 1:
        strategy.run(tf.function(shift))


class Steps:
    """The steps of a training: `update` and `validate`, each a function of an iterator over a replica's images.

    `accumulation_steps` are the parts in which each replica takes its share of a batch, one after the other.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: Any,
        recipe: Recipe,
        outputs: str,
        strategy: tf.distribute.Strategy,
        accumulation_steps: int = 1,
        jit: bool = False,
    ) -> None:
        self.model, self.optimizer, self.recipe, self.outputs = model, optimizer, recipe, outputs
        self.strategy, self.accumulation_steps = strategy, accumulation_steps
        each = {**recipe.loss, "config": {**recipe.loss["config"], "reduction": None}}
        self.loss = keras.losses.get(each)
        self.gradients = tf.function(self.forward, jit_compile=True) if jit else self.forward
        self.update = tf.function(self.distributed(self.update_replica))
        self.updates = tf.function(self.one_after_the_other)
        self.validate = tf.function(self.distributed(self.validate_replica))
        self.add_up = tf.function(self.distributed(lambda values: {"sum": values}))

    def distributed(self, step: Callable[..., Sums]) -> Callable[..., Sums]:
        """The step on every replica, and the sums over all of them."""

        def run(batch: Any) -> Sums:
            sums = self.strategy.run(step, args=batch)
            return {name: self.strategy.reduce("SUM", value, axis=None) for name, value in sums.items()}

        return run

    def one_after_the_other(self, batches: Any, count: Any) -> Sums:
        """The sums of `count` updates, (count,) each; in one graph, since calling a small one costs as much again."""
        sums = {name: tf.TensorArray(tf.float32, count) for name in ("loss", "errors", "images")}
        for i in tf.range(count):
            here = self.update(next(batches))
            sums = {name: sums[name].write(i, here[name]) for name in sums}
        return {name: each.stack() for name, each in sums.items()}

    def losses(self, labels: Any, outputs: Any) -> Any:
        """The loss of each image, of all heads together."""
        if isinstance(self.loss, keras.losses.CategoricalCrossentropy):
            labels = tf.one_hot(labels, self.main(outputs).shape[-1])
        if not self.recipe.loss_weights:
            return self.loss(labels, outputs)
        return sum(weight * self.loss(labels, outputs[name]) for name, weight in self.recipe.loss_weights.items())

    def main(self, outputs: Any) -> Any:
        return outputs[next(iter(self.recipe.loss_weights))] if self.recipe.loss_weights else outputs

    def errors(self, labels: Any, outputs: Any) -> Any:
        """1 for each image with a wrong answer, else 0."""
        wrong = tf.cast(answers(self.main(outputs), self.outputs), tf.int64) != tf.cast(labels, tf.int64)
        return tf.cast(wrong, tf.float32)

    def forward(self, images: Any, labels: Any) -> tuple[Any, Any, list[Any]]:
        """Sum of losses, number of errors, and the gradients' share of an update, of one micro-batch."""
        updates = self.strategy.num_replicas_in_sync * self.accumulation_steps
        with tf.GradientTape() as tape:
            outputs = self.model(images, training=True)
            penalty = tf.cast(sum(self.model.losses), tf.float32) / updates
            losses = tf.reduce_sum(self.losses(labels, outputs))
            scaled = self.optimizer.scale_loss(losses / self.recipe.batch_size + penalty)
        gradients = tape.gradient(scaled, self.model.trainable_variables)
        return losses + penalty * self.recipe.batch_size, tf.reduce_sum(self.errors(labels, outputs)), gradients

    def update_replica(self, images: Any, labels: Any) -> Sums:
        """One update by a replica's share of a batch."""
        # Not of the images' shape: several workers' batches have none while a graph is made.
        share = self.recipe.batch_size // self.strategy.num_replicas_in_sync
        size = share // self.accumulation_steps
        loss, errors, gradients = self.gradients(images[:size], labels[:size])
        if self.accumulation_steps > 1:  # else the network would be traced twice
            for i in tf.range(1, self.accumulation_steps):
                part = images[i * size : (i + 1) * size], labels[i * size : (i + 1) * size]
                more_loss, more_errors, more = self.gradients(*part)
                loss, errors = loss + more_loss, errors + more_errors
                gradients = [one + other for one, other in zip(gradients, more)]
        self.optimizer.apply(self.at_own_rates(self.clipped(gradients)), self.model.trainable_variables)
        return {"loss": loss, "errors": errors, "images": tf.constant(float(share))}

    def at_own_rates(self, gradients: list[Any]) -> list[Any]:
        """Gradients with those of biases as many times as large: SGD's update is in proportion to them."""
        if self.recipe.bias_learning_rate_multiplier == 1:
            return gradients
        biases = [variable.name == "bias" for variable in self.model.trainable_variables]
        return [
            self.recipe.bias_learning_rate_multiplier * each if bias else each for each, bias in zip(gradients, biases)
        ]

    def clipped(self, gradients: list[Any]) -> list[Any]:
        """The gradients cut to the recipe's norm, which is that of the whole update: over all replicas."""
        replicas = self.strategy.num_replicas_in_sync
        # Whether an update of half precision is finite, Keras asks of the first replica alone.
        scaled = isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer)
        reduced = replicas > 1 and (self.recipe.global_clipnorm is not None or scaled)
        if reduced:
            gradients = tf.distribute.get_replica_context().all_reduce("SUM", gradients)
        if self.recipe.global_clipnorm is not None:
            norm = self.optimizer.scale_loss(tf.constant(self.recipe.global_clipnorm))
            gradients, _ = tf.clip_by_global_norm(gradients, norm)
        # The optimizer adds them up once more.
        return [gradient / replicas for gradient in gradients] if reduced else gradients

    def validate_replica(self, images: Any, labels: Any, counts: Any) -> Sums:
        """Sums over the images of which `counts` is 1; those of 0 fill up a batch."""
        outputs = self.model(images, training=False)
        return {
            "loss": tf.reduce_sum(self.losses(labels, outputs) * counts),
            "errors": tf.reduce_sum(self.errors(labels, outputs) * counts),
            "images": tf.reduce_sum(counts),
        }
