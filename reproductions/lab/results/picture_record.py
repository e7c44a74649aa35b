"""The record of a picture of what a network learnt: what it shows, and from what it was made; JSON beside the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from reproductions.lab.ranges import Name, Positive
from reproductions.lab.results import run_record
from reproductions.lab.results.run_record import write_with_folder
from reproductions.lab.spec.recipe import plain

SCHEMA = run_record.SCHEMA
FOLDER = "pictures"

Kind = Literal["filters", "features", "deconv", "guided", "occlusion", "errors"]


@dataclass(frozen=True)
class WeightsSource:
    """Where the weights of the network come from.

    Attributes:
        file: Name of the file with the weights, or of the folder of the run.
        sha256: Checksum of that file; of a run, of its `model.keras`; None if only the run's record was needed.
        publisher: Who trained them: this suite, or the publisher of imported weights.
    """

    file: Name
    sha256: str | None
    publisher: Name


@dataclass(frozen=True)
class ImageSource:
    """An image that a network was shown.

    Attributes:
        name: What is in it, and which one it is.
        source: Where it comes from.
        licence: Under which licence it may be published; None for a file of the user.
    """

    name: Name
    source: str
    licence: str | None


@dataclass(frozen=True)
class PictureRecord:
    """What a picture shows.

    Attributes:
        name: Name of the picture's files, without ending.
        study: Name of the network's paper.
        network: Name of the network.
        kind: What is shown: the argument of `reproduce show`.
        method: Name of the paper that introduced this kind of picture; None if no paper of the suite did.
        layer: Name of the layer; None if the picture is of several or of the whole network.
        title: Title, a few words.
        caption: What to see in the picture, in sentences.
        alt: Alternative text for who cannot see it.
        width: Width of the PNG in pixels; it is drawn for half of that on a page.
        height: Height of the PNG in pixels.
        weights: Where the network's weights come from.
        image: The image that the network was shown, if any.
        command: Command that makes the picture again.
        commit: Commit of the code; None outside a git checkout.
        dirty: Whether the code was changed since that commit; None outside a git checkout.
        schema: Version of this format.
    """

    name: Name
    study: Name
    network: Name
    kind: Kind
    method: Name | None
    layer: Name | None
    title: Name
    caption: str
    alt: str
    width: Positive
    height: Positive
    weights: WeightsSource
    image: ImageSource | None
    command: str
    commit: str | None
    dirty: bool | None
    schema: int = SCHEMA

    @property
    def filename(self) -> str:
        """Name of the file of the record, beside that of the picture."""
        return f"{self.name}.json"

    @property
    def picture(self) -> str:
        """Name of the picture's file."""
        return f"{self.name}.png"

    def as_data(self) -> dict[str, Any]:
        """Return the record as JSON would give it back, the schema first."""
        data = asdict(self)
        return plain({"schema": data.pop("schema"), **data})

    def write(self, path: Path) -> None:
        """Write the record to a file, atomically; the folder is made if it does not exist."""
        write_with_folder(path, self.as_data())


def read(path: Path) -> PictureRecord:
    """Return the record in a file.

    Raises:
        UsageError: If the file does not exist, is damaged or incomplete, or has another schema.
    """
    return run_record.read_checked(path, PictureRecord, "the record of a picture", problems)


def problems(record: PictureRecord) -> Iterator[str]:
    """Yield what is inconsistent in a record."""
    if record.kind in ("features", "deconv", "guided", "occlusion") and record.image is None:
        yield f"{record.kind} are of an image, but it names none"
    for field in ("caption", "alt"):
        if not getattr(record, field).strip():
            yield f"its {field} is empty"


def read_all(folder: Path) -> list[PictureRecord]:
    """Return all records in a folder, by file name; none if the folder does not exist."""
    return [read(path) for path in run_record.files_in(folder)]
