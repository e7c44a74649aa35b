"""The classic convolutional networks of a 2018 lecture, rebuilt as their papers describe them.

`studies()` returns all papers by name, `build("lenet5")` a keras.Model, `load` a trained one with its `preprocessing`,
and `records()` all committed runs as a pandas DataFrame.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reproductions.lab.deferred import deferred_imports
from reproductions.lab.environment import SUITE, keras_defaults
from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.spec import Classifier, Network, Study

if TYPE_CHECKING:
    import keras
    import pandas

    from reproductions.lab.evaluation.tested import Tested
    from reproductions.lab.results.run_record import Record

__all__ = [
    "UsageError",
    "build",
    "claims",
    "find",
    "find_network",
    "find_study",
    "load",
    "networks",
    "preprocessing",
    "records",
    "results",
    "studies",
    "table",
    "train",
]
__version__ = "0.1.0"


def check_packages() -> None:
    """Check that `layers` and `reports` are the suite's, not modules of the same name in the current folder.

    Raises:
        UsageError: If one is somebody else's.
    """
    for name in ("layers", "reports"):
        spec = importlib.util.find_spec(name)
        found = Path(spec.origin).resolve() if spec and spec.origin else None
        if found and found.parent.parent != SUITE.resolve():
            raise UsageError(f"{found} hides the suite's package {name}: rename it, or work in another folder")


def studies() -> dict[str, Study]:
    """Return all papers by name, the oldest first: those of each module in this package that defines STUDY.

    Raises:
        UsageError: If another package hides one of the suite's.
    """
    check_packages()
    with deferred_imports("keras", "layers"):
        names = [module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg]
        modules = [importlib.import_module(f"{__name__}.{name}") for name in names if name != "__main__"]
    found = [module.STUDY for module in modules if hasattr(module, "STUDY")]
    return {study.name: study for study in sorted(found, key=lambda study: (study.year, study.name))}


def networks() -> dict[str, Network]:
    """Return all networks by name, in the order of their papers."""
    return {network.name: network for study in studies().values() for network in study.networks}


def find_study(name: str) -> Study:
    """Return the paper of this name.

    Raises:
        UsageError: If there is none; it gives the nearest name.
    """
    found = studies()
    if name in found:
        return found[name]
    for study in found.values():
        if name in (model.name for model in study.models):
            raise UsageError(f"{name!r} is a network, not a study: name the study {study.name}, with --network {name}")
    raise unknown("study", name, found)


def find(name: str) -> tuple[Study, Network | Classifier]:
    """Return the network of this name and its paper, or the paper of this name and its own network, the first.

    Raises:
        UsageError: If there is none; it gives the nearest name.
    """
    found = studies()
    if name in found:
        return found[name], found[name].networks[0]
    models = {model.name: (study, model) for study in found.values() for model in study.models}
    if name in models:
        return models[name]
    raise unknown("study or network", name, dict.fromkeys([*found, *models]), other_names(found.values()))


def other_names(among: Iterable[Study]) -> dict[str, str]:
    """Return the names of networks in other projects, each with the name here."""
    return {other: network.name for study in among for network in study.networks for other in network.other_names}


def find_network(name: str, study: Study | None = None) -> Network:
    """Return the network of this name.

    Args:
        name: Name of the network.
        study: Paper that it must be of; by default any.

    Raises:
        UsageError: If there is none; it gives the nearest name.
    """
    model = find_model(name, study)
    if isinstance(model, Classifier):
        raise UsageError(f"{name} is not a network but a classifier that is fitted at once: only trained and compared")
    return model


def find_model(name: str, study: Study | None = None) -> Network | Classifier:
    """Return the network or classifier of this name; see `find_network`."""
    candidates = [study] if study else list(studies().values())
    found = {model.name: model for each in candidates for model in each.models}
    if name not in found:
        raise unknown("network", name, found, other_names(candidates))
    return found[name]


def build(
    name: str, *, include_top: bool = True, weights: str | os.PathLike[str] | None = None, **options: Any
) -> keras.Model:
    """Build a network with the paper's initial weights, or with trained ones.

    Args:
        name: Name of the network, such as "vgg-d".
        include_top: Whether to include the classifier. Without it, the model returns the feature maps that the
            classifier takes, for features and fine-tuning.
        weights: A trained network, as `load` takes it, or "trained" for the one that the suite gives out. Its options
            are the default then.
        **options: Arguments of the paper's own builder, such as `classes` and `input_size`.

    Returns:
        Model from images (batch, height, width, channels) to logits (batch, classes), or to penalties, of which the
        smallest wins, if `find_network(name).outputs` says so; or to feature maps (batch, rows, columns, filters).

    Raises:
        UsageError: If the name or an option does not exist, an option is out of range, the input is too small for the
            network, the weights do not fit, or the network is nothing but a classifier.
    """
    network = find_network(name)
    check_options(name, options, list(inspect.signature(network.build).parameters))
    if weights == "trained":
        from reproductions.lab.weights import trained

        weights = trained.path_of(name)
    found = None
    if weights is not None:
        from reproductions.lab.evaluation import tested

        found = tested.find(Path(weights), name, networks())
        options = {**tested.arguments(found), **options}
    model = build_untrained(network, options)
    if not include_top:
        from reproductions.lab.analysis.features import feature_extractor

        model = feature_extractor(model)
    if found is not None:
        from reproductions.lab.evaluation.networks import copy_weights

        copy_weights(load_found(found), model)
    return model


def build_untrained(network: Network, options: Mapping[str, Any]) -> keras.Model:
    """Build a network with the paper's initial weights; see `build`."""
    known = inspect.signature(network.build).parameters
    try:
        with keras_defaults():
            return network.model(**options)
    except ValueError as error:
        default = known["input_size"].default if "input_size" in known else None
        if default is not None and (options.get("input_size") or default) < default:
            raise UsageError(
                f"an input_size of {options['input_size']} is too small for {network.name}; "
                f"choose a larger one, or its default of {default}"
            ) from error
        reason = str(error).strip().splitlines()[0]
        raise UsageError(f"{network.name} cannot be built with {options}: {reason}") from error


