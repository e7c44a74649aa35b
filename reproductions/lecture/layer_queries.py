"""What the claims' sources read off a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reproductions.lab.analysis import claims
from reproductions.lab.analysis.claims import Bench, Source
from reproductions.lab.analysis.published import Fact


def word(row: Any) -> str:
    """What a layer is in the lecture's words; "" for dropout and the like."""
    kinds = {"Conv2D": "CONV", "MaxPool": "MAX POOL", "Pool": "POOL", "Subsampl": "POOL", "Dense": "FC"}
    kinds["ResponseNorm"] = "NORM"
    return next((name for part, name in kinds.items() if part in row.kind), "")


def of_kind(bench: Bench, network: str, *words: str) -> list[Any]:
    return [row for row in bench.rows(network) if word(row) in words]


def numbered(bench: Bench, network: str) -> str:
    """CONV1 MAX POOL1 ...: convolutions and fully connected layers are counted together."""
    counts = {"CONV": 0, "NORM": 0, "MAX POOL": 0}
    found = []
    for row in of_kind(bench, network, "CONV", "NORM", "MAX POOL", "FC"):
        counted = "CONV" if word(row) == "FC" else word(row)
        counts[counted] += 1
        found.append(f"{word(row)}{counts[counted]}")
    return " ".join(found)


def drawn(bench: Bench, network: str, conv: str, normalization: str = "") -> str:
    """A network as a column of boxes, input first; `conv` is how a convolution is written."""
    boxes = []
    for row in of_kind(bench, network, "CONV", "NORM", "MAX POOL", "FC"):
        maps = row.output[-1]
        box = {"MAX POOL": "Pool", "FC": f"FC {maps}", "NORM": normalization}.get(word(row))
        boxes.append(conv.format(side=row.kernel[0], maps=maps) if box is None else box)
    return "; ".join(box for box in boxes if box)


def padding(row: Any) -> int:
    return 0 if row.padding == "valid" else (row.kernel[0] - 1) // 2


def geometry(row: Any) -> str:
    """A row of the lecture's AlexNet listing, behind the colon."""
    if word(row) == "FC":
        return f"{row.output[-1]} neurons"
    side, stride = row.kernel[0], row.strides[0]
    if word(row) != "CONV":
        return f"{side}x{side} filters at stride {stride}"
    return f"{row.output[-1]} {side}x{side} filters at stride {stride}, pad {padding(row)}"


def described(bench: Bench, network: str, name: str) -> str:
    return geometry(bench.row(network, name))


def distinct(bench: Bench, networks: tuple[str, ...], kind: str, template: str) -> str:
    """The different windows of all layers of a kind."""
    rows = [row for network in networks for row in of_kind(bench, network, kind)]
    return " and ".join(
        sorted({template.format(side=row.kernel[0], stride=row.strides[0], pad=padding(row)) for row in rows})
    )


def weight_layers(*networks: str, last: bool = True) -> Source:
    """How many there are, one after the other: of each network."""

    def count(bench: Bench) -> str:
        return " - ".join(str(claims.depth(bench.model(network)) - (not last)) for network in networks)

    return Source(f"weight layers of {' and '.join(networks)}{'' if last else ', without the last'}", count)


def every(rows: list[Any], test: Callable[[Any], bool], what: str) -> Fact:
    """Whether all pass, and how many do."""
    passed = sum(map(test, rows))
    return Fact(0 < passed == len(rows), f"{passed} of {len(rows)} {what}")


def blocks(bench: Bench, network: str) -> list[Any]:
    return [each for each in bench.model(network).layers if hasattr(each, "inner")]


def share(bench: Bench, network: str, quantity: str, chosen: tuple[str, ...], among: str) -> Fact:
    """Whether the chosen layers have more than half."""
    rows = of_kind(bench, network, *among.split(", "))
    part = sum(getattr(row, quantity) for row in rows if row.name.startswith(chosen))
    percent = 100 * part / sum(getattr(row, quantity) for row in rows)
    return Fact(percent > 50, f"{percent:.1f}% of the {quantity}")
