"""What a command tests: a finished run, imported weights, or a file with the weights of a network that is named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import reproductions
from reproductions.lab.errors import UsageError
from reproductions.lab.spec import Network

if TYPE_CHECKING:
    from reproductions.lab.results.run_record import Record
    from reproductions.lab.spec.provenance import Provenance

WEIGHTS = (".keras", ".h5", ".hdf5", ".json")


@dataclass(frozen=True)
class Tested:
    """A trained network and where it is.

    Attributes:
        path: Folder of a run, or file of weights.
        network: Its network.
        record: Record of the run, if it is one.
        provenance: Where the weights come from, if they were imported.
    """

    path: Path
    network: Network
    record: Record | None = None
    provenance: Provenance | None = None


def relatives(name: str) -> list[str]:
    """Return the networks with the architecture of a network, itself first; UsageError if it does not exist."""
    own = reproductions.find_network(name)
    networks = [network for study in reproductions.studies().values() for network in study.networks]
    return [name, *(each.name for each in networks if each.architecture == own.architecture and each.name != name)]


def find(path: Path, name: str | None) -> Tested:
    """Return what is at a path.

    Args:
        path: Folder of a run, or file of weights.
        name: Name of the network, for a file that does not say it.

    Raises:
        UsageError: If there is nothing to test, or it is of another network.
    """
    if path.suffix in WEIGHTS:
        return find_file(path, name)
    from reproductions.lab.results import run_record

    record = run_record.read(path / "record.json")
    if name not in (None, record.network):
        raise UsageError(f"{path} is a run of {record.network}, not of {name}: leave out --network")
    return Tested(path, reproductions.find_network(record.network, reproductions.find_study(record.study)), record)


def find_file(path: Path, name: str | None) -> Tested:
    """Return the weights in a file; see `find`."""
    provenance = None
    if path.suffix == ".keras":
        from reproductions.lab.weights import imported

        provenance = imported.provenance_of(path)
    if provenance is None:
        if name is None:
            raise UsageError(f"name the network in {path} with --network")
        return Tested(path, reproductions.find_network(name))
    if name is not None and provenance.network not in relatives(name):
        raise UsageError(f"{path} has weights of {provenance.network}, not of {name}: leave out --network")
    return Tested(path, reproductions.find_network(provenance.network), provenance=provenance)