def load(path: str | os.PathLike[str], network: str | None = None) -> keras.Model:
    """Return a trained network.

    Args:
        path: Folder of a finished run, `.keras` file of `reproduce weights import`, safetensors file of this suite, a
            file that Keras saved, or the name of a network that the suite gives out trained.
        network: Name of the network, for a file that does not say it.

    Returns:
        Model as of `build`. The weights of a run are compared with its record.

    Raises:
        UsageError: If there is no trained network, it is damaged, or it is not that of its record.
    """
    from reproductions.lab.evaluation import tested

    return load_found(tested.find(Path(path), network, networks()))


def load_found(found: Tested) -> keras.Model:
    """Return a trained network that was found; see `load`."""
    import layers  # noqa: F401, which registers what recipes name
    from reproductions.lab.evaluation import tested

    return tested.load(found)


def preprocessing(
    path: str | os.PathLike[str], network: str | None = None, data_dir: str | os.PathLike[str] | None = None
) -> Callable[[Any], Any]:
    """Return what a trained network needs done to images: for published weights, the publisher's preprocessing.

    Args:
        path: A trained network, as `load` takes it.
        network: Name of the network, for a file that does not say it.
        data_dir: Folder of the data, for a network that needs statistics of its training set; by default
            $REPRODUCTIONS_DATA.

    Returns:
        Function from images (batch, height, width, channels) in 0..255 (USPS: -1..1), RGB or, for MNIST and USPS,
        without the axis of channels, to inputs of the network, float32. It can be mapped over a tf.data.Dataset.
        It does not crop images.

    Raises:
        UsageError: If there is no trained network, or the statistics are missing.
    """
    from reproductions.lab.evaluation import preparation, tested

    found = tested.find(Path(path), network, networks())
    return preparation.preprocessing(found, Path(data_dir) if data_dir else None)


