"""ImageNet's preparation and loading: damaged or incomplete sources, damaged shards, and the commands."""

import io
import re
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from reproductions.lab.data import registry
from reproductions.lab.data.imagenet import checks, manifest, official, sources
from reproductions.lab.data.imagenet import prepare as preparation
from reproductions.lab.data.imagenet.layout import SplitLayout
from reproductions.lab.errors import UsageError
from tests.helpers import imagenet_files
from tests.helpers.imagenet_files import DEVKIT, TRAIN, VALIDATION, FakeImageNet
from tests.helpers.prepared_imagenet import SHARDS, prepare

# --- Damaged and incomplete sources


def repack(ilsvrc: FakeImageNet, to: Path, change) -> Path:
    """Return a copy of the source in which `change` was applied to the tar of each class."""
    to.mkdir()
    for name in (VALIDATION, DEVKIT):
        shutil.copy(ilsvrc.folder / name, to / name)
    inner = []
    for name, data in imagenet_files.members_of(ilsvrc.folder / TRAIN):
        (to / name).write_bytes(data)
        change(to / name)
        inner.append((name, (to / name).read_bytes()))
        (to / name).unlink()
    imagenet_files.pack(to, TRAIN, inner)
    return to


def with_member(name: str, kind: bytes = tarfile.REGTYPE, link: str = ""):
    def change(path: Path) -> None:
        with tarfile.open(path, "a") as tar:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size = kind, link, 3 if kind == tarfile.REGTYPE else 0
            tar.addfile(member, io.BytesIO(b"bad"))

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_member("../evil.JPEG"), r"the member \.\./evil.JPEG is refused because its path leads out of the tar"),
        (with_member("/tmp/evil.JPEG"), "the member /tmp/evil.JPEG is refused because its path is absolute"),
        (
            with_member("evil.JPEG", tarfile.SYMTYPE, "/etc/passwd"),
            "the member evil.JPEG is refused because it is a link",
        ),
        (with_member("evil.JPEG", tarfile.LNKTYPE, "x"), "the member evil.JPEG is refused because it is a link"),
        (
            with_member("evil.JPEG", tarfile.FIFOTYPE),
            "the member evil.JPEG is refused because it is not a regular file",
        ),
    ],
)
def test_members_that_lead_elsewhere_are_refused(ilsvrc, tmp_path, change, message):
    """Nothing is written outside."""
    source = repack(ilsvrc, tmp_path / "from", change)
    with pytest.raises(UsageError, match=message) as caught:
        prepare(source, tmp_path / "to")
    assert f"{TRAIN}: {ilsvrc.wnids[0]}.tar: " in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["from", "to"]
    assert not list(tmp_path.rglob("evil*"))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40_000])


def damage_header(path: Path) -> None:
    """Damage the header of the third member, which tarfile alone would take for the end."""
    with tarfile.open(path) as tar:
        start = tar.getmembers()[2].offset
    data = bytearray(path.read_bytes())
    data[start + 148 : start + 156] = b"\xff" * 8
    path.write_bytes(data)


@pytest.mark.parametrize("change", [truncate, damage_header])
def test_a_damaged_inner_tar_is_named(ilsvrc, tmp_path, change):
    source = repack(ilsvrc, tmp_path / "from", change)
    with pytest.raises(UsageError, match=f"{ilsvrc.wnids[0]}.tar is damaged or incomplete"):
        prepare(source, tmp_path / "to")


@pytest.mark.parametrize("name", [TRAIN, VALIDATION])
@pytest.mark.parametrize("change", [truncate, damage_header])
def test_a_damaged_official_tar_is_named(ilsvrc, tmp_path, name, change):
    shutil.copytree(ilsvrc.folder, tmp_path / "from")
    change(tmp_path / "from" / name)
    with pytest.raises(UsageError, match=f"{name}.* is damaged or incomplete"):
        prepare(tmp_path / "from", tmp_path / "to")


def test_a_damaged_devkit_is_named(ilsvrc, tmp_path):
    shutil.copytree(ilsvrc.folder, tmp_path / "from")
    (tmp_path / "from" / DEVKIT).write_bytes(b"nothing")
    with pytest.raises(UsageError, match=rf"{DEVKIT} cannot be read: .*; download it again"):
        prepare(tmp_path / "from", tmp_path / "to")


def test_too_many_undecodable_images_are_an_error(tmp_path):
    """The error names them."""
    most = preparation.MOST_UNDECODABLE
    made = imagenet_files.make(tmp_path / "most", classes=2, images=most + 3, short=(40, 60), truncated=most)
    prepare(made.folder, tmp_path / "most")
    made = imagenet_files.make(tmp_path / "more", classes=2, images=most + 3, short=(40, 60), truncated=most + 1)
    with pytest.raises(UsageError, match=rf"more than {most} images .* cannot be decoded: .*{made.wnids[1]}_3\.JPEG"):
        prepare(made.folder, tmp_path / "more")
    assert not (tmp_path / "more" / "imagenet-256" / manifest.NAME).exists()


