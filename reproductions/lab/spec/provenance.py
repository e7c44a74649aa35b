"""Where the weights of a network come from that somebody else trained. Data only, so that it is saved and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Provenance:
    """Where published weights come from, and what the network needs to use them.

    Attributes:
        network: Name of the network.
        preset: Name of the preset by which they were imported, see `reproductions.lab.weights.preset`.
        publisher: Who published them.
        file_name: Name of the published file.
        sha256: Its checksum.
        options: Arguments of the network's builder.
        transforms: Test transforms, as in `Recipe.test_transforms`.
    """

    network: str
    preset: str
    publisher: str
    file_name: str
    sha256: str
    options: Mapping[str, Any] = field(default_factory=dict)
    transforms: tuple[str | tuple[str, Mapping[str, Any]], ...] = ()
