"""Published architecture tables, cell by cell beside the values computed from the networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reproductions.lab.analysis.published import FAILS, Value, format_value, judge

if TYPE_CHECKING:
    import keras
    import pandas

    from reproductions.lab.analysis.profile import LayerProfile

PUBLISHED = Path(__file__).parents[2] / "published" / "tables"
COLUMNS = ("table", "row", "column", "network", "layers", "quantity", "published", "kilo", "reason")
LISTED = ("parameters", "multiply_adds", "activations", "forward_bytes", "backward_bytes")
SUMMED = ("parameters", "trainable", "weights", "multiply_adds", "connections", "activations")


def published_cells(study: str) -> pandas.DataFrame:
    """Return the cells of a study's published architecture tables; none for a study without a file of them.

    Returns:
        DataFrame of strings, one cell in each row: `table`, `row` and `column` locate the cell in the paper; `network`
        and `layers` say which layers it is about (see `select_layers`), `quantity` which quantity of them (see
        `compute_quantity`); `published` is the content of the cell, `kilo` the value of its suffix K ("" for 1000),
        and `reason` explains a difference from the network.
    """
    import pandas

    path = PUBLISHED / f"{study}.csv"
    if not path.exists():
        return pandas.DataFrame(columns=COLUMNS, dtype=str)
    return pandas.read_csv(path, dtype=str, keep_default_na=False)


def select_layers(layers: Sequence[LayerProfile], names: str) -> list[LayerProfile]:
    """Return the layers that a cell is about.

    Args:
        layers: Layers of a network.
        names: Names of layers or blocks joined by "+", such as "conv1" or "inception_3a+pool3"; "*" for all layers.

    Raises:
        LookupError: If no layer has such a name.
    """
    wanted = names.split("+")
    selected = [
        layer
        for layer in layers
        if names == "*" or any(layer.name == name or layer.name.startswith(f"{name}/") for name in wanted)
    ]
    if not selected:
        raise LookupError(f"expected the name of a layer or block, got {names!r}")
    return selected


def compute_quantity(layers: Sequence[LayerProfile], quantity: str) -> Value:
    """Return a quantity of some layers.

    Args:
        layers: Layers, at least one.
        quantity: A count that is summed over the layers ("parameters", "trainable", "weights", "multiply_adds",
            "connections", "activations", "weight_layers", "blocks"), or a property of the last of them: "window" such
            as "7x7/2", "convolution" such as "conv3-64", "filters", "output_shape" or "receptive_field".

    Raises:
        LookupError: If the quantity does not exist.
    """
    last = layers[-1]
    if quantity in SUMMED:
        return sum(getattr(layer, quantity) for layer in layers)
    if quantity == "weight_layers":
        return sum(layer.weights > 0 for layer in layers)
    if quantity == "blocks":
        return len({layer.name.split("/")[0] for layer in layers})
    if quantity == "window":
        return f"{'x'.join(map(str, last.kernel_size))}/{last.strides[0]}"
    if quantity == "convolution":
        return f"conv{last.kernel_size[0]}-{last.output_shape[-1]}"
    if quantity == "filters":
        return last.output_shape[-1]
    if quantity == "output_shape":
        return last.output_shape
    if quantity == "receptive_field":
        return last.receptive_field
    raise LookupError(f"expected a quantity of layers, such as 'parameters' or 'filters', got {quantity!r}")


def check_cells(cells: pandas.DataFrame, build: Callable[[str], keras.Model]) -> pandas.DataFrame:
    """Compare published cells with the networks.

    Args:
        cells: Cells as `published_cells` returns them.
        build: Function that builds a network by name, such as `reproductions.build`.

    Returns:
        The cells with the columns `computed` and `verdict`. The column `reason` is empty unless the verdict is FAILS.
    """
    from reproductions.lab.analysis.profile import profile_model, without_weights

    profiles: dict[str, list[LayerProfile]] = {}
    for network in cells["network"].unique():
        with without_weights():
            profiles[network] = profile_model(build(network))
    computed, verdicts = [], []
    for cell in cells.to_dict("records"):
        value = compute_quantity(select_layers(profiles[cell["network"]], cell["layers"]), cell["quantity"])
        computed.append(format_value(value))
        verdicts.append(judge(cell["published"], value, int(cell["kilo"] or 1000)))
    checked = cells.assign(computed=computed, verdict=verdicts)
    return checked.assign(reason=checked["reason"].where(checked["verdict"] == FAILS, ""))


def layer_table(build: Callable[[], keras.Model]) -> pandas.DataFrame:
    """Return the layers of a network as a table, indexed by name, with a last row of totals.

    Args:
        build: Function that builds the network.
    """
    import pandas

    from reproductions.lab.analysis.profile import profile_model, total, without_weights

    with without_weights():
        layers = profile_model(build())
    table = pandas.DataFrame([_row(layer) for layer in layers])
    sums = {name.replace("_", " "): total(layers, name) for name in LISTED}
    totals = dict.fromkeys(table.columns, "") | {"layer": "total"} | sums
    return pandas.concat([table.astype(object), pandas.DataFrame([totals])]).set_index("layer")


def _row(layer: LayerProfile) -> dict[str, str | int]:
    """Return the row of a layer in `layer_table`."""
    window = f"{format_value(layer.kernel_size)}/{layer.strides[0]} {layer.padding}" if layer.kernel_size else ""
    return {
        "layer": layer.name,
        "type": layer.class_name,
        "output": format_value(layer.output_shape),
        "window": window.strip(),
        "receptive field": layer.receptive_field,
        "jump": layer.jump,
        **{name.replace("_", " "): getattr(layer, name) for name in LISTED},
    }
