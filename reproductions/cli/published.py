"""The record of a test of published weights."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import reproductions

if TYPE_CHECKING:
    from reproductions.lab.evaluation.evaluate import EvaluationTask
    from reproductions.lab.results.entries import EvaluationResult
    from reproductions.lab.results.weights_record import WeightsRecord
    from reproductions.lab.spec.provenance import Provenance


def make_record(task: EvaluationTask, provenance: Provenance, result: EvaluationResult, sample: bool) -> WeightsRecord:
    """Return the record of a test.

    Args:
        task: What was tested.
        provenance: Where the weights come from.
        result: The result.
        sample: Whether the images are a sample that somebody chose.
    """
    from reproductions.lab.evaluation import networks
    from reproductions.lab.results.weights_record import WeightsRecord
    from reproductions.lab.training.finalize import device_name, versions
    from reproductions.lab.training.run_identity import code_state, summarize

    code, data = code_state(), summarize(task.data)
    return WeightsRecord(
        study=next(study.name for study in reproductions.studies().values() if task.network in study.networks),
        network=task.network.name,
        weights=provenance,
        digest=networks.digest(task.model),
        data=replace(data, classes=None) if sample else data,
        sample=sample,
        test=result,
        commit=code.commit,
        dirty=code.dirty,
        versions=versions(),
        device=device_name(1),
        finished=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )
