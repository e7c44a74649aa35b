"""Commands that rerun committed runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from reproductions.lab.results.entries import FLOAT32
from reproductions.lab.results.run_group import RunGroup
from reproductions.lab.results.run_record import Record
from reproductions.lab.spec import recipe_changes

OPTIONS = {"epochs", "splits", "training_images", "precision"}  # settings that have a command-line option


@dataclass(frozen=True)
class RerunCommand:
    """A command that trains the run of the first of some seeds; the others differ in `--seed` only."""

    seeds: list[int]
    command: str


def needs_record(group: RunGroup) -> bool:
    """Return whether the recipe must be given as a file, since command-line options cannot express it."""
    return bool(group.changed_fields - OPTIONS)


def rerun_commands(group: RunGroup) -> list[RerunCommand]:
    """Return the commands for all runs of a group."""
    seeds: dict[str, list[int]] = {}
    for record in group.records:
        seeds.setdefault(" ".join(options(group, record)), []).append(record.seed)
    start = f"reproduce train {group.first.study} --network {group.network} --seed"
    return [RerunCommand(alike, f"{start} {alike[0]} {arguments}".rstrip()) for arguments, alike in seeds.items()]


def cores_of(record: Record) -> int | None:
    """Return the number of cores of a record without a number of threads, of which there was one per core then."""
    cores = re.match(r"(\d+) CPU cores", record.device)
    return int(cores[1]) if cores and "epochs" in record.recipe else None


def options(group: RunGroup, record: Record) -> Iterator[str]:
    """Yield the command-line options of a run besides network and seed."""
    execution, own = record.execution, group.own_recipe.as_data()
    recipe = recipe_changes.completed(record.recipe)
    if needs_record(group):
        yield "--recipe RECORD"
    else:
        if recipe.get("epochs") != own.get("epochs"):
            yield f"--epochs {recipe['epochs']}"
        if recipe.get("training_images"):
            yield f"--training-images {recipe['training_images']}"
        if "validation" not in recipe["splits"] and "validation" in own["splits"]:
            yield "--hold-out"
    if record.precision != FLOAT32:
        yield f"--precision {record.precision}"
    if execution.jit:
        yield "--jit"
    if (execution.accumulation_steps or 1) > 1:
        yield f"--accumulate {execution.accumulation_steps}"
    threads = execution.threads or cores_of(record)
    if threads:
        yield f"--threads {threads}"
    if execution.init_from:
        yield "--init-from RUN_DIR"
