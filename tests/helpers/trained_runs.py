"""Folders of runs that were not trained: a network's first weights, with a record that fits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras

import reproductions
from reproductions.lab.evaluation import networks
from reproductions.lab.results.run_record import Record
from tests.helpers.records import made_up


def write_run(folder: Path, name: str = "lenet1") -> tuple[keras.Model, Record]:
    """Write the run of a network on MNIST, and return the network and the record."""
    folder.mkdir()
    model, network = reproductions.build(name), reproductions.find_network(name)
    model.save(folder / "model.keras")
    record = replace(
        made_up(100), network=name, recipe=network.to_train().as_data(), parameters=networks.parameters(model)
    )
    record.write(folder / "record.json")
    return model, record
