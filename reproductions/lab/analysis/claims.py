"""Printed claims, audited: each against a network's anatomy, a formula, a published figure or a run."""

from __future__ import annotations

import csv
import functools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reproductions.lab.analysis import formulas
from reproductions.lab.analysis.published import DATA, FAILS, TRAINING, Fact, Range, compare, shown

if TYPE_CHECKING:
    import keras

    from reproductions.lab.analysis.profile import LayerAnatomy

PUBLISHED = Path(__file__).parents[2] / "published" / "lecture_sources.csv"


class NotAtHand(Exception):
    """The datum, in words, that would decide a claim."""


class NotTrained(Exception):
    """The study, and what of it, that would decide a claim."""


@dataclass(frozen=True)
class Source:
    """Where the figure to compare with comes from: in words, and as a function of the bench."""

    how: str
    compute: Callable[[Bench], Any]


@dataclass(frozen=True)
class Claim:
    """One statement.

    Attributes:
        words: the statement, quoted.
        printed: the number, shape or word of it that is checked.
        slide: its title.
        study: the paper it belongs to; "" for none.
        why_not: the reason, given if the claim turns out not to hold.
        kilo: what its K stands for.
    """

    id: str
    words: str
    printed: str
    source: Source
    slide: str
    study: str = ""
    why_not: str = ""
    kilo: int = 1000


class Bench:
    """What claims are checked on: networks, each built once, published figures and the results of runs."""

    def __init__(
        self,
        build: Callable[..., keras.Model] | None = None,
        measured: Mapping[str, Any] | None = None,
        sheet: Path = PUBLISHED,
    ) -> None:
        self.build = build
        self.measured = measured or {}
        self.models: dict[str, keras.Model] = {}
        self.anatomies: dict[str, list[LayerAnatomy]] = {}
        with sheet.open(encoding="utf-8") as lines:
            self.figures = {row["key"]: row for row in csv.DictReader(lines)}

    def model(self, network: str, **options: Any) -> keras.Model:
        """The network, without memory for its weights."""
        if self.build is None:
            raise NotAtHand(f"the network {network}: there is nothing to build it with")
        from reproductions.lab.analysis.profile import without_weights

        name = f"{network} {options}"
        if name not in self.models:
            with without_weights():
                self.models[name] = self.build(network, **options)
        return self.models[name]

    def rows(self, network: str, prefix: str = "") -> list[LayerAnatomy]:
        """The layers whose names begin so."""
        model = self.model(network)
        from reproductions.lab.analysis.profile import anatomy

        if network not in self.anatomies:
            self.anatomies[network] = anatomy(model)
        return [row for row in self.anatomies[network] if row.name.startswith(prefix)]

    def row(self, network: str, name: str) -> LayerAnatomy:
        return next(row for row in self.rows(network, name) if row.name == name)

    def published(self, key: str) -> Any:
        """A figure of the sheet: a number, a range or words. KeyError where there is none."""
        text = self.figures[key]["value"]
        ends = re.fullmatch(r"([\d.]+) to ([\d.]+)", text)
        if ends:
            return Range(float(ends[1]), float(ends[2]))
        try:
            return float(text) if re.search(r"[.e]", text) else int(text)
        except ValueError:
            return text

    def table(self, name: str) -> dict[str, Any]:
        """Published figures whose keys begin with the name, the lowest first."""
        found = {
            key.removeprefix(f"{name}/"): self.published(key) for key in self.figures if key.startswith(f"{name}/")
        }
        return dict(sorted(found.items(), key=lambda item: item[1]))


# --- Where figures come from

WORDS = {
    "output": "shape",
    "weights": "weights without biases",
    "parameters": "parameters with biases",
    "multiply_adds": "multiply-adds",
    "activations": "numbers in the output",
}


def layer(network: str, name: str, quantity: str) -> Source:
    """A quantity of the anatomy: output, weights, activations, ..."""
    how = f"{WORDS.get(quantity, quantity)} of {name} in {network}"
    return Source(how, lambda bench: getattr(bench.row(network, name), quantity))


def total(network: str, quantity: str, prefix: str = "", note: str = "") -> Source:
    """The sum of a quantity over the layers whose names begin so."""
    where = f"{prefix.rstrip('/')} of {network}" if prefix else network
    how = f"{WORDS.get(quantity, quantity)} of {where}, added up{note}"
    return Source(how, lambda bench: sum(getattr(row, quantity) for row in bench.rows(network, prefix)))


def derived(how: str, function: Callable[..., Any], **options: Any) -> Source:
    """Whatever a function finds on the bench."""
    return Source(how, functools.partial(function, **options))


def formula(function: str, *numbers: Any) -> Source:
    """A function of `reproductions.lab.analysis.formulas`."""
    how = f"{function}({', '.join(map(str, numbers))})"
    return Source(how, lambda bench: getattr(formulas, function)(*numbers))


def published(key: str) -> Source:
    return Source(f"published: {key}", lambda bench: bench.published(key))


def rank(table: str, name: str) -> Source:
    """The place of a name in a published table, counted from the lowest error."""
    return Source(f"place in {table}, by error", lambda bench: list(bench.table(table)).index(name) + 1)


