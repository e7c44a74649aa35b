"""Figures of runs: errors by epoch, errors by the number of training images, and confusion."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports.figures import style
from reports.figures.chart import Chart
from reports.published import Figure
from reproductions.lab.results.run_group import RunGroup

if TYPE_CHECKING:
    import matplotlib.figure

LOWEST = 0.01  # percent: zero has no place on a logarithmic axis


def training_curves(group: RunGroup, published: Figure | None) -> Chart:
    """Return the figure of errors by epoch of runs that differ in their seed.

    Args:
        group: Runs with a history.
        published: The published figure that they answer to.
    """
    histories = [run.history for run in group.records]
    validation = [[row.val_error for row in rows if row.val_error is not None] for rows in histories]
    data: dict[str, Any] = {
        "title": f"{group.network} on {group.data}",
        "training error": [[round(row.error, 4) for row in rows] for rows in histories],
        "validation error": [[round(error, 4) for error in errors] for errors in validation if errors],
        "test error": group.errors(group.measures[0]),
        "published": published.error if published else None,
    }
    seeds = "one run" if len(histories) == 1 else f"median and range over {len(histories)} seeds"
    also = "; the dotted line is the published error" if data["published"] is not None else ""
    caption = f"Error by epoch on training images, {seeds}, and on test images after the last epoch{also}."
    final = statistics.median(errors[-1] for errors in data["training error"])
    alt = (
        f"{data['title']}: the training error ends at {final:.2f}%, "
        f"the mean test error is {statistics.fmean(data['test error']):.2f}%"
    )
    return Chart(draw_curves, data, (style.WIDTH, 3.0), caption, alt)


def draw_curves(figure: matplotlib.figure.Figure, data: Mapping[str, Any]) -> None:
    """Draw errors by epoch."""
    axes = figure.subplots()
    for name, colour, line in (("training error", style.BLUE, "-"), ("validation error", style.GREEN, "--")):
        if not data[name]:
            continue
        epochs = max(len(errors) for errors in data[name])
        columns = [[errors[i] for errors in data[name] if i < len(errors)] for i in range(epochs)]
        x = range(1, epochs + 1)
        if len(data[name]) > 1:
            low, high = ([max(f(column), LOWEST) for column in columns] for f in (min, max))
            axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
        medians = [max(statistics.median(column), LOWEST) for column in columns]
        axes.plot(x, medians, line, color=colour, label=name, marker="." if epochs == 1 else None)
    last = max(len(errors) for errors in data["training error"])
    test = data["test error"]
    mean = statistics.fmean(test)
    ends = [[mean - min(test)], [max(test) - mean]]
    axes.errorbar(last, mean, ends, fmt="D", color=style.ORANGE, capsize=3, label="test error")
    if data["published"]:
        axes.axhline(data["published"], color=style.DARK, linestyle=":", label=f"published, {data['published']:g}%")
    values = [max(value, LOWEST) for name in ("training error", "validation error") for e in data[name] for value in e]
    values += [*test, *filter(None, [data["published"]])]
    style.log_percent(axes, "y", max(min(values), LOWEST), max(values))
    axes.set(title=data["title"], xlabel="epoch", ylabel="error (logarithmic)")
    axes.locator_params(axis="x", integer=True)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def training_set_sizes(sized: Sequence[Sequence[RunGroup]]) -> Chart:
    """Return the figure of test errors by the number of training images, one line for each network."""
    data: dict[str, list[Any]] = {
        own[0].network: [[group.first.training_images, group.errors(group.measures[0])] for group in own]
        for own in sized
    }
    caption = "Test error by the number of training images: mean and range over seeds, both axes logarithmic."
    ends = {name: (rows[0], rows[-1]) for name, rows in data.items()}
    alt = "; ".join(
        f"{name}: {statistics.fmean(first[1]):.2f}% with {first[0]:,} images, "
        f"{statistics.fmean(last[1]):.2f}% with {last[0]:,}"
        for name, (first, last) in ends.items()
    )
    return Chart(draw_sizes, data, (style.WIDTH, 3.2), caption, alt)


def draw_sizes(figure: matplotlib.figure.Figure, data: Mapping[str, Any]) -> None:
    """Draw test errors by the number of training images."""
    axes = figure.subplots()
    for number, (name, rows) in enumerate(data.items()):
        means = [statistics.fmean(errors) for _, errors in rows]
        low = [mean - min(errors) for mean, (_, errors) in zip(means, rows)]
        high = [max(errors) - mean for mean, (_, errors) in zip(means, rows)]
        colour = style.COLOURS[number % len(style.COLOURS)]
        marker, line = style.MARKERS[number % len(style.MARKERS)], style.LINES[number % len(style.LINES)]
        axes.errorbar(
            [images for images, _ in rows],
            means,
            [low, high],
            fmt=marker,
            linestyle=line,
            color=colour,
            capsize=3,
            label=name,
        )
    images = sorted({images for rows in data.values() for images, _ in rows})
    axes.set_xscale("log")
    axes.set_xticks(images, [f"{count:,}" for count in images])
    axes.set_xticks([], minor=True)
    errors = [error for rows in data.values() for _, found in rows for error in found]
    style.log_percent(axes, "y", max(min(errors), LOWEST), max(errors))
    axes.set(title="Test error by the number of training images", xlabel="training images", ylabel="test error")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def confusion_map(title: str, matrix: Sequence[Sequence[int]], images: str) -> Chart:
    """Return the figure of a confusion matrix: classes in rows, answers in columns; the diagonal is left out.

    Args:
        title: Title.
        matrix: Test images by class and answer.
        images: What is counted.
    """
    data = {"title": title, "matrix": [list(row) for row in matrix]}
    mistakes = [(count, i, j) for i, row in enumerate(matrix) for j, count in enumerate(row) if i != j and count]
    most = sorted(mistakes, reverse=True)[:3]
    frequent = ", ".join(f"{i} taken for {j} ({count})" for count, i, j in most)
    caption = f"{images} by class (rows) and answer (columns). The most frequent mistakes: {frequent or 'none'}."
    return Chart(draw_confusion, data, (style.WIDTH * 0.62, 3.7), caption, f"{title}: {frequent or 'no mistakes'}")


def draw_confusion(figure: matplotlib.figure.Figure, data: Mapping[str, Any]) -> None:
    """Draw a confusion matrix as a heat map without its diagonal, which would outshine the mistakes."""
    axes = figure.subplots()
    matrix = data["matrix"]
    classes = range(len(matrix))
    most = max((count for i in classes for j, count in enumerate(matrix[i]) if i != j), default=0)
    shown = [[float("nan") if i == j else matrix[i][j] for j in classes] for i in classes]
    axes.pcolormesh(shown, cmap="Blues", vmin=0, vmax=max(most, 1) * 1.3)
    for i in classes:
        for j in classes:
            if i != j and matrix[i][j]:
                colour = "white" if matrix[i][j] > 0.75 * most else style.DARK
                axes.text(j + 0.5, i + 0.5, f"{matrix[i][j]:,}", ha="center", va="center", size=7.5, color=colour)
    centres = [i + 0.5 for i in classes]
    axes.set_xticks(centres, [str(i) for i in classes])
    axes.set_yticks(centres, [str(i) for i in classes])
    axes.set(title=data["title"], xlabel="answer", ylabel="class", aspect="equal")
    axes.invert_yaxis()
    axes.grid(False)
