"""Synthetic ILSVRC-2012 files of any size: the official tars and devkit, or the folders they are extracted to.

Each class is a colour and a direction of stripes in a box on grey noise, so that a network can learn it. One training
file is a PNG named .JPEG and one a CMYK JPEG, as in the real set.
"""

import colorsys
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image

TRAIN, VALIDATION, DEVKIT = "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar", "ILSVRC2012_devkit_t12.tar.gz"


@dataclass(frozen=True)
class Settings:
    """Settings of synthetic files. The images are the same in every form.

    Attributes:
        classes: Number of classes.
        images: Training images of each class.
        validation: Validation images of each class.
        short: Lowest and highest shorter side in pixels.
        form: "tars"; "folders", with val/*.JPEG flat; "sorted", with val/WNID/*.JPEG.
        truncated: Number of training files of the last class, its first ones, that break off in the middle.
        blacklist: Numbers of validation images, from 1, in the devkit's blacklist.
        seed: Seed of all random numbers.
    """

    classes: int = 8
    images: int = 24
    validation: int = 4
    short: tuple[int, int] = (160, 330)
    form: str = "tars"
    truncated: int = 0
    blacklist: tuple[int, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class FakeImageNet:
    """Synthetic files.

    Attributes:
        folder: Their folder.
        wnids: Sorted WNIDs.
        train: WNIDs of the training files by name, in the order of the official files.
        validation: WNIDs of the validation files by name, likewise.
    """

    folder: Path
    wnids: list[str]
    train: dict[str, str] = field(default_factory=dict)
    validation: dict[str, str] = field(default_factory=dict)

    def labels(self, files: dict[str, str]) -> dict[str, int]:
        """Return labels by file name, the positions of their WNIDs in the sorted ones."""
        return {name: self.wnids.index(wnid) for name, wnid in files.items()}


def make(folder: Path, **settings) -> FakeImageNet:
    """Write synthetic files to a folder, by the `Settings` that are given."""
    chosen = Settings(**settings)
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(chosen.seed)
    made = FakeImageNet(folder, [f"n{1_000_000 + 98_765 * k:08d}" for k in range(chosen.classes)])
    write = add_to_tars if chosen.form == "tars" else add_to_folders
    for wnid in made.wnids:
        members = list(training_images(made, wnid, chosen, random))
        if wnid == made.wnids[-1]:
            broken = members[: chosen.truncated]
            members[: chosen.truncated] = [(name, data[: len(data) // 2]) for name, data in broken]
        write(folder, f"train/{wnid}", members)
    devkit(made, np.repeat(np.arange(chosen.classes), chosen.validation), chosen.blacklist, random)
    images = list(validation_images(made, chosen.short, random))
    if chosen.form == "sorted":
        for name, data in images:
            write(folder, f"val/{made.validation[name]}", [(name, data)])
    else:
        write(folder, "val", images)
    if chosen.form == "tars":
        pack(folder, TRAIN, [(path.name, path.read_bytes()) for path in sorted(folder.glob("n*.tar"))])
        for path in folder.glob("n*.tar"):
            path.unlink()
    return made


def training_images(
    made: FakeImageNet, wnid: str, settings: Settings, random: np.random.Generator
) -> Iterator[tuple[str, bytes]]:
    """Yield (name, file) of a class; the second file of the first class is a PNG, of the second class a CMYK JPEG."""
    kinds = dict(zip(made.wnids, ("PNG", "CMYK")))
    for number in range(settings.images):
        name = f"{wnid}_{7 * number + 3}.JPEG"
        made.train[name] = wnid
        pixels = draw(made, wnid, settings.short, random)
        yield name, encode(pixels, kinds.get(wnid, "JPEG") if number == 1 else "JPEG")


def validation_images(
    made: FakeImageNet, short: tuple[int, int], random: np.random.Generator
) -> Iterator[tuple[str, bytes]]:
    """Yield (name, file) of the validation images."""
    for name, wnid in made.validation.items():
        yield name, encode(draw(made, wnid, short, random), "JPEG")


def draw(made: FakeImageNet, wnid: str, short: tuple[int, int], random: np.random.Generator) -> np.ndarray:
    """Return an image of a class, (height, width, 3) uint8."""
    label, classes = made.wnids.index(wnid), len(made.wnids)
    side = int(random.integers(*short, endpoint=True))
    sizes = [side, int(side * random.uniform(1, 1.5))]
    height, width = sizes if random.random() < 0.5 else sizes[::-1]
    noise = random.integers(96, 160, (height // 4 + 1, width // 4 + 1, 1), dtype=np.uint8)
    pixels = noise.repeat(4, axis=0).repeat(4, axis=1)[:height, :width].repeat(3, axis=2)
    top, left = (int(size * random.uniform(0, 0.3)) for size in (height, width))
    bottom, right = (int(size * random.uniform(0.7, 1)) for size in (height, width))
    y, x = np.mgrid[top:bottom, left:right]
    angle = np.pi * label / classes
    stripes = 0.75 + 0.25 * np.sign(np.sin((x * np.cos(angle) + y * np.sin(angle)) / 5 + random.uniform(0, 6)))
    colour = 255 * np.array(colorsys.hsv_to_rgb(label / classes, 0.8, 0.9))
    own = stripes[..., np.newaxis] * colour + random.normal(0, 10, (bottom - top, right - left, 1))
    pixels[top:bottom, left:right] = np.clip(own, 0, 255)
    return pixels


def encode(pixels: np.ndarray, kind: str) -> bytes:
    """Encode pixels as a JPEG, a PNG, or a JPEG in Adobe's inverted CMYK."""
    file, image = io.BytesIO(), Image.fromarray(pixels)
    if kind == "PNG":
        image.save(file, "PNG")
    else:
        image.convert("CMYK" if kind == "CMYK" else "RGB").save(file, "JPEG", quality=90)
    return file.getvalue()


def devkit(made: FakeImageNet, classes: np.ndarray, blacklist: tuple[int, ...], random: np.random.Generator) -> None:
    """Write the devkit, with shuffled classes of the validation images and ids that are not in the order of WNIDs."""
    by_id = made.wnids[1::2] + made.wnids[::2]
    for number, label in enumerate(random.permutation(classes), 1):
        made.validation[f"ILSVRC2012_val_{number:08d}.JPEG"] = made.wnids[label]
    ground_truth = "".join(f"{by_id.index(wnid) + 1}\n" for wnid in made.validation.values())
    root = "ILSVRC2012_devkit_t12"
    members = [
        (f"{root}/readme.txt", b"Fake.\n"),
        (f"{root}/data/meta.mat", meta(by_id, len(made.train) // len(by_id))),
        (f"{root}/data/ILSVRC2012_validation_ground_truth.txt", ground_truth.encode()),
    ]
    if blacklist:
        listed = "".join(f"{number}\n" for number in blacklist)
        members.append((f"{root}/data/ILSVRC2012_validation_blacklist.txt", listed.encode()))
    pack(made.folder, DEVKIT, members)


def meta(by_id: list[str], images: int, compressed: bool = False) -> bytes:
    """Return meta.mat as in the real devkit: an (n, 1) struct array; synsets with children come after the leaves."""
    fields = (
        "ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height", "num_train_images",
    )  # fmt: skip
    leaves = len(by_id)
    rows: list[tuple] = [
        (float(i), wnid, f"thing {i}, fake {wnid}", f"made-up thing {i}", 0.0, np.zeros(0), 0.0, float(images))
        for i, wnid in enumerate(by_id, 1)
    ]
    of_all = np.arange(1.0, leaves + 1)
    rows.append((leaves + 1.0, "n00001740", "entity", "all there is", float(leaves), of_all, 1.0, 0.0))
    synsets = np.empty((len(rows), 1), dtype=[(name, object) for name in fields])
    for number, row in enumerate(rows):
        synsets[number, 0] = row
    file = io.BytesIO()
    scipy.io.savemat(file, {"synsets": synsets}, do_compression=compressed)
    return file.getvalue()


def add_to_folders(folder: Path, where: str, members: list[tuple[str, bytes]]) -> None:
    """Write files to a subfolder."""
    (folder / where).mkdir(parents=True, exist_ok=True)
    for name, data in members:
        (folder / where / name).write_bytes(data)


def add_to_tars(folder: Path, where: str, members: list[tuple[str, bytes]]) -> None:
    """Write the tar of a class, or of the validation images."""
    name = VALIDATION if where == "val" else f"{Path(where).name}.tar"
    pack(folder, name, members)


def pack(folder: Path, name: str, members: list[tuple[str, bytes]]) -> None:
    """Write a tar of (name, content) members, gzipped if its name ends in gz."""
    with tarfile.open(folder / name, "w:gz" if name.endswith("gz") else "w", format=tarfile.GNU_FORMAT) as tar:
        for member, data in members:
            header = tarfile.TarInfo(member)
            header.size = len(data)
            tar.addfile(header, io.BytesIO(data))


def members_of(path: Path) -> list[tuple[str, bytes]]:
    """Return the members that `pack` would write this tar from."""
    with tarfile.open(path) as tar:
        return [(member.name, tar.extractfile(member).read()) for member in tar if member.isfile()]
