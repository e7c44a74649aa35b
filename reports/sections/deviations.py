"""Deviations from a paper, each once."""

from __future__ import annotations

from dataclasses import dataclass

from reproductions.lab.spec.study import Study


@dataclass(frozen=True)
class DeviationGroup:
    """Networks, and the deviations that they share."""

    networks: tuple[str, ...]
    deviations: list[str]


def deviation_groups(study: Study) -> list[DeviationGroup]:
    """Return each deviation once, with the networks that it is of."""
    networks: dict[str, list[str]] = {}
    for model in study.models:
        for deviation in model.deviations or ("none known",):
            networks.setdefault(deviation, []).append(model.name)
    groups: dict[tuple[str, ...], list[str]] = {}
    for deviation, names in networks.items():
        groups.setdefault(tuple(names), []).append(deviation)
    return [DeviationGroup(names, deviations) for names, deviations in groups.items()]
