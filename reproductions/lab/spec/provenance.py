"""Where the weights of a network come from that somebody else trained. Data only, so that it is saved and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from reproductions.lab.ranges import Classes

LARGEST_CLASSES: int = get_args(Classes)[1].le
LARGEST_OPTION = 512  # of the numbers in options: the networks take up to 384 pixels


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


def check_options(options: Mapping[str, Any]) -> None:
    """Raise ValueError if the arguments of a builder that a file gives would make a network that nobody can hold."""
    for name, value in options.items():
        largest = LARGEST_CLASSES if name == "classes" else LARGEST_OPTION
        if not isinstance(value, (bool, int, float, str, type(None))):
            raise ValueError(f"its option {name} must be a number, a text or a truth value; got {str(value)[:40]!r}")
        if isinstance(value, (int, float)) and not value <= largest:
            raise ValueError(f"its option {name} must be at most {largest:,}; got {value:,}")