@pytest.mark.parametrize("originals", [False, True])
def test_too_small_a_disk_is_refused_at_the_start(ilsvrc, tmp_path, monkeypatch, originals):
    """The error gives free and needed space."""
    usage, free = shutil.disk_usage(tmp_path), 1_000_000
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: usage._replace(free=free))
    with pytest.raises(
        UsageError, match=r"has 0\.001 GB of free space, but the preparation needs about 0\.\d+ GB"
    ) as caught:
        prepare(ilsvrc.folder, tmp_path / "to", originals=originals)
    assert not list(tmp_path.rglob("*.tfrecord"))
    needed = 1e9 * float(re.search(r"about ([\d.]+) GB", str(caught.value))[1])
    free = int(0.9 * needed)
    with pytest.raises(UsageError, match="free some space"):
        prepare(ilsvrc.folder, tmp_path / "to", originals=originals)
    free = int(1.1 * needed)
    folder = prepare(ilsvrc.folder, tmp_path / "to", originals=originals)
    written = sum(path.stat().st_size for path in folder.glob("*.tfrecord"))
    assert 0.8 * written < needed - checks.NOTES_BYTES * (SHARDS + 2) < 1.3 * written


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (TRAIN, f"has neither {TRAIN} nor a folder train/; register at https://image-net.org"),
        (VALIDATION, f"has neither {VALIDATION} nor a folder val/: put it there, or use --train-only"),
        (DEVKIT, f"does not give the classes of its images: put {DEVKIT}"),
    ],
)
def test_a_missing_official_file_is_named(ilsvrc, tmp_path, missing, message):
    shutil.copytree(ilsvrc.folder, tmp_path / "from")
    (tmp_path / "from" / missing).unlink()
    with pytest.raises(UsageError, match=message):
        prepare(tmp_path / "from", tmp_path / "to")
    assert missing == DEVKIT or not (tmp_path / "to").exists()


def test_missing_images_are_an_error_without_subset(ilsvrc, tmp_path, monkeypatch):
    monkeypatch.setattr(official, "CLASSES", 5)
    with pytest.raises(UsageError, match=r"but has 35 train images instead of 1,281,167: .* --subset"):
        prepare(ilsvrc.folder, tmp_path)
    prepare(ilsvrc.folder, tmp_path, subset=True)
    assert registry.load("imagenet", tmp_path).name == "imagenet-subset"


def test_only_complete_data_are_called_imagenet(tmp_path, monkeypatch):
    made = imagenet_files.make(tmp_path / "from", classes=3, images=4, validation=2)
    for name, value in {"CLASSES": 3, "TRAIN_IMAGES": 12, "VALIDATION_IMAGES": 6}.items():
        monkeypatch.setattr(official, name, value)
    monkeypatch.setattr(official, "VALIDATION_PER_CLASS", 2)
    with pytest.raises(UsageError, match="has 4 to 4 train images per class instead of 732 to 1300"):
        prepare(made.folder, tmp_path)
    monkeypatch.setattr(official, "TRAIN_PER_CLASS", (4, 4))
    prepare(made.folder, tmp_path)
    assert registry.load("imagenet", tmp_path).name == "imagenet"
    prepare(made.folder, tmp_path, originals=True)
    assert registry.load("imagenet-originals", tmp_path).name == "imagenet-originals"


def test_images_lost_between_source_and_shards_are_an_error():
    split = SplitLayout(4, 0, [2, 2], "", {"files": 0, "examples": []}, 1)
    preparation.check_counts(split, np.array([0, 0, 1]), undecodable=1)
    with pytest.raises(AssertionError, match="1 images are missing, 0 of them undecodable"):
        preparation.check_counts(split, np.array([0, 0, 1]), undecodable=0)


def test_duplicate_images_are_refused():
    twice = [("a.JPEG", 0, 1), ("b.JPEG", 1, 1), ("x/a.JPEG", 2, 1)]
    with pytest.raises(UsageError, match=r"a\.JPEG occurs twice"):
        sources.make_listing({"n00000001": twice}, ["n00000001"])


def test_ignored_files_are_reported(tmp_path, capsys):
    made = imagenet_files.make(tmp_path / "from", classes=3, images=2, form="folders")
    (made.folder / "train" / made.wnids[0] / "notes.txt").write_text("not an image", encoding="utf-8")
    (made.folder / "train" / "n0123").mkdir()
    shutil.rmtree(made.folder / "train" / made.wnids[2])
    prepare(made.folder, tmp_path)
    output = capsys.readouterr().out
    assert "train: 2 files ignored, not images, of other classes or broken links: n0123, notes.txt" in output
    assert "validation: 4 files ignored, not images, of other classes or broken links: ILSVRC2012_val_" in output
    assert registry.load("imagenet", tmp_path).sizes() == {"train": 2, "validation": 2, "test": 8}
