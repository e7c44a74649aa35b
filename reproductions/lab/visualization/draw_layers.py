"""Pictures of filters and of feature maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from keras import ops

from reproductions.lab.errors import UsageError
from reproductions.lab.visualization import figure, maps
from reproductions.lab.visualization.figure import Drawing, Row
from reproductions.lab.visualization.kernels import Kernels, balanced, kernels_of
from reproductions.lab.visualization.subject import Shown, Subject, stretched

COLUMNS = 16  # of filters
FEW = 8  # filters that fit into one row
MOST_FILTERS, MOST_UNITS = 128, 40
OF_UNITS = 99.5  # percentile of the weights of a unit that has the darkest colour
MOST_MAPS, MOST_ROWS = 32, 16  # of the filters of a layer that sees feature maps, and the maps that they see
BEST = 4  # classes that are named
MAPS_PER_ROW, MAPS_OF_LAYER = 8, 64
WEIGHT_SCALE = ("negative", "0", "positive")


def filters(subject: Subject, layer: str | None = None) -> Drawing:
    """Draw the kernels of a layer, by default of the first.

    Raises:
        UsageError: If there is no such layer, or its kernels are not images.
    """
    kernels = kernels_of(subject.graph, layer)
    if kernels.of_maps:
        return filters_of_maps(subject, kernels)
    count, height, width, channels = kernels.tiles.shape
    units = height == subject.model.input_shape[1]
    shown, number = largest(kernels.tiles, MOST_UNITS if units else MOST_FILTERS)
    tiles = balanced(shown, (1, 2, 3), OF_UNITS if units else 100)
    images = [(tile + 1) / 2 if channels == 3 else figure.signed(tile[..., 0]) for tile in tiles]
    columns = len(images) if len(images) <= FEW else 10 if units else COLUMNS
    names = subject.classes if units and len(subject.classes) == count else ()
    rows = rows_of(images, columns, kernels.towers, names)
    title = f"{subject.title}: {'weights of the units' if units else 'filters'} of {kernels.layer}"
    canvas = figure.draw_rows(title, rows, columns, below=0.0 if channels == 3 else 0.34)
    if channels == 1:
        canvas.scale(0.4, canvas.height - 0.3, WEIGHT_SCALE)
    what, each = ("units", "weights") if units else ("filters", "filters")
    return Drawing(
        canvas.figure,
        title,
        f"The {number} {what} of {kernels.layer}, with {height} × {width} weights each"
        f"{' for red, green and blue' if channels == 3 else ''}, each scaled by its own "
        f"{'large weights' if units else 'largest weight'}; "
        f"{'grey' if channels == 3 else 'white'} is zero.{tower_text(kernels)}"
        f"{' They are those with the largest sum of squares.' if len(images) < count else ''}",
        f"{len(rows)} rows of small square images, one for each of {len(images)} {each}.",
        kernels.layer,
    )


def largest(tiles: np.ndarray, most: int) -> tuple[np.ndarray, str]:
    """Return the tiles with the largest sums of squares, in their order, and how many they are as text."""
    if len(tiles) <= most:
        return tiles, str(len(tiles))
    energy = np.square(tiles).sum(axis=(1, 2, 3))
    return tiles[np.sort(np.argsort(-energy, kind="stable")[:most])], f"{most} of {len(tiles)}"


def rows_of(images: Sequence[np.ndarray], columns: int, towers: int, names: Sequence[str]) -> list[Row]:
    """Return images in rows; each tower begins a row of its own, and is named."""
    rows, per_tower = [], len(images) // towers
    for tower in range(towers):
        own = images[tower * per_tower : (tower + 1) * per_tower]
        for first in range(0, len(own), columns):
            label = f"tower {tower + 1}" if towers > 1 and first == 0 else ""
            above = 0.12 if tower and first == 0 else 0.0
            rows.append(Row(own[first : first + columns], label, names[first : first + columns], above))
    return rows


def tower_text(kernels: Kernels) -> str:
    """Return what a caption says about towers."""
    if kernels.towers == 1:
        return ""
    return f" The next layer divides them between {kernels.towers} towers, which are shown one above the other."


def filters_of_maps(subject: Subject, kernels: Kernels) -> Drawing:
    """Draw the kernels of a layer that sees feature maps: a column for each filter, a row for each map."""
    count, channels, height, width = kernels.tiles.shape
    tiles = balanced(kernels.tiles[:MOST_MAPS, :MOST_ROWS], (1, 2, 3))
    rows = [
        Row([None if np.isnan(tile).all() else figure.signed(tile) for tile in tiles[:, channel]], f"input {channel}")
        for channel in range(tiles.shape[1])
    ]
    rows[-1] = Row(rows[-1].tiles, rows[-1].label, [str(number) for number in range(len(tiles))])
    title = f"{subject.title}: filters of {kernels.layer}"
    canvas = figure.draw_rows(title, rows, len(tiles), below=0.34)
    canvas.scale(0.4, canvas.height - 0.3, WEIGHT_SCALE)
    shown = "" if tiles.shape[:2] == (count, channels) else f" Of {count} filters and {channels} maps the first."
    gaps = " An empty place is a map that the filter does not see." if np.isnan(tiles).any() else ""
    return Drawing(
        canvas.figure,
        title,
        f"The {height} × {width} kernels of {kernels.layer}: a column for each filter, a row for each feature map of "
        f"its input. Each column is scaled by its largest weight.{gaps}{shown}",
        f"A table of small images, {tiles.shape[1]} rows of {len(tiles)}.",
        kernels.layer,
    )


def features(subject: Subject, shown: Shown, layer: str | None = None) -> Drawing:
    """Draw feature maps of an image: those of a layer, or a row for each size of maps.

    Raises:
        UsageError: If there is no such layer, or it has no maps.
    """
    if layer is None:
        return feature_rows(subject, shown)
    values = maps_of(subject, shown, layer)
    chosen = chosen_maps(values, MAPS_OF_LAYER)
    columns = min(len(chosen), 10)
    images = [figure.grey(stretched(values[..., number])) for number in chosen]
    rows = [
        Row(images[first : first + columns], "", [str(number) for number in chosen[first : first + columns]])
        for first in range(0, len(images), columns)
    ]
    title = f"{subject.title}: feature maps of {layer}, {shown.source.name}"
    number = "all" if len(chosen) == values.shape[-1] else f"the {len(chosen)} that vary most"
    return Drawing(
        figure.draw_rows(title, rows, columns).figure,
        title,
        f"Feature maps of {layer} for {shown.source.name}, {values.shape[0]} × {values.shape[1]} positions each: "
        f"{number} of {values.shape[-1]}. Black is the smallest and white the largest value of a map.",
        f"{len(rows)} rows of small grey images of {shown.source.name}.",
        layer,
    )


def feature_rows(subject: Subject, shown: Shown) -> Drawing:
    """Draw a row of feature maps for each size of maps, below the image."""
    layers = maps.stages(subject.graph, subject.model)
    if not layers:
        raise UsageError(
            f"{subject.network.name} has no feature maps: its layers are fully connected; show its filters instead"
        )
    computed = subject.values(shown.inputs)
    rows = [Row([shown.pixels], "image", note=answers(subject, shown))]
    for layer in layers:
        values = np.asarray(ops.convert_to_numpy(computed[subject.graph.key(layer)]))[0]
        chosen = chosen_maps(values, MAPS_PER_ROW)
        height, width, count = values.shape
        images = [figure.grey(stretched(values[..., number])) for number in chosen]
        label = f"{layer}\n{height} × {width} × {count}"
        rows.append(Row(images, label, [f"map {number}" for number in chosen], 0.04))
    title = f"{subject.title}: feature maps of {shown.source.name}"
    return Drawing(
        figure.draw_rows(title, rows, MAPS_PER_ROW).figure,
        title,
        f"Feature maps of {shown.source.name}, a row for each size of maps: up to {MAPS_PER_ROW} of a layer, those "
        "that vary most. Black is the smallest and white the largest value of a map. From row to row, maps "
        "have fewer positions, and what they respond to covers more of the image.",
        f"The image, and below it {len(layers)} rows of small grey images, coarser from row to row.",
    )


def answers(subject: Subject, shown: Shown) -> str:
    """Return the best classes of an image with their scores, a line each."""
    scores = subject.scores(shown.inputs[None])[0]
    best = np.argsort(-scores)[:BEST]
    lines = [f"{subject.classes[label]}: {abs(scores[label]):.2f}" for label in best]
    return "\n".join([f"{'probabilities' if subject.probable else 'smallest penalties'}:", *lines])


def maps_of(subject: Subject, shown: Shown, layer: str) -> np.ndarray:
    """Return the feature maps of a layer, (height, width, channels); UsageError if it has none."""
    key = subject.graph.key(layer)
    values = np.asarray(ops.convert_to_numpy(subject.values(shown.inputs)[key]))[0]
    if values.ndim != 3:
        names = ", ".join(maps.stages(subject.graph, subject.model)) or "no layer"
        raise UsageError(f"{layer} of {subject.network.name} has no feature maps; these have: {names}")
    return values


def chosen_maps(values: np.ndarray, most: int) -> list[int]:
    """Return the numbers of the maps that vary most over their positions, in their order."""
    spread = values.std(axis=(0, 1))
    return sorted(int(number) for number in np.argsort(-spread, kind="stable")[:most])
