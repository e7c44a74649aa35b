"""Files of boxes, for localization tests."""

from pathlib import Path

from reproductions.lab.evaluation.localization import Box

WNIDS = ("n01440764", "n02119789", "n03000001")


def write_truth(folder: Path, images: list[list[Box]]) -> Path:
    """Write a folder of annotations, in reverse order of their names."""
    folder.mkdir()
    for number, boxes in reversed(list(enumerate(images, 1))):
        objects = "".join(
            f"<object><name>{box.wnid}</name><bndbox><xmin>{box.xmin}</xmin><ymin>{box.ymin}</ymin>"
            f"<xmax>{box.xmax}</xmax><ymax>{box.ymax}</ymax></bndbox></object>"
            for box in boxes
        )
        (folder / f"ILSVRC2012_val_{number:08d}.xml").write_text(
            f"<annotation>{objects}</annotation>", encoding="utf-8"
        )
    return folder


def line(guesses: list[Box]) -> str:
    """Return a line of guesses."""
    return " ".join(f"{box.wnid} {box.xmin} {box.ymin} {box.xmax} {box.ymax}" for box in guesses)


def write_guesses(path: Path, images: list[list[Box]]) -> Path:
    """Write a file of predictions."""
    path.write_text("".join(line(guesses) + "\n" for guesses in images), encoding="utf-8")
    return path
