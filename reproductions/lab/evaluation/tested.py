"""What is tested: a finished run, weights in a file that says what it is, or weights of a network that is named.

`find` says what is at a path, without importing Keras, and `load` builds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reproductions.lab.errors import UsageError, unknown
from reproductions.lab.spec.study import Network
from reproductions.lab.weights import trained
from reproductions.lab.weights.trained import TrainedFile

if TYPE_CHECKING:
    import keras

    from reproductions.lab.data.base import Dataset
    from reproductions.lab.results.run_record import Record
    from reproductions.lab.spec.provenance import Provenance
    from reproductions.lab.spec.recipe import Recipe
    from reproductions.lab.weights.suite_file import Contents

SUITE = ".safetensors"
WEIGHTS = (".keras", ".h5", ".hdf5", ".json", SUITE)


@dataclass(frozen=True)
class Tested:
    """A trained network and where it is.

    Attributes:
        path: Folder of a run, or file of weights.
        network: Its network.
        record: Record of the run, if it is one.
        provenance: Where the weights come from, if they were imported.
        contents: What a safetensors file of this suite says of its weights, if it is one.
        given_out: Entry of the list, if the suite gives it out.
    """

    path: Path
    network: Network
    record: Record | None = None
    provenance: Provenance | None = None
    contents: Contents | None = None
    given_out: TrainedFile | None = None


@dataclass(frozen=True)
class Trained:
    """A trained network: the model, its specification, and the recipe with its test transforms and protocol."""

    model: keras.Model
    network: Network
    recipe: Recipe


# --- What is at a path


def relatives(name: str, networks: Mapping[str, Network]) -> list[str]:
    """Return the networks with the architecture of a network, itself first; UsageError if it does not exist."""
    own = named(name, networks)
    return [name, *(key for key, each in networks.items() if each.architecture == own.architecture and key != name)]


def named(name: str, networks: Mapping[str, Network]) -> Network:
    """Return the network of this name; UsageError gives the nearest name if there is none."""
    if name not in networks:
        raise unknown("network", name, networks)
    return networks[name]


def find(path: Path, name: str | None, networks: Mapping[str, Network]) -> Tested:
    """Return what is at a path.

    Args:
        path: Folder of a run, file of weights, or name of a network that the suite gives out trained.
        name: Name of the network, for a file that does not say it.
        networks: All networks by name.

    Raises:
        UsageError: If there is nothing to test, or it is of another network.
    """
    listed = trained.read_list()
    if str(path) in listed and not path.exists():
        found = find_file(trained.path_of(str(path)), name, networks)
        return replace(found, given_out=listed[str(path)])
    if path.suffix in WEIGHTS and not path.is_dir():
        return find_file(path, name, networks)
    if path.is_file():
        from reproductions.lab.weights import tensor_file

        tensor_file.check_ending(path)
        raise UsageError(f"{path} is not a network of this suite: make one of it with reproduce weights import")
    return find_run(path, name, networks)


def find_run(path: Path, name: str | None, networks: Mapping[str, Network]) -> Tested:
    """Return the run in a folder; see `find`."""
    from reproductions.lab.results import run_record

    record = run_record.read(path / "record.json")
    if name not in (None, record.network):
        raise UsageError(f"{path} is a run of {record.network}, not of {name}: leave out the name of the network")
    if "steps" in record.recipe:
        raise UsageError(
            f"{record.network} is not a network but a classifier that is fitted at once, without weights: its test is "
            f"in {path / 'record.json'}"
        )
    if not (path / "model.keras").is_file():
        raise UsageError(f"{path / 'model.keras'} is not a file: restore the trained network, or retrain the run")
    return Tested(path, named(record.network, networks), record)


def find_file(path: Path, name: str | None, networks: Mapping[str, Network]) -> Tested:
    """Return the weights in a file; see `find`."""
    if path.exists() and not path.is_file():  # such as a pipe, on which a reader would wait forever
        raise UsageError(f"{path} is not a file")
    provenance = contents = None
    if path.suffix == ".keras":
        from reproductions.lab.weights import imported
        from reproductions.lab.weights import own as saved

        provenance = imported.provenance_of(path)
        if provenance is None and path.is_file():
            own = saved.configuration(path).name
            if name is not None:
                saved.check_name(own, named(name, networks).name, path)
            name = own
    elif path.suffix == SUITE:
        from reproductions.lab.weights import suite_file

        contents = suite_file.contents_of(path)
        provenance = contents.provenance
    origin = contents or provenance
    if origin is None:
        if name is None:
            raise UsageError(f"name the network in {path} with --network")
        network = named(name, networks)
        if not path.is_file():
            raise UsageError(f"{path} is not a file: name the folder of a finished run, or a file of weights")
        return Tested(path, network)
    if name is not None and origin.network not in relatives(name, networks):
        raise UsageError(f"{path} has weights of {origin.network}, not of {name}: leave out the name of the network")
    return Tested(path, named(origin.network, networks), provenance=provenance, contents=contents)


# --- The network


def recipe_of(found: Tested) -> Recipe:
    """Return the recipe by which a network is tested: that of its run or file, or else its own.

    Raises:
        UsageError: If the network has no recipe.
    """
    from reproductions.lab.evaluation import recipes

    if found.record is not None:
        return recipes.recipe_from(found.record.recipe)
    if found.contents is not None and found.contents.recipe is not None:
        return recipes.recipe_from(found.contents.recipe)
    return recipes.weights_recipe(found.network, found.provenance)


def data_of(found: Tested, data_dir: Path | None) -> Dataset:
    """Return the data on which a network is tested: those of its run or recipe. Without Keras.

    Args:
        found: What is tested.
        data_dir: Folder of the data; by default as for `registry.load`.

    Raises:
        UsageError: If they are missing or damaged, or not those of the run.
    """
    from reproductions.lab.data import registry

    data = registry.load(recipe_of(found).dataset, data_dir)
    if found.record is not None and data.sha256 != found.record.data.sha256:
        recorded = found.record.data
        raise UsageError(
            f"the run was trained on {recorded.name}, but {data.path} contains {data.name} (expected SHA-256 "
            f"{recorded.sha256}, found {data.sha256}); name the right folder with --data-dir"
        )
    return data


def arguments(found: Tested) -> dict[str, Any]:
    """Return the arguments of the builder with which a trained network was built."""
    from reproductions.lab.evaluation import networks

    if found.record is not None:
        return networks.arguments(found.network, recipe_of(found), found.record.data.classes)
    if found.contents is not None and found.contents.recipe is not None:
        return networks.arguments(found.network, recipe_of(found), found.contents.classes)
    return dict(found.provenance.options) if found.provenance else {}


def load(found: Tested) -> keras.Model:
    """Return the network with its weights.

    Raises:
        UsageError: If the file is missing or damaged or does not fit, or a run is not that of its record.
    """
    from reproductions.lab.evaluation import networks

    if found.record is not None:
        return networks.trained(found.path, found.network, found.record)
    if found.contents is not None:
        return networks.from_suite_file(found.path, found.network, found.contents)
    return networks.from_file(found.path, found.network, found.provenance.options if found.provenance else None)
