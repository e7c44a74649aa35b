"""Audit of published statements: each is compared with a network, a formula, a published figure or a run."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reproductions.lab.analysis import formulas
from reproductions.lab.analysis.claim_result import ClaimResult
from reproductions.lab.analysis.published import DATA, FAILS, TRAINING, Range, Value, format_value, judge

if TYPE_CHECKING:
    import keras

    from reproductions.lab.analysis.profile import LayerProfile

FIGURES = Path(__file__).parents[2] / "published" / "lecture_sources.csv"


class NeedsData(Exception):
    """The data that would decide a claim."""


class NeedsTraining(Exception):
    """The study, and the result of runs, that would decide a claim."""


@dataclass(frozen=True)
class Source:
    """Where the value that a claim is compared with comes from.

    Attributes:
        description: Short description for the report.
        compute: Function that returns the value.
    """

    description: str
    compute: Callable[[Evidence], Value]


@dataclass(frozen=True)
class Claim:
    """One statement.

    Attributes:
        id: Name, unique among all claims.
        quote: The statement, quoted.
        published: The number, shape or word in it that is checked.
        source: Where the value to compare with comes from.
        slide: Title of its slide.
        study: Paper it belongs to; "" for none.
        reason: Why it does not hold, if it does not.
        kilo: Value of the suffix K in `published`.
    """

    id: str
    quote: str
    published: str
    source: Source
    slide: str
    study: str = ""
    reason: str = ""
    kilo: int = 1000


class Evidence:
    """What claims are checked with: networks, each built once, published figures and results of runs.

    Args:
        build: Function that builds a network by name, such as `reproductions.build`; without it, claims about networks
            need data.
        measured: Results of runs by the keys that claims use.
        figures: CSV file of published figures.
    """

    def __init__(
        self,
        build: Callable[..., keras.Model] | None = None,
        measured: Mapping[str, Value] | None = None,
        figures: Path = FIGURES,
    ) -> None:
        self.build = build
        self.measured = measured or {}
        self.models: dict[str, keras.Model] = {}
        self.profiles: dict[str, list[LayerProfile]] = {}
        with figures.open(encoding="utf-8") as lines:
            self.figures = {row["key"]: row for row in csv.DictReader(lines)}

    def model(self, network: str, **options: object) -> keras.Model:
        """Return a network, without memory for its weights; `options` are those of its builder."""
        if self.build is None:
            raise NeedsData(f"the network {network}, which needs a function that builds it")
        from reproductions.lab.analysis.profile import without_weights

        key = f"{network} {options}"
        if key not in self.models:
            with without_weights():
                self.models[key] = self.build(network, **options)
        return self.models[key]

    def layers(self, network: str, prefix: str = "") -> list[LayerProfile]:
        """Return the layers of a network whose names begin with a prefix."""
        model = self.model(network)
        from reproductions.lab.analysis.profile import profile_model

        if network not in self.profiles:
            self.profiles[network] = profile_model(model)
        return [layer for layer in self.profiles[network] if layer.name.startswith(prefix)]

    def layer(self, network: str, name: str) -> LayerProfile:
        """Return one layer of a network."""
        return next(layer for layer in self.layers(network, name) if layer.name == name)

    def published(self, key: str) -> int | float | str | Range:
        """Return a published figure: a number, a range or a text. Raise KeyError for an unknown key."""
        text = self.figures[key]["value"]
        ends = re.fullmatch(r"([\d.]+) to ([\d.]+)", text)
        if ends:
            return Range(float(ends[1]), float(ends[2]))
        try:
            return float(text) if re.search(r"[.e]", text) else int(text)
        except ValueError:
            return text

    def number(self, key: str) -> float:
        """Return a published figure that is a number. Raise KeyError for an unknown key."""
        value = self.published(key)
        if not isinstance(value, (int, float)):
            raise TypeError(f"expected {key} to be a number, got {value!r}")
        return value

    def ranking(self, table: str) -> dict[str, float]:
        """Return the numbers of a published table by name, lowest first."""
        prefix = f"{table}/"
        found = {key.removeprefix(prefix): self.number(key) for key in self.figures if key.startswith(prefix)}
        return dict(sorted(found.items(), key=lambda item: item[1]))


# --- Sources

DESCRIPTIONS = {
    "output_shape": "shape",
    "weights": "weights without biases",
    "parameters": "parameters with biases",
    "multiply_adds": "multiply-adds",
    "activations": "numbers in the output",
}


def layer_quantity(network: str, name: str, quantity: str) -> Source:
    """Source: an attribute of a layer's profile, such as "output_shape" or "weights"."""
    description = f"{DESCRIPTIONS.get(quantity, quantity)} of {name} in {network}"
    return Source(description, lambda evidence: getattr(evidence.layer(network, name), quantity))


def total_quantity(network: str, quantity: str, prefix: str = "", note: str = "") -> Source:
    """Source: the sum of an attribute over the layers whose names begin with a prefix."""
    layers = f"{prefix.rstrip('/')} of {network}" if prefix else network
    description = f"{DESCRIPTIONS.get(quantity, quantity)} of {layers}, added up{note}"
    return Source(
        description, lambda evidence: sum(getattr(layer, quantity) for layer in evidence.layers(network, prefix))
    )


def formula(function: str, *arguments: int | tuple[int, ...]) -> Source:
    """Source: a function of `reproductions.lab.analysis.formulas`."""
    description = f"{function}({', '.join(map(str, arguments))})"
    return Source(description, lambda evidence: getattr(formulas, function)(*arguments))


def published(key: str, needed: str = "") -> Source:
    """Source: a published figure.

    Args:
        key: Its key in the file of published figures.
        needed: For a figure that the file may lack, the data that would decide the claim.
    """

    def compute(evidence: Evidence) -> Value:
        if needed and key not in evidence.figures:
            raise NeedsData(needed)
        return evidence.published(key)

    return Source(f"published: {key}", compute)


def rank(table: str, name: str) -> Source:
    """Source: the rank of a name in a published table of errors; 1 for the lowest."""
    return Source(f"rank in {table}, by error", lambda evidence: list(evidence.ranking(table)).index(name) + 1)


def measured(study: str, key: str, needed: str) -> Source:
    """Source: a result of runs, passed to `audit` under a key.

    Args:
        study: Paper whose networks have to be trained.
        key: Key of the result.
        needed: Results that would decide the claim.
    """

    def compute(evidence: Evidence) -> Value:
        if key not in evidence.measured:
            raise NeedsTraining(f"{study}: {needed}")
        return evidence.measured[key]

    return Source(f"measured: {key}", compute)


# --- The audit


def check(claim: Claim, evidence: Evidence) -> ClaimResult:
    """Return the result of checking one claim."""
    computed = reason = ""
    try:
        value = claim.source.compute(evidence)
        computed, verdict = format_value(value), judge(claim.published, value, claim.kilo)
        reason = claim.reason if verdict == FAILS else ""
    except NeedsTraining as needed:
        verdict, reason = TRAINING, str(needed)
    except NeedsData as needed:
        verdict, reason = DATA, str(needed)
    return ClaimResult(
        id=claim.id,
        slide=claim.slide,
        study=claim.study,
        quote=claim.quote,
        published=claim.published,
        computed=computed,
        source=claim.source.description,
        verdict=verdict,
        reason=reason,
    )


def audit(claims: Iterable[Claim], evidence: Evidence, study: str | None = None) -> list[ClaimResult]:
    """Return the result of every claim, or of those about one study, in order."""
    return [check(claim, evidence) for claim in claims if study is None or claim.study == study]
