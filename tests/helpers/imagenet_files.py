"""Fake ILSVRC-2012 files: the official tars and devkit, or the folders people extract them to, of any size.

Each class is a colour and a direction of stripes inside a box on grey noise, so that a network can learn it and a box
can be right or wrong. One training file is a PNG named .JPEG and one a CMYK JPEG, as in the real set.
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
BOXES = "ILSVRC2012_bbox_val_v3.tgz"
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Fake:
    """What was made: sorted WNIDs, and for each file its WNID, in the order of the official files.

    `boxes` are (xmin, ymin, xmax, ymax) in the validation pictures, `sizes` their (width, height).
    """

    folder: Path
    wnids: list[str]
    train: dict[str, str] = field(default_factory=dict)
    validation: dict[str, str] = field(default_factory=dict)
    boxes: dict[str, Box] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def labels(self, part: dict[str, str]) -> dict[str, int]:
        """File name to label, the position of its WNID among the sorted ones."""
        return {name: self.wnids.index(wnid) for name, wnid in part.items()}


def make(
    folder: Path,
    classes: int = 8,
    images: int = 24,
    validation: int = 4,
    short: tuple[int, int] = (160, 330),
    form: str = "tars",
    truncated: int = 0,
    blacklist: tuple[int, ...] = (),
    boxes: bool = False,
    seed: int = 0,
) -> Fake:
    """Fake files of `classes` classes, with `images` training and `validation` validation pictures each.

    Args:
        short: from where to where short sides lie, in pixels.
        form: "tars"; "folders", with val/*.JPEG flat; "sorted", with val/WNID/*.JPEG.
        truncated: so many training files of the last class, its first ones, break off in the middle.
        blacklist: numbers of validation pictures, from 1, that the devkit lists as blacklisted.
        boxes: also writes the bounding boxes of the validation pictures.
    The same pictures come in every form, given the same seed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    made = Fake(folder, [f"n{1_000_000 + 98_765 * k:08d}" for k in range(classes)])
    write = add_to_tars if form == "tars" else add_to_folders
    for wnid in made.wnids:
        members = list(training_pictures(made, wnid, images, short, random))
        if wnid == made.wnids[-1]:
            members[:truncated] = [(name, data[: len(data) // 2]) for name, data in members[:truncated]]
        write(folder, f"train/{wnid}", members)
    devkit(made, np.repeat(np.arange(classes), validation), blacklist, random)
    pictures = list(validation_pictures(made, short, random))
    if form == "sorted":
        for name, data in pictures:
            write(folder, f"val/{made.validation[name]}", [(name, data)])
    else:
        write(folder, "val", pictures)
    if form == "tars":
        pack(folder, f"{TRAIN}", [(path.name, path.read_bytes()) for path in sorted(folder.glob("n*.tar"))])
        for path in folder.glob("n*.tar"):
            path.unlink()
    if boxes:
        pack(folder, BOXES, [(f"val/{Path(name).stem}.xml", annotation(made, name)) for name in made.boxes])
    return made


def training_pictures(
    made: Fake, wnid: str, images: int, short: tuple[int, int], random: np.random.Generator
) -> Iterator[tuple[str, bytes]]:
    """(name, file) of a class; the second file of the first class is a PNG, of the second class a CMYK JPEG."""
    odd = dict(zip(made.wnids, ("PNG", "CMYK")))
    for number in range(images):
        name = f"{wnid}_{7 * number + 3}.JPEG"
        made.train[name] = wnid
        pixels, _ = picture(made, wnid, short, random)
        yield name, encoded(pixels, odd.get(wnid, "JPEG") if number == 1 else "JPEG")


def validation_pictures(made: Fake, short: tuple[int, int], random: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    for name, wnid in made.validation.items():
        pixels, made.boxes[name] = picture(made, wnid, short, random)
        made.sizes[name] = pixels.shape[1::-1]
        yield name, encoded(pixels, "JPEG")


def picture(made: Fake, wnid: str, short: tuple[int, int], random: np.random.Generator) -> tuple[np.ndarray, Box]:
    """Pixels (height, width, 3) uint8 of one picture of a class, and the box that holds the object."""
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
    return pixels, (left, top, right, bottom)


def encoded(pixels: np.ndarray, kind: str) -> bytes:
    """A file with these pixels: JPEG, PNG, or a JPEG in Adobe's inverted CMYK."""
    file, image = io.BytesIO(), Image.fromarray(pixels)
    if kind == "PNG":
        image.save(file, "PNG")
    else:
        image.convert("CMYK" if kind == "CMYK" else "RGB").save(file, "JPEG", quality=90)
    return file.getvalue()


def devkit(made: Fake, classes: np.ndarray, blacklist: tuple[int, ...], random: np.random.Generator) -> None:
    """The devkit, with the validation pictures' classes shuffled, and ids that are not in the order of WNIDs."""
    by_id = made.wnids[1::2] + made.wnids[::2]
    for number, label in enumerate(random.permutation(classes), 1):
        made.validation[f"ILSVRC2012_val_{number:08d}.JPEG"] = made.wnids[label]
    truth = "".join(f"{by_id.index(wnid) + 1}\n" for wnid in made.validation.values())
    root = "ILSVRC2012_devkit_t12"
    members = [
        (f"{root}/readme.txt", b"Fake.\n"),
        (f"{root}/data/meta.mat", meta(by_id, len(made.train) // len(by_id))),
        (f"{root}/data/ILSVRC2012_validation_ground_truth.txt", truth.encode()),
    ]
    if blacklist:
        listed = "".join(f"{number}\n" for number in blacklist)
        members.append((f"{root}/data/ILSVRC2012_validation_blacklist.txt", listed.encode()))
    pack(made.folder, DEVKIT, members)


def meta(by_id: list[str], images: int) -> bytes:
    """meta.mat as in the real devkit: an (n, 1) struct array; the synsets with children come after the leaves."""
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
    scipy.io.savemat(file, {"synsets": synsets})
    return file.getvalue()


def annotation(made: Fake, name: str) -> bytes:
    """The box of a validation picture in PASCAL VOC's layout, as the official files have it."""
    (xmin, ymin, xmax, ymax), (width, height) = made.boxes[name], made.sizes[name]
    return f"""<annotation>
	<folder>val</folder>
	<filename>{Path(name).stem}</filename>
	<source>
		<database>ILSVRC_2012</database>
	</source>
	<size>
		<width>{width}</width>
		<height>{height}</height>
		<depth>3</depth>
	</size>
	<segmented>0</segmented>
	<object>
		<name>{made.validation[name]}</name>
		<pose>Unspecified</pose>
		<truncated>0</truncated>
		<difficult>0</difficult>
		<bndbox>
			<xmin>{xmin}</xmin>
			<ymin>{ymin}</ymin>
			<xmax>{xmax}</xmax>
			<ymax>{ymax}</ymax>
		</bndbox>
	</object>
</annotation>
""".encode()


def add_to_folders(folder: Path, where: str, members: list[tuple[str, bytes]]) -> None:
    (folder / where).mkdir(parents=True, exist_ok=True)
    for name, data in members:
        (folder / where / name).write_bytes(data)


def add_to_tars(folder: Path, where: str, members: list[tuple[str, bytes]]) -> None:
    name = VALIDATION if where == "val" else f"{Path(where).name}.tar"
    pack(folder, name, members)


def pack(folder: Path, name: str, members: list[tuple[str, bytes]]) -> None:
    """A tar, gzipped where its name says so, of these members, as they are named."""
    with tarfile.open(folder / name, "w:gz" if name.endswith("gz") else "w", format=tarfile.GNU_FORMAT) as tar:
        for member, data in members:
            header = tarfile.TarInfo(member)
            header.size = len(data)
            tar.addfile(header, io.BytesIO(data))


def members_of(path: Path) -> list[tuple[str, bytes]]:
    """What `pack` would make this tar from."""
    with tarfile.open(path) as tar:
        return [(member.name, tar.extractfile(member).read()) for member in tar if member.isfile()]
