"""Printed architecture tables, cell by cell beside the same cells computed from the networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reproductions.lab.analysis.published import FAILS, compare, shown

if TYPE_CHECKING:
    import keras
    import pandas

    from reproductions.lab.analysis.profile import LayerAnatomy

PRINTED = Path(__file__).parents[2] / "published" / "tables"
LISTED = ("parameters", "multiply_adds", "activations", "forward_bytes", "backward_bytes")
SUMMED = ("parameters", "trainable", "weights", "multiply_adds", "connections", "activations")


def chosen(rows: list[LayerAnatomy], layers: str) -> list[LayerAnatomy]:
    """The layers that a cell is about: "conv1", "a+b", a whole block, or "*" for all. LookupError for none."""
    names = layers.split("+")
    found = [
        row
        for row in rows
        if layers == "*" or any(row.name == name or row.name.startswith(f"{name}/") for name in names)
    ]
    if not found:
        raise LookupError(f"no layer is named {layers}")
    return found


def quantity(rows: list[LayerAnatomy], name: str) -> Any:
    """A number, a shape or a word about some layers: sums, or what is true of the last of them."""
    last = rows[-1]
    if name in SUMMED:
        return sum(getattr(row, name) for row in rows)
    if name == "weight_layers":
        return sum(row.weights > 0 for row in rows)
    if name == "blocks":
        return len({row.name.split("/")[0] for row in rows})
    if name == "window":
        return f"{'x'.join(map(str, last.kernel))}/{last.strides[0]}"
    if name == "convolution":
        return f"conv{last.kernel[0]}-{last.output[-1]}"
    if name == "maps":
        return last.output[-1]
    if name in ("output", "receptive_field"):
        return getattr(last, name)
    raise LookupError(f"there is no quantity {name}")


def compared(printed: pandas.DataFrame, build: Callable[[str], keras.Model]) -> pandas.DataFrame:
    """Printed cells with what the networks give: columns computed, verdict, and why, where they differ."""
    from reproductions.lab.analysis.profile import anatomy, without_weights

    rows: dict[str, list[LayerAnatomy]] = {}
    for network in printed["network"].unique():
        with without_weights():
            rows[network] = anatomy(build(network))
    computed, verdicts = [], []
    for cell in printed.to_dict("records"):
        value = quantity(chosen(rows[cell["network"]], cell["layers"]), cell["quantity"])
        computed.append(shown(value))
        verdicts.append(compare(cell["printed"], value, int(cell["kilo"] or 1000)))
    told = printed.assign(computed=computed, verdict=verdicts)
    return told.assign(why=told["why"].where(told["verdict"] == FAILS, ""))


def printed_cells(study: str) -> pandas.DataFrame:
    """The cells of a study's printed tables, all as text."""
    import pandas

    return pandas.read_csv(PRINTED / f"{study}.csv", dtype=str, keep_default_na=False)


def listing(build: Callable[[], keras.Model]) -> pandas.DataFrame:
    """A network layer by layer, with totals: its anatomy as a table."""
    import pandas

    from reproductions.lab.analysis.profile import anatomy, total, without_weights

    with without_weights():
        rows = anatomy(build())
    table = pandas.DataFrame(
        [
            {
                "layer": row.name,
                "kind": row.kind,
                "output": shown(row.output),
                "window": f"{shown(row.kernel)}/{row.strides[0]} {row.padding}".strip() if row.kernel else "",
                "receptive field": row.receptive_field,
                "jump": row.jump,
                **{name: getattr(row, name) for name in LISTED},
            }
            for row in rows
        ]
    )
    sums = dict.fromkeys(table.columns, "") | {"layer": "total"} | {name: total(rows, name) for name in LISTED}
    return pandas.concat([table.astype(object), pandas.DataFrame([sums])]).set_index("layer")