def check_options(name: str, options: Mapping[str, Any], known: list[str]) -> None:
    """Raise UsageError if an option of a builder does not exist, or a size is not a positive integer."""
    for option in options:
        if option not in known:
            raise unknown(f"option of {name}", option, known)
    for option in ("classes", "input_size"):
        value = options.get(option, 1)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise UsageError(f"{option} must be a positive integer; got {value!r}")


def records(folder: str | os.PathLike[str] | None = None) -> pandas.DataFrame:
    """Return the records of runs as a table, one row each.

    Args:
        folder: Folder of records or of runs; by default the committed records.

    Returns:
        Columns are the fields of `reproductions.lab.results.run_record.Record`; `test_error` in percent and
        `test_errors`; `training_images`; `own_recipe`, whether the run is by the network's own recipe; and `verdict`,
        that on the runs of this network and recipe, empty for other recipes.

    Raises:
        UsageError: If the folder does not exist or a record is damaged.

    Example:
        The measured errors of the result tables, before runs on other data or fewer images are left out:

        >>> runs = reproductions.records()
        >>> runs[runs.own_recipe].groupby("network").test_error.agg(["mean", "std", "count"])
    """
    from reports import frames

    return frames.records(studies(), Path(folder) if folder is not None else None)


def results(study: str | None = None, runs: str | os.PathLike[str] | None = None) -> pandas.DataFrame:
    """Return the result tables: every published figure beside the runs that answer it.

    Args:
        study: Name of a paper; by default all.
        runs: Folder of records or of runs; by default the committed records.

    Returns:
        Columns `study`, `network`, `label`, `published`, `measured`, `difference` in points, `confidence`,
        `prediction`, `runs`, `data`, `schedule` and `verdict`, as text, except for the number of `runs`.

    Raises:
        UsageError: If there is no such paper, or a record is damaged.

    Example:
        >>> reproductions.results("lenet5")[["label", "published", "measured", "verdict"]]
    """
    from reports import frames

    names = list(studies()) if study is None else [find_study(study).name]
    return frames.results(studies(), names, Path(runs) if runs is not None else None)


def table(study: str) -> pandas.DataFrame:
    """Return the architecture tables of a paper, cell by cell, published beside computed.

    They are those of `reproduce audit` if these are of the present code, and else computed.

    Args:
        study: Name of the paper.

    Returns:
        Columns `table`, `row`, `column`, `published`, `computed`, `verdict` and `reason`, among others.

    Raises:
        UsageError: If there is no such paper, or no published table of it is available.

    Example:
        >>> cells = reproductions.table("vgg")
        >>> cells[cells.verdict == "does not hold"]
    """
    from reproductions.cli.table import cells_of

    return cells_of(find_study(study), recompute=False)


def claims(study: str | None = None) -> pandas.DataFrame:
    """Return the lecture's statements with their verdicts.

    They are those of `reproduce audit` if these are of the present code and records, and else computed.

    Args:
        study: Name of the paper that the statements are about; by default all.

    Returns:
        Columns `slide`, `study`, `quote`, `published`, `computed`, `source`, `verdict` and `reason`, among others.

    Raises:
        UsageError: If there is no such paper.

    Example:
        >>> reproductions.claims().verdict.value_counts()
    """
    import pandas

    from reproductions.cli.claims import claims_of

    return pandas.DataFrame(claims_of(find_study(study).name if study else None, recompute=False))


def train(name: str, **options: Any) -> Record:
    """Train a network or fit a classifier by its recipe, test it, and return its record.

    Args:
        name: Name of the network, or of a paper for its own network.
        **options: Fields of `reproductions.lab.training.options.TrainOptions`, such as `seed`, `epochs`, `data_dir`,
            `run_dir` and `resume`.

    Returns:
        The record, which the folder of the run holds as `record.json`.

    Raises:
        UsageError: If there is no such network or option, the folder is in use or holds another run, the data cannot
            be read, or the loss diverges.

    Example:
        >>> record = reproductions.train("lenet5", epochs=1, run_dir="runs/first")
        >>> record.test.top1.error
    """
    from reproductions.cli.train import train_model
    from reproductions.lab.results import run_record

    folder = train_model(name, options)
    return run_record.read(folder / "record.json")
