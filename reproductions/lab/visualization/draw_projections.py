"""Pictures of feature maps projected back to pixels, beside the parts of the image that caused them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from keras import ops

from reproductions.lab.visualization import figure, maps
from reproductions.lab.visualization.figure import Drawing, Row
from reproductions.lab.visualization.graph import Values
from reproductions.lab.visualization.projection import Projection, check_rectified, project, strongest
from reproductions.lab.visualization.subject import Shown, Subject

PER_ROW = 8
OF_LAYER = 24
UNITS, LARGE = 3, 1.7  # units beside the image, and the side of an image in inches
BRIGHT = 99.5  # percentile of the signal's size that is drawn as black or white
METHODS = {
    "deconv": (
        "deconvnet projections",
        "the signal passes a ReLU where it is positive itself (Zeiler and Fergus 2013)",
    ),
    "guided": (
        "guided backpropagation",
        "the signal passes a ReLU where both it and the ReLU's output are positive (Springenberg et al. 2014)",
    ),
}


def projections(subject: Subject, shown: Shown, kind: str, layer: str | None = None) -> Drawing:
    """Draw the strongest feature maps of an image projected back to pixels.

    Args:
        subject: The network.
        shown: The image.
        kind: "deconv" or "guided".
        layer: Name of the layer; by default one for each size of maps, and the classes.

    Raises:
        UsageError: If the network has no ReLU, or other activations.
    """
    staged = maps.stages(subject.graph, subject.model)
    layer = layer or (None if staged else subject.score_layer)
    layers = [layer] if layer else staged
    for name in layers:
        check_rectified(subject.graph, name, kind)
    values = subject.values(shown.inputs)
    if layer and values[subject.graph.key(layer)].ndim == 2:
        return of_units(subject, shown, kind, layer)
    rows: list[Row] = []
    for name in layers:
        shape = values[subject.graph.key(name)].shape[1:]
        found = projected(subject, values, name, kind, OF_LAYER if layer else PER_ROW)
        rows += rows_of(shown, name, shape, found)
    method, rule = METHODS[kind]
    title = f"{subject.title}: {method}, {shown.source.name}"
    what = f"the maps of {layer}" if layer else "the maps of a layer of each size"
    return Drawing(
        figure.draw_rows(title, rows, PER_ROW).figure,
        title,
        f"What makes {what} respond to {shown.source.name}: the largest activation of a map, projected back to pixels, "
        f"and below it the part of the image that it comes from. Shown are the maps with the largest activations. On "
        f"the way back, {rule}, and max pooling leads it to the position of the maximum. Grey is no signal.",
        f"{len(rows) // 2} pairs of rows: grey images with coloured structures, and below them parts of the image.",
        layer,
    )


def of_units(subject: Subject, shown: Shown, kind: str, layer: str) -> Drawing:
    """Draw the image, and beside it the units with the largest activations projected back to its pixels."""
    found = projected(subject, subject.values(shown.inputs), layer, kind, UNITS)
    scores = layer == subject.score_layer
    names = [subject.classes[each.channel][:24] if scores else f"unit {each.channel}" for each in found]
    row = Row([shown.pixels, *(visible(each.pixels) for each in found)], "", ["image", *names])
    method, rule = METHODS[kind]
    title = f"{subject.title}: {method} of {'class scores' if scores else layer}, {shown.source.name}"
    return Drawing(
        figure.draw_rows(title, [row], UNITS + 1, largest=LARGE).figure,
        title,
        f"Which pixels of {shown.source.name} speak for {listed(names)}, the {len(names)} "
        f"{'classes with the largest scores' if scores else f'units of {layer} with the largest activations'}: each "
        f"projected back to the image. On the way back, {rule}. Grey is no signal.",
        f"The image, and {len(names)} grey images of its size with coloured outlines of what is recognized.",
        layer,
    )


def listed(names: Sequence[str]) -> str:
    """Return names as text: "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def projected(subject: Subject, values: Values, layer: str, kind: str, most: int) -> list[Projection]:
    """Return the projections of the maps or units with the largest activations; of maps, those that are active."""
    output = np.asarray(ops.convert_to_numpy(values[subject.graph.key(layer)]))[0]
    channels = [channel for channel in strongest(output)[:most] if output.ndim == 1 or output[..., channel].max() > 0]
    return [project(subject.graph, values, layer, channel, kind) for channel in channels]


def rows_of(shown: Shown, layer: str, shape: Sequence[int], found: Sequence[Projection]) -> list[Row]:
    """Return pairs of rows: projections, and the parts of the image that they come from."""
    rows, size = [], " × ".join(map(str, shape))
    for first in range(0, len(found), PER_ROW):
        part = found[first : first + PER_ROW]
        names = [f"map {each.channel}" for each in part]
        label = f"{layer}\n{size}" if first == 0 else ""
        rows.append(Row([visible(each.pixels[each.window]) for each in part], label, (), 0.06))
        rows.append(Row([shown.pixels[each.window] for each in part], "", names))
    return rows


def visible(pixels: np.ndarray) -> np.ndarray:
    """Return a signal (height, width, channels) as an image in which grey is zero."""
    largest = max(float(np.percentile(np.abs(pixels), BRIGHT)), 1e-12)
    image = np.clip(0.5 + pixels / (2 * largest), 0, 1)
    return image if image.shape[-1] == 3 else figure.grey(image.mean(axis=-1))
