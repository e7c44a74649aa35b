"""Pictures of occlusion sensitivity."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from reproductions.lab.visualization.figure import STYLE, Canvas, Drawing
from reproductions.lab.visualization.occlusion import Square, occlusion_scores, square_for
from reproductions.lab.visualization.subject import Shown, Subject

SIDE, LEFT, TOP, BETWEEN, BELOW, LINE = 2.1, 0.05, 0.62, 0.28, 0.38, 0.15  # inches
MOST_NAMES = 6
COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb")


def occlusion(subject: Subject, shown: Shown) -> Drawing:
    """Draw the score of the most probable class, and the answer, as a square moves over an image."""
    plain = subject.scores(shown.inputs[None])[0]
    label = int(plain.argmax())
    square = square_for(shown.inputs.shape[0])
    scores = occlusion_scores(subject.scores, shown.inputs, shown.cover, square)
    own, kept = scores[..., label], 100 * float((scores.argmax(axis=-1) == label).mean())
    name, score = subject.classes[label], "probability" if subject.probable else "negated penalty"
    colour = "grey" if shown.inputs.shape[-1] == 3 else "black"
    names, places = winners(scores.argmax(axis=-1), subject.classes)
    title = f"{subject.title}: occlusion of {shown.source.name}"
    with matplotlib.rc_context(STYLE):
        canvas = Canvas(title, TOP + SIDE + max(BELOW, 0.12 + LINE * -(-len(names) // 2)))
        draw_image(panel(canvas, 0, f"image, with the {colour} square\nwhere the score is lowest"), shown, own, square)
        draw_heat(canvas, own, f"{score} of “{name}”,\nby the position of the square's centre")
        draw_answers(panel(canvas, 2, "class with the largest score\n"), names, places)
    return Drawing(
        canvas.figure,
        title,
        f"The {score} of “{name}” is {plain[label]:.2f} for {shown.source.name}. As a {colour} square of {square.side} "
        f"pixels moves over the image, it lies between {own.min():.2f} and {own.max():.2f}: where it is low, the "
        f"square hides what the network recognizes “{name}” by. On the right, the class that wins, still “{name}” at "
        f"{kept:.0f}% of the positions. As in Figure 6 (d) and (e) of Zeiler and Fergus 2013.",
        f"Three panels: the image with a {colour} square, a heat map of the {score} of “{name}”, and a map of the "
        "classes that win.",
    )


def winners(answers: np.ndarray, classes: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Return the names of the classes that win most often, and for each position the place of the winner among them."""
    labels, counts = np.unique(answers, return_counts=True)
    order = [int(label) for label in labels[np.argsort(-counts, kind="stable")]]
    names = [classes[label] for label in order[:MOST_NAMES]] + ["other"] * (len(order) > MOST_NAMES)
    places = {label: min(place, MOST_NAMES) for place, label in enumerate(order)}
    return names, np.vectorize(places.__getitem__)(answers)


def panel(canvas: Canvas, number: int, title: str) -> Axes:
    """Return the axes of one of three panels."""
    axes = canvas.axes(LEFT + number * (SIDE + BETWEEN), TOP, SIDE, SIDE)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, fontsize=8, loc="left")
    return axes


def draw_image(axes: Axes, shown: Shown, own: np.ndarray, square: Square) -> None:
    """Draw the image with the square where the score is lowest."""
    row, column = np.unravel_index(own.argmin(), own.shape)
    window = square.window(int(row) * square.stride), square.window(int(column) * square.stride)
    covered = np.array(shown.pixels)
    covered[window] = 0.5 if shown.inputs.shape[-1] == 3 else 0.0
    axes.imshow(covered, interpolation="antialiased")
    top, left = (max(each.start, 0) - 0.5 for each in window)
    bottom, right = (min(each.stop, size) - 0.5 for each, size in zip(window, covered.shape))
    axes.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color=COLOURS[1], linewidth=0.8)
    axes.set_xlim(-0.5, covered.shape[1] - 0.5)
    axes.set_ylim(covered.shape[0] - 0.5, -0.5)


def draw_heat(canvas: Canvas, own: np.ndarray, title: str) -> None:
    """Draw a map of scores, with its scale."""
    mapped = panel(canvas, 1, title).imshow(own, cmap="viridis", interpolation="nearest")
    below = canvas.axes(LEFT + SIDE + BETWEEN, TOP + SIDE + 0.08, SIDE, 0.1)
    bar = canvas.figure.colorbar(mapped, cax=below, orientation="horizontal")
    bar.ax.tick_params(labelsize=7, length=2, pad=1.5)
    bar.outline.set_linewidth(0.4)


def draw_answers(axes: Axes, names: Sequence[str], places: np.ndarray) -> None:
    """Draw a map of the classes that win, in a colour each."""
    colours = np.array([matplotlib.colors.to_rgb(colour) for colour in COLOURS])
    axes.imshow(colours[places], interpolation="nearest")
    patches = [Patch(color=COLOURS[place], label=name[:20]) for place, name in enumerate(names)]
    axes.legend(
        handles=patches, loc="upper left", bbox_to_anchor=(0, -0.03), ncols=2, fontsize=6.5, frameon=False,
        borderaxespad=0, handlelength=1, columnspacing=1,
    )  # fmt: skip
