"""The commands that train runs again."""

from __future__ import annotations

from collections.abc import Iterator

from reports.run_groups import Runs
from reproductions.lab.results.run_record import FULL, Record


def commands(runs: Runs) -> list[tuple[list[int], str]]:
    """Seeds, and the command for the first of them: runs that differ in their seed alone share one."""
    seeds: dict[str, list[int]] = {}
    for record in runs.records:
        seeds.setdefault(" ".join(switches(runs, record)), []).append(record.seed)
    start = f"reproduce train {runs.records[0].study} --network {runs.network.name} --seed"
    return [(alike, f"{start} {alike[0]} {words}".rstrip()) for words, alike in seeds.items()]


def switches(runs: Runs, record: Record) -> Iterator[str]:
    """What the command says beside network and seed."""
    recipe, how, own = record.recipe, record.execution, runs.network.to_train()
    if runs.by_record:
        yield "--recipe RECORD"
    else:
        if recipe["epochs"] != own.epochs:
            yield f"--epochs {recipe['epochs']}"
        if recipe.get("training_images"):
            yield f"--training-images {recipe['training_images']}"
        if "validation" not in recipe["splits"] and "validation" in own.splits:
            yield "--hold-out"
    if record.precision != FULL:
        yield f"--precision {record.precision}"
    if how.get("jit"):
        yield "--jit"
    if how.get("accumulation_steps", 1) > 1:
        yield f"--accumulate {how['accumulation_steps']}"
    if how.get("threads"):
        yield f"--threads {how['threads']}"
    if how.get("init_from"):
        yield "--init-from RUN_DIR"
