"""How a network is trained and tested. Data only, so that it prints, compares and is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from reproductions.lab.spec.schedules import PolynomialDecay, Schedule

if TYPE_CHECKING:  # `reproduce list` needs no ranges, which are checked by `recipe_changes`
    from reproductions.lab.ranges import Epochs, Images, Name, NonNegative, Pixels, Positive, PositiveRate


class KerasObject(TypedDict):
    """A Keras object by the name of its class and its configuration."""

    class_name: str
    config: Mapping[str, Any]


Transform = str | tuple[str, Mapping[str, Any]]
Split = Literal["train", "validation"]
LearningRate = tuple[tuple[int, float], ...] | Schedule


def keras_object(class_name: str, **config: Any) -> KerasObject:
    """Describe a Keras object by its class name and configuration.

    It is created later, inside the strategy's scope.
    """
    return {"class_name": class_name, "config": config}


@dataclass(frozen=True)
class Recipe:
    """How a network is trained, and how it is tested.

    Attributes:
        dataset: Name of the data set, a key of `reproductions.lab.data.registry.LOADERS`.
        train_transforms: Transforms from a stored image to the input, in training; names from
            `reproductions.lab.data.transforms.registry`, or (name, options) pairs.
        optimizer: Keras optimizer, described by `keras_object`.
        loss: Keras loss, described by `keras_object`.
        learning_rate: (first epoch, learning rate) pairs, each valid until the next, or a schedule: `ExponentialDecay`,
            `PolynomialDecay` or `ReduceLROnPlateau`. Epochs count from 1.
        batch_size: Images per update, over all replicas together.
        epochs: Epochs of training.
        kernel_initializer: Keras initializer, described by `keras_object`; by default that of the builder.
        splits: Splits of the training set that are trained on.
        test_transforms: Transforms in testing, before crops are taken; by default `train_transforms`.
        protocol: Test protocol, a key of `reproductions.lab.spec.protocols.PROTOCOLS`.
        weight_decay: Lambda of the update w <- w - learning_rate * (gradient + lambda * w), on kernels only; one value
            for all layers, or values by layer name.
        bias_learning_rate_multiplier: Learning rate of biases divided by that of kernels. For plain SGD only.
        loss_weights: Loss weight of each output by name, the main output first, where training has several.
        global_clipnorm: Norm that the whole gradient of an update is clipped to; by default it is not.
        micro_batch_size: Images per forward pass, over which batch normalization takes its statistics; by default all
            that a replica has of a batch.
        init_layers: Layers whose weights come from a trained network, given by `--init-from`.
        input_size: Height and width of the input in pixels; by default those of the network.
        options: Further arguments of the network's builder, by name.
        training_images: Number of images of the splits to train on, the first ones; by default all.
        curvature: Number of images on which the optimizer's curvatures are measured before each epoch, for an optimizer
            that has any.
    """

    dataset: Name
    train_transforms: tuple[Transform, ...]
    optimizer: KerasObject
    loss: KerasObject
    learning_rate: LearningRate
    batch_size: Images
    epochs: Epochs
    kernel_initializer: KerasObject | None = None
    splits: tuple[Split, ...] = ("train", "validation")
    test_transforms: tuple[Transform, ...] = ()
    protocol: Name = "whole image"
    weight_decay: NonNegative | Mapping[str, NonNegative] = 0.0
    bias_learning_rate_multiplier: NonNegative = 1.0
    loss_weights: Mapping[str, NonNegative] = field(default_factory=dict)
    global_clipnorm: PositiveRate | None = None
    micro_batch_size: Images | None = None
    init_layers: tuple[str, ...] = ()
    input_size: Pixels | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    training_images: Positive | None = None
    curvature: Positive | None = None

    def learning_rate_at(self, epoch: int, errors: Sequence[float] = ()) -> float:
        """Return the learning rate of an epoch.

        Args:
            epoch: Number of the epoch, from 1.
            errors: Validation errors of the epochs before it, for schedules that depend on them.
        """
        if isinstance(self.learning_rate, Schedule):
            return self.learning_rate.at(epoch, errors)
        return [rate for first, rate in self.learning_rate if first <= epoch][-1]

    def scaled(self, factor: Fraction) -> Recipe:
        """Return the recipe with batch size and learning rates multiplied by `factor`."""
        if factor == 1:
            return self
        return replace(self.with_learning_rate_times(float(factor)), batch_size=int(self.batch_size * factor))

    def with_learning_rate_times(self, factor: float) -> Recipe:
        """Return the recipe with all learning rates multiplied by `factor`, to twelve digits."""

        def times(rate: float) -> float:
            return float(f"{rate * factor:.12g}")  # 0.3, not 0.30000000000000004

        schedule = self.learning_rate
        if isinstance(schedule, PolynomialDecay):
            schedule = replace(schedule, end_learning_rate=times(schedule.end_learning_rate))
        if isinstance(schedule, Schedule):
            initial = times(schedule.initial_learning_rate)
            return replace(self, learning_rate=replace(schedule, initial_learning_rate=initial))
        return replace(self, learning_rate=tuple((first, times(rate)) for first, rate in schedule))

    def as_data(self) -> dict[str, Any]:
        """Return the recipe as JSON would give it back, with lists for tuples."""
        return plain(asdict(self))


def plain(value: Any) -> Any:
    """Return a copy with dictionaries and lists in place of all mappings and sequences."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def format_options(options: Mapping[str, object]) -> str:
    """Return options as text: "caffe=True"."""
    return ", ".join(f"{name}={value}" for name, value in options.items())


def format_transform(transform: Transform) -> str:
    """Return a transform as text: "subtract_colour(colour=(123.0, 117.0, 104.0))"."""
    return transform if isinstance(transform, str) else f"{transform[0]}({format_options(transform[1])})"
