"""The search that some options lead to, as far as it is known without TensorFlow: mistakes are found at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from reproductions.lab import environment
from reproductions.lab.data import registry
from reproductions.lab.data.base import Dataset, Images
from reproductions.lab.errors import UsageError
from reproductions.lab.results import trial_record
from reproductions.lab.results.trial_record import TunerName
from reproductions.lab.spec.recipe import Recipe
from reproductions.lab.spec.study import Network, Study
from reproductions.lab.training.options import TrainOptions
from reproductions.lab.training.plan import check_not_file, resolve


@dataclass(frozen=True)
class TuneOptions:
    """Options of a search.

    Attributes:
        tuner: "random", "bayesian" or "hyperband".
        max_trials: Number of trials; that of hyperband follows from `epochs`.
        epochs: Epochs of a trial; of hyperband's longest ones.
        seed: Random seed of the settings drawn, and of every trial.
        resume: Whether the search in the folder is resumed, if there is one.
        run_dir: Folder of the search.
        data_dir: Folder of the data sets.
        threads: Intra-op threads; by default one per core.
    """

    tuner: TunerName = "random"
    max_trials: int | None = None
    epochs: int | None = None
    seed: int = 1
    resume: bool = False
    run_dir: Path | None = None
    data_dir: Path | None = None
    threads: int | None = None


class WithheldSplit:
    """Stands in for the test split during a search: any access raises."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError("a search must not access the test split")


@dataclass(frozen=True)
class SearchPlan:
    """A search that is asked for.

    Attributes:
        study: The paper.
        network: The network.
        options: Options of the search.
        run_dir: Folder of the search.
        data: The data set without its test split.
        recipe: The recipe that the settings change.
    """

    study: Study
    network: Network
    options: TuneOptions
    run_dir: Path
    data: Dataset
    recipe: Recipe


def plan_search(study: Study, network: Network, options: TuneOptions) -> SearchPlan:
    """Return the search that is asked for. Nothing is written.

    Args:
        study: The paper.
        network: One of its networks.
        options: Options of the search.

    Raises:
        UsageError: If the network has no search space, an option is invalid, or the data cannot be read.
    """
    if not network.search_space:
        raise UsageError(f"{network.name} has no search space: give its Network one, as lenet5 has")
    if options.max_trials is not None and options.max_trials < 1:
        raise UsageError(f"--max-trials must be at least 1; got {options.max_trials}")
    if options.max_trials is not None and options.tuner == "hyperband":
        raise UsageError("--max-trials is not for hyperband: the number of its trials follows from --epochs")
    environment.check_threads(options.threads)
    recipe = resolve(network, TrainOptions(seed=options.seed, epochs=options.epochs, threads=options.threads))
    data = registry.load(recipe.dataset, options.data_dir)
    run_dir = options.run_dir or Path("runs") / f"{network.name}-{data.name}-{options.tuner}-seed{options.seed}"
    return SearchPlan(study, network, options, run_dir, replace(data, test=cast(Images, WithheldSplit())), recipe)


def check_folder(planned: SearchPlan) -> None:
    """Raise UsageError if the folder is a file, or holds a search which is not to be resumed."""
    check_not_file(planned.run_dir)
    if not planned.options.resume and (planned.run_dir / trial_record.SEARCH).exists():
        raise UsageError(f"{planned.run_dir} already holds a search: resume it with --resume, or name another folder")
