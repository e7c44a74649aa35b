"""The options of `reproduce train`. Without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.results.entries import FLOAT32

MAX_SEED = 2**31 - 1
STRATEGIES = ("auto", "single", "mirrored", "multi-worker")
PRECISIONS = (FLOAT32, "mixed_bfloat16", "mixed_float16")
COUNTS = ("epochs", "accumulate", "input_size", "training_images")


@dataclass(frozen=True)
class TrainOptions:
    """Options of `reproduce train`.

    `recipe`, `epochs`, `hold_out`, `scale_batch`, `input_size` and `training_images` change the recipe; `accumulate`,
    `precision`, `jit`, `threads` and `strategy` change how it is executed. The record shows both.

    Attributes:
        seed: Random seed.
        recipe: JSON file with fields that replace the recipe's own.
        epochs: Epochs of training.
        hold_out: Whether the validation split is held out, and its error reported.
        scale_batch: Factor of the batch size and the learning rates.
        input_size: Height and width of the input in pixels.
        training_images: Number of images to train on, the first ones.
        init_from: Folder of the finished run from which layers are initialized.
        data_dir: Folder of the data sets.
        run_dir: Folder of the run.
        resume: Whether the run in the folder is resumed, if there is one.
        save_every: Minimum time between checkpoints within an epoch, in seconds.
        strategy: Distribution strategy: "auto", "single", "mirrored" or "multi-worker".
        accumulate: Steps over which each device accumulates the gradients of its share of a batch.
        precision: Keras dtype policy.
        jit: Whether the step is compiled by XLA.
        threads: Intra-op threads; by default 1 for small networks, else one per core.
    """

    seed: int = 1
    recipe: Path | None = None
    epochs: int | None = None
    hold_out: bool = False
    scale_batch: Fraction = Fraction(1)
    input_size: int | None = None
    training_images: int | None = None
    init_from: Path | None = None
    data_dir: Path | None = None
    run_dir: Path | None = None
    resume: bool = False
    save_every: float = 600
    strategy: str = "auto"
    accumulate: int | None = None
    precision: str = FLOAT32
    jit: bool = False
    threads: int | None = None

    def check(self) -> None:
        """Raise UsageError if the seed, a number or a name is not among those that are possible."""
        if not 0 <= self.seed <= MAX_SEED:
            raise UsageError(f"--seed must lie between 0 and {MAX_SEED}; got {self.seed}")
        for name in COUNTS:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"--{name.replace('_', '-')} must be at least 1; got {value}")
        if not self.save_every >= 0:  # nor NaN
            raise UsageError(f"--save-every must be at least 0 seconds; got {self.save_every:g}")
        for name, choices in (("strategy", STRATEGIES), ("precision", PRECISIONS)):
            if getattr(self, name) not in choices:
                raise unknown(f"value of --{name}", getattr(self, name), choices)