def if_published(key: str, what: str) -> Source:
    """A figure that the sheet does not have yet: `what` says what would have to be found."""

    def compute(bench: Bench) -> Any:
        if key not in bench.figures:
            raise NotAtHand(what)
        return bench.published(key)

    return Source(f"published: {key}", compute)


def trained(study: str, key: str, what: str) -> Source:
    """A result of runs, handed to `audit` under this key; `what` says what would have to be run."""

    def compute(bench: Bench) -> Any:
        if key not in bench.measured:
            raise NotTrained(f"{study}: {what}")
        return bench.measured[key]

    return Source(f"measured: {key}", compute)


# --- What the layers of any network are and do


def depth(model: keras.Model) -> int:
    """Convolutions and fully connected layers on the longest way from input to output."""
    found = {id(tensor): 0 for tensor in model.inputs}
    for each in model.layers:
        if id(each.output) in found:
            continue
        inputs = each.input if isinstance(each.input, list) else [each.input]
        inner = getattr(each, "inner", None)
        own = depth(inner) if inner is not None else int(getattr(each, "kernel", None) is not None)
        found[id(each.output)] = max(found[id(tensor)] for tensor in inputs) + own
    return max(found.values())


def waves(*shape: int) -> Any:
    """Numbers all different, between -1 and 1."""
    from keras import ops

    return ops.reshape(ops.sin(1.7 * ops.arange(math.prod(shape), dtype="float32")), shape)


def convolution_by_the_sum(bench: Bench) -> Fact:
    """Keras' convolution of stride 2, each depth slice against the sum over its filter, in a plain loop."""
    import numpy as np
    from keras import ops

    x, kernel, bias = waves(1, 7, 7, 2), waves(3, 3, 2, 4), waves(4)
    keras_s = ops.convert_to_numpy(ops.conv(x, kernel, strides=2, padding="valid") + bias)[0]
    x, kernel, bias = (ops.convert_to_numpy(each) for each in (x[0], kernel, bias))
    summed = np.zeros((3, 3, 4))
    for i, j, d in np.ndindex(3, 3, 4):
        summed[i, j, d] = (x[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] * kernel[..., d]).sum() + bias[d]
    error = float(np.abs(keras_s - summed).max())
    return Fact(error < 1e-4, f"{summed.size} places, {'all' if error < 1e-4 else 'not all'} equal")


def pooled_map_by_map(bench: Bench) -> Fact:
    """Max pooling of three maps: a change of the second, and the maps of the output that it changes."""
    from keras import ops

    x = waves(1, 4, 4, 3)
    other = x + ops.reshape(ops.convert_to_tensor([0.0, 1.0, 0.0]), (1, 1, 1, 3))
    change = ops.abs(ops.max_pool(other, 2) - ops.max_pool(x, 2))
    changed = [number for number in range(3) if float(ops.max(change[..., number])) > 0]
    return Fact(changed == [1], f"{len(changed)} of 3 maps changes")


def gradient_of_the_maximum(bench: Bench) -> Fact:
    """Finite differences of the maximum of four numbers: 1 for the largest, 0 for the others."""
    from keras import ops

    values, small = (0.3, -0.2, 0.9, 0.1), 1e-2

    def pooled(numbers: Iterable[float]) -> float:
        return float(ops.squeeze(ops.max_pool(ops.reshape(ops.convert_to_tensor(list(numbers)), (1, 2, 2, 1)), 2)))

    def moved(place: int) -> Iterator[float]:
        return (value + small * (place == number) for number, value in enumerate(values))

    gradient = [round((pooled(moved(place)) - pooled(values)) / small) for place in range(4)]
    wanted = [int(value == max(values)) for value in values]
    return Fact(gradient == wanted, f"gradient {gradient} at {list(values)}")


# --- The audit


def examine(claim: Claim, bench: Bench) -> dict[str, str]:
    """One row of the audit."""
    computed = reason = ""
    try:
        value = claim.source.compute(bench)
        computed, verdict = shown(value), compare(claim.printed, value, claim.kilo)
        reason = claim.why_not if verdict == FAILS else ""
    except NotTrained as what:
        verdict, reason = TRAINING, str(what)
    except NotAtHand as what:
        verdict, reason = DATA, str(what)
    told = {name: getattr(claim, name) for name in ("id", "slide", "study", "words", "printed")}
    return {**told, "computed": computed, "how": claim.source.how, "verdict": verdict, "reason": reason}


def audit(
    claims: Iterable[Claim],
    study: str | None = None,
    build: Callable[..., keras.Model] | None = None,
    measured: Mapping[str, Any] | None = None,
    sheet: Path = PUBLISHED,
) -> list[dict[str, str]]:
    """Every claim, or those of one study, in order: id, slide, study, words, printed, computed, how, verdict, reason.

    Networks are built by `build`, `reproductions.build` for one; without it claims on them need it as data.
    `measured` holds results of runs, figures or Facts, by the keys that claims ask for; `sheet` is the file of
    published figures.
    """
    bench = Bench(build, measured, sheet)
    return [examine(claim, bench) for claim in claims if study is None or claim.study == study]
