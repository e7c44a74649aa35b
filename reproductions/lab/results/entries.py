"""The parts of a record: results of tests and epochs, and what is known about the data and the execution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from reproductions.lab.ranges import Epochs, Images, Name, NonNegative, Percent, Positive, Rate, Whole
from reproductions.lab.results.stats import wilson_interval

FLOAT32 = "float32"
WHOLE_IMAGE = "whole image"


@dataclass(frozen=True)
class ErrorRate:
    """Errors on a set of images.

    Attributes:
        errors: Number of images with a wrong answer.
        error: Error rate, in percent.
        interval: Wilson's 95% interval of the error rate, in percent.
    """

    errors: Whole
    error: Percent
    interval: tuple[Percent, Percent]

    @classmethod
    def of(cls, errors: int, images: int) -> ErrorRate:
        """Return the error rate of a number of errors on a number of images."""
        return cls(errors, 100 * errors / images, wilson_interval(errors, images))


@dataclass(frozen=True)
class EvaluationResult:
    """Result of one test.

    Attributes:
        protocol: Name of the test protocol.
        images: Number of images tested.
        images_per_class: Number of images of each class.
        top1: Error rate of the answers.
        top5: Error rate of the best five answers; None for data sets of up to ten classes.
    """

    protocol: Name
    images: Positive
    images_per_class: list[Whole]
    top1: ErrorRate
    top5: ErrorRate | None = None


@dataclass(frozen=True)
class Misclassified:
    """Misclassified test images: index in the test set, label and prediction of each, in three lists."""

    index: list[Whole]
    label: list[Whole]
    predicted: list[Whole]

    def __len__(self) -> int:
        return len(self.index)

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        return zip(self.index, self.label, self.predicted)


@dataclass(frozen=True)
class EpochResult:
    """Metrics of one epoch: those on the training images are running averages while the weights change.

    Attributes:
        epoch: Number of the epoch, from 1.
        loss: Mean loss, weight decay included.
        error: Error rate, in percent.
        learning_rate: Learning rate of the optimizer.
        seconds: Training time.
        val_loss: Mean loss on the validation split, if it is held out.
        val_error: Error rate on the validation split in percent, if it is held out.
    """

    epoch: Epochs
    loss: float
    error: Percent
    learning_rate: Rate
    seconds: NonNegative
    val_loss: float | None = None
    val_error: Percent | None = None

    def as_data(self) -> dict[str, float]:
        """Return the metrics that there are, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class DataSummary:
    """The data of a run.

    Attributes:
        name: Name of the data set; that of the published one only if its checksum says so.
        source: Where it came from.
        sha256: Checksum of the decoded arrays, or of the prepared files.
        train: Number of images of the training split; likewise `validation` and `test`.
        classes: Number of classes.
    """

    name: Name
    source: str
    sha256: Name
    train: Whole
    validation: Whole
    test: Whole
    classes: Positive | None = None

    def images(self, splits: Sequence[str]) -> int:
        """Return the number of images in some splits."""
        return sum(int(getattr(self, split)) for split in splits)


@dataclass(frozen=True)
class InitProvenance:
    """The finished run from which layers were initialized: its network, seed and the checksum of its model."""

    network: Name
    seed: Whole
    sha256: Name


@dataclass(frozen=True)
class Execution:
    """How a run was executed, on which the last bits of its results depend.

    Attributes:
        precision: Keras dtype policy.
        jit: Whether the step was compiled by XLA.
        forward_batch_size: Images per forward pass and replica.
        accumulation_steps: Steps over which a replica accumulates the gradients of its share of a batch.
        workers: Number of workers.
        replicas: Number of replicas, over all workers.
        threads: Intra-op threads, on a CPU.
        init_from: Where layers were initialized from, if anywhere.
    """

    precision: Name = FLOAT32
    jit: bool | None = None
    forward_batch_size: Images | None = None
    accumulation_steps: Positive | None = None
    workers: Positive | None = None
    replicas: Positive | None = None
    threads: Positive | None = None
    init_from: InitProvenance | None = None
