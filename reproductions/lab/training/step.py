"""One update and one validation step, on any number of devices: gradients, clipping, weight decay, loss scaling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import keras
import tensorflow as tf

from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.evaluation.evaluate import answers
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.training.averaging import MomentAverages
from reproductions.lab.training.distributed import Sums, summed_over_replicas


class WeightDecay(keras.regularizers.L2):
    """L2 regularization without a gradient, which `Steps.decayed` adds: Keras takes twice the memory of the weights."""

    def __call__(self, x: keras.Variable) -> tf.Tensor:
        """Return l2 * |x|^2."""
        return super().__call__(tf.stop_gradient(x))


def decay_weights(model: keras.Model, weight_decay: float | Mapping[str, float]) -> None:
    """Add weight_decay / 2 * |w|^2 to the loss, over all kernels w.

    This makes the papers' update w <- w - learning_rate * (gradient + weight_decay * w). It is part of the gradient and
    hence of the momentum; Keras' own `weight_decay` of an optimizer is not.

    Args:
        model: Network, whose kernels get a regularizer.
        weight_decay: Lambda for all layers, or by layer name; other layers have none then.

    Raises:
        UsageError: If the model has no such layer, or the layer has no kernel.
    """
    if isinstance(weight_decay, Mapping):
        layers = {layer.name: layer for layer in model.layers}
        for name, value in weight_decay.items():
            if name not in layers:
                raise unknown(f"layer of {model.name} whose weights can decay", name, layers)
            if not any(weight.name == "kernel" for weight in layers[name].trainable_weights):
                raise UsageError(f"{name} of {model.name} has no kernel whose weights could decay")
            decay_weights(layers[name], value)
        return
    for weight in model.trainable_weights:
        if weight_decay and weight.name == "kernel":
            weight.regularizer = WeightDecay(weight_decay / 2)


def per_replica_seeds(model: keras.Model, strategy: tf.distribute.Strategy) -> None:
    """Give each replica its own dropout masks: without this all replicas draw the same."""
    seeds = [weight for weight in model.non_trainable_variables if weight.name == "seed_generator_state"]

    def shift() -> None:
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        for seed in seeds:
            # Only this replica's copy: these variables are not aggregated.
            seed.assign(seed.value + tf.cast([replica * 1_000_003, 0], seed.dtype))

    if strategy.num_replicas_in_sync > 1:
        strategy.run(tf.function(shift))


@dataclass(frozen=True)
class StepConfig:
    """How steps are executed.

    Attributes:
        outputs: What the model returns: "logits" or "penalties".
        strategy: Distribution strategy.
        accumulation_steps: Steps over which each replica accumulates the gradients of its share of a batch.
        jit: Whether the gradients are compiled by XLA.
    """

    outputs: str = "logits"
    strategy: tf.distribute.Strategy = field(default_factory=tf.distribute.get_strategy)
    accumulation_steps: int = 1
    jit: bool = False


class Steps:
    """The steps of a training.

    Args:
        model: Network.
        optimizer: Optimizer, built.
        recipe: Recipe with the loss, the batch size, clipping and so on.
        config: How the steps are executed.

    Attributes:
        update: Function from the images and labels of each replica to the sums of an update over all replicas: "loss",
            "errors" and "images".
        updates: Function that runs several updates in one call; see `update_many`.
        validate: Function from the images, labels and weights of each replica to the same sums.
        averages: Running averages of batch normalization's moments, if the optimizer averages the weights.
    """

    def __init__(
        self, model: keras.Model, optimizer: keras.Optimizer, recipe: Recipe, config: StepConfig | None = None
    ) -> None:
        config = config or StepConfig()
        self.model, self.optimizer, self.recipe = model, optimizer, recipe
        self.outputs, self.strategy = config.outputs, config.strategy
        self.accumulation_steps = config.accumulation_steps
        with self.strategy.scope():
            self.averages = MomentAverages(model, optimizer)
        self.loss = keras.losses.get({**recipe.loss, "config": {**recipe.loss["config"], "reduction": None}})
        self.gradients = (
            tf.function(self.loss_and_gradients, jit_compile=True, autograph=False)
            if config.jit
            else self.loss_and_gradients
        )
        # Only loops need autograph, which takes longer than all else that builds the graph of a small network.
        loops = self.accumulation_steps > 1
        self.update = tf.function(summed_over_replicas(self.strategy, self.update_replica), autograph=loops)
        self.updates = tf.function(self.update_many)
        self.validate = tf.function(summed_over_replicas(self.strategy, self.validate_replica), autograph=False)

    @property
    def variables(self) -> list[keras.Variable]:
        """All variables from which a training continues, seed generators included, in a fixed order."""
        return [*self.model.variables, *self.optimizer.variables, *self.averages.variables]

    def finalize_variables(self) -> None:
        """Replace weights and moments by their running averages, if the optimizer averages the weights."""
        self.optimizer.finalize_variable_values(self.model.trainable_variables)
        self.averages.overwrite_moments()

    def update_many(self, batches: Iterator[tuple[tf.Tensor, ...]], count: tf.Tensor) -> Sums:
        """Run several updates in one graph, since calling a small graph takes as long as running it.

        Args:
            batches: Iterator over the batches.
            count: Number of updates, an int32 scalar.

        Returns:
            The sums of each update, (count,).
        """
        sums = {name: tf.TensorArray(tf.float32, count) for name in ("loss", "errors", "images")}
        for i in tf.range(count):
            here = self.update(next(batches))
            sums = {name: sums[name].write(i, here[name]) for name in sums}
        return {name: each.stack() for name, each in sums.items()}

    def losses(self, labels: tf.Tensor, outputs: tf.Tensor | dict[str, tf.Tensor]) -> tf.Tensor:
        """Return the loss of each image, weighted and summed over the outputs of the model."""
        if isinstance(self.loss, keras.losses.CategoricalCrossentropy):
            labels = tf.one_hot(labels, self.main_output(outputs).shape[-1])
        if not isinstance(outputs, dict):
            return self.loss(labels, outputs)
        return sum(weight * self.loss(labels, outputs[name]) for name, weight in self.recipe.loss_weights.items())

    def main_output(self, outputs: tf.Tensor | dict[str, tf.Tensor]) -> tf.Tensor:
        """Return the output that classifies an image."""
        return outputs[next(iter(self.recipe.loss_weights))] if isinstance(outputs, dict) else outputs

    def errors(self, labels: tf.Tensor, outputs: tf.Tensor | dict[str, tf.Tensor]) -> tf.Tensor:
        """Return 1 for each image with a wrong answer and 0 for the others, float32."""
        wrong = tf.cast(answers(self.main_output(outputs), self.outputs), tf.int64) != tf.cast(labels, tf.int64)
        return tf.cast(wrong, tf.float32)

    def loss_and_gradients(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        """Return sum of losses, number of errors, and the share in an update's gradients of one accumulation step."""
        shares = self.strategy.num_replicas_in_sync * self.accumulation_steps
        with tf.GradientTape() as tape:
            outputs = self.model(images, training=True)
            penalty = tf.cast(sum(self.model.losses), tf.float32) / shares
            losses = tf.reduce_sum(self.losses(labels, outputs))
            scaled = self.optimizer.scale_loss(losses / self.recipe.batch_size + penalty)
        gradients = tape.gradient(scaled, self.model.trainable_variables)
        gradients = self.decayed(gradients, self.optimizer.scale_loss(tf.constant(1.0)) / shares)
        return losses + penalty * self.recipe.batch_size, tf.reduce_sum(self.errors(labels, outputs)), gradients

    def decayed(self, gradients: list[tf.Tensor], share: tf.Tensor) -> list[tf.Tensor]:
        """Add the gradients of a share of the weight decay, after the others: the activations are not needed then."""
        found = []
        with tf.control_dependencies(gradients):
            for gradient, weight in zip(gradients, self.model.trainable_variables):
                decays = isinstance(weight.regularizer, WeightDecay)
                found.append(gradient + 2 * weight.regularizer.l2 * share * weight if decays else gradient)
        return found

    def update_replica(self, images: tf.Tensor, labels: tf.Tensor) -> Sums:
        """Update the weights from a replica's share of a batch."""
        # Not from the images' shape: batches of several workers have none while the graph is built.
        share = self.recipe.batch_size // self.strategy.num_replicas_in_sync
        size = share // self.accumulation_steps
        loss, errors, gradients = self.gradients(images[:size], labels[:size])
        if self.accumulation_steps > 1:  # otherwise the network would be traced twice
            for i in tf.range(1, self.accumulation_steps):
                micro_batch = images[i * size : (i + 1) * size], labels[i * size : (i + 1) * size]
                more_loss, more_errors, more = self.gradients(*micro_batch)
                loss, errors = loss + more_loss, errors + more_errors
                gradients = [one + other for one, other in zip(gradients, more)]
        self.averages.update()
        gradients = self.scale_bias_gradients(self.clip(gradients))
        # Otherwise the products of momentum and velocity would be ready, and kept, before the backward pass.
        with tf.control_dependencies(gradients):
            self.optimizer.apply(gradients, self.model.trainable_variables)
        return {"loss": loss, "errors": errors, "images": tf.constant(float(share))}

    def scale_bias_gradients(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        """Multiply the gradients of biases by their multiplier: SGD's update is proportional to the gradient."""
        multiplier = self.recipe.bias_learning_rate_multiplier
        if multiplier == 1:
            return gradients
        is_bias = [variable.name == "bias" for variable in self.model.trainable_variables]
        return [multiplier * gradient if bias else gradient for gradient, bias in zip(gradients, is_bias)]

    def clip(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        """Clip the gradients to the recipe's norm, which is that of the whole update, over all replicas."""
        replicas = self.strategy.num_replicas_in_sync
        # Keras checks only on the first replica whether a half-precision update is finite.
        scaled = isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer)
        reduced = replicas > 1 and (self.recipe.global_clipnorm is not None or scaled)
        if reduced:
            gradients = tf.distribute.get_replica_context().all_reduce("SUM", gradients)
        if self.recipe.global_clipnorm is not None:
            norm = self.optimizer.scale_loss(tf.constant(self.recipe.global_clipnorm))
            gradients, _ = tf.clip_by_global_norm(gradients, norm)
        # The optimizer sums over replicas once more.
        return [gradient / replicas for gradient in gradients] if reduced else gradients

    def validate_replica(self, images: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> Sums:
        """Return sums over the images of weight 1; those of weight 0 fill up a batch."""
        outputs = self.model(images, training=False)
        return {
            "loss": tf.reduce_sum(self.losses(labels, outputs) * weights),
            "errors": tf.reduce_sum(self.errors(labels, outputs) * weights),
            "images": tf.reduce_sum(weights),
        }
