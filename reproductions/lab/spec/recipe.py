"""How a network is trained and tested. Data only, so that it prints, compares and is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal

from reproductions.lab.spec.schedules import Decay, Plateau

KerasObject = Mapping[str, Any]
ImageStep = str | tuple[str, Mapping[str, Any]]
Part = Literal["train", "validation"]


def keras_object(class_name: str, **config: Any) -> KerasObject:
    """A Keras object described in Keras' own terms, to be made later, inside the strategy's scope."""
    return {"class_name": class_name, "config": config}


@dataclass(frozen=True)
class Recipe:
    """How a network is trained, and how it is tested.

    Attributes:
        dataset: name of the data set, as `reproductions.lab.data.registry` knows it.
        images: steps of `reproductions.lab.data.transforms.registry` that lead from a stored image to the input in
            training: names, or (name, options) pairs.
        optimizer, loss, initial_weights: Keras objects, described; without `initial_weights` the builder's own.
        rates: (first pass, learning rate) pairs, each holding until the next; or a `Decay` or `Plateau`.
            Passes count from 1.
        batch: images an update, over all replicas together.
        epochs: passes over the training images.
        parts: the parts of the training set that are trained on.
        test_images: the steps in testing, before crops are taken; `images` where none are named.
        protocol: how it is tested, as `reproductions.lab.spec.protocols` knows it.
        weight_decay: lambda of the update w <- w - rate (gradient + lambda w), on kernels alone; one for all layers,
            or for each that is decayed, by its name.
        bias_rate: how many times as high as the others' the rate of biases is, with plain SGD as the optimizer.
        heads: the loss weight of each output, by name and the main one first, where training has several.
        clip_norm: the norm that the whole gradient of an update is cut to; None does not cut.
        micro_batch: images that pass through the network at a time, of which batch normalization takes its
            statistics; None for all that a replica has of a batch.
        starts_from: the layers whose weights come from a trained network, named with --init-from.
        input_size: pixels of a side, where they are not the network's own.
        options: of the network's builder, by name, where they are not its own.
        training_images: the first so many images of the parts are trained on; None for all.
        curvature: images on which the optimizer's curvature of each weight is measured before each pass; None for an
            optimizer that has none.
    """

    dataset: str
    images: tuple[ImageStep, ...]
    optimizer: KerasObject
    loss: KerasObject
    rates: tuple[tuple[int, float], ...] | Decay | Plateau
    batch: int
    epochs: int
    initial_weights: KerasObject | None = None
    parts: tuple[Part, ...] = ("train", "validation")
    test_images: tuple[ImageStep, ...] = ()
    protocol: str = "whole image"
    weight_decay: float | Mapping[str, float] = 0.0
    bias_rate: float = 1.0
    heads: Mapping[str, float] = field(default_factory=dict)
    clip_norm: float | None = None
    micro_batch: int | None = None
    starts_from: tuple[str, ...] = ()
    input_size: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    training_images: int | None = None
    curvature: int | None = None

    def learning_rate(self, epoch: int, errors: Sequence[float] = ()) -> float:
        """The learning rate of a pass, counted from 1, after passes with these validation errors."""
        if isinstance(self.rates, (Decay, Plateau)):
            return self.rates.rate(epoch, errors)
        return [rate for first, rate in self.rates if first <= epoch][-1]

    def scaled(self, factor: Fraction) -> Recipe:
        """The recipe for a batch `factor` times as large, its learning rates as many times as high."""
        return self if factor == 1 else replace(self.with_rates_times(float(factor)), batch=int(self.batch * factor))

    def with_rates_times(self, factor: float) -> Recipe:
        """The recipe with all its learning rates that many times as high, to twelve digits."""

        def times(rate: float) -> float:
            return float(f"{rate * factor:.12g}")  # 0.3, not 0.30000000000000004

        if isinstance(self.rates, (Decay, Plateau)):
            return replace(self, rates=replace(self.rates, first=times(self.rates.first)))
        return replace(self, rates=tuple((first, times(rate)) for first, rate in self.rates))

    def as_data(self) -> dict[str, Any]:
        """The recipe as JSON would give it back: lists for tuples."""
        return plain(asdict(self))


def plain(value: Any) -> Any:
    """A copy with dictionaries and lists for every mapping and sequence."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
