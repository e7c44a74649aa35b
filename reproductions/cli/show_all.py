"""All pictures of all networks that the suite gives out, with their records: `reproduce show --all`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

import reproductions
from reproductions.cli import show
from reproductions.lab import files
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation.tested import Tested
from reproductions.lab.results.picture_record import ImageSource, PictureRecord, WeightsSource
from reproductions.lab.results.trial_record import CodeState
from reproductions.lab.training import run_identity
from reproductions.lab.visualization.pictures import METHODS, Picture, pictures_of
from reproductions.lab.weights import trained

if TYPE_CHECKING:
    from reproductions.lab.visualization.figure import Drawing
    from reproductions.lab.visualization.subject import Subject

THIS_SUITE = "this suite"


@dataclass(frozen=True)
class Target:
    """Where pictures go.

    Attributes:
        folder: Folder.
        other_format: Format in which each picture is written beside its PNG, if any.
        data_dir: Folder of the data sets.
        code: State of the code.
    """

    folder: Path
    other_format: str | None
    data_dir: Path | None
    code: CodeState


def show_all(folder: Path, weights: Path | None, file_format: str | None, data_dir: Path | None) -> None:
    """Draw all pictures of the networks that are given out, and of a file of weights.

    Args:
        folder: Folder for the pictures and their records.
        weights: File of weights; by default none.
        file_format: Format in which each picture is written beside its PNG.
        data_dir: Folder of the data sets.

    Raises:
        UsageError: If the file is not one of weights, or the folder cannot be written.
    """
    networks = [show.find(Path(name)) for name in trained.read_list()]
    if weights is not None:
        networks.append(show.find(weights))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out: {folder} cannot be made: {error.strerror}") from None
    target = Target(folder, None if file_format == "png" else file_format, data_dir, run_identity.code_state())
    for found in networks:
        show_network(found, target)


def show_network(found: Tested, target: Target) -> None:
    """Draw all pictures of a network. Those that it cannot have are left out, with the reason printed."""
    loaded = show.load(found, target.data_dir)
    for picture in pictures_of(found.network.name, loaded.recipe.dataset):
        name = picture.name(found.network.name)
        try:
            drawing, image = draw(picture, loaded)
        except UsageError as error:
            print(f"{name} is left out: {error}")
            continue
        path = target.folder / f"{name}.png"
        show.write(drawing, path, "png")
        if target.other_format:
            show.write(drawing, path.with_suffix(f".{target.other_format}"), target.other_format)
        record_of(picture, drawing, image, found, target).write(path.with_suffix(".json"))
        print(f"{path}")


def draw(picture: Picture, loaded: Subject) -> tuple[Drawing, ImageSource | None]:
    """Draw a picture; return it and the image that the network was shown."""
    from reproductions.lab.visualization import images

    if picture.kind == "errors":
        return show.draw_errors(show.with_record(loaded.found), loaded.data_dir), None
    of_image = picture.kind in show.OF_IMAGES
    stored = images.load(picture.image, loaded.recipe.dataset, loaded.data_dir) if of_image else None
    return show.draw(loaded, picture.kind, picture.layer, stored), stored.source if stored else None


def record_of(
    picture: Picture, drawing: Drawing, image: ImageSource | None, found: Tested, target: Target
) -> PictureRecord:
    """Return the record of a picture that was written."""
    network = found.network
    name = picture.name(network.name)
    with Image.open(target.folder / f"{name}.png") as written:
        width, height = written.size
    return PictureRecord(
        name=name,
        study=reproductions.find(network.name)[0].name,
        network=network.name,
        kind=picture.kind,
        method=METHODS.get(picture.kind),
        layer=drawing.layer,
        title=drawing.title,
        caption=" ".join(filter(None, (drawing.caption, picture.note))),
        alt=drawing.alt,
        width=width,
        height=height,
        weights=source_of(found),
        image=image,
        command=command(picture, found),
        commit=target.code.commit,
        dirty=target.code.dirty,
    )


def source_of(found: Tested) -> WeightsSource:
    """Return where the weights of a network come from."""
    file = found.path / "model.keras" if found.record is not None else found.path
    publisher = found.provenance.publisher if found.provenance else THIS_SUITE
    return WeightsSource(found.path.name, files.sha256(file), publisher)


def command(picture: Picture, found: Tested) -> str:
    """Return the command that draws a picture."""
    shown = found.network.name if found.given_out else found.path.name
    words = ["reproduce", "show", shown, picture.kind]
    for option, value in (("--layer", picture.layer), ("--image", picture.image)):
        words += [option, value] if value else []
    return " ".join(words)
