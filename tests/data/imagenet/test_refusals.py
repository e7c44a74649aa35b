"""ImageNet's preparation and loading: what is refused, found damaged and mended, and what the command says."""

import io
import json
import re
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from reproductions.lab.data import registry, status
from reproductions.lab.data.imagenet import layout, manifest, official, sources
from reproductions.lab.data.imagenet import prepare as preparation
from reproductions.lab.errors import UsageError
from tests.helpers import imagenet_files as fake_imagenet
from tests.helpers.imagenet_files import DEVKIT, TRAIN, VALIDATION, Fake
from tests.helpers.prepared_imagenet import SHARDS, prepare

# --- What is refused


def repacked(ilsvrc: Fake, to: Path, change) -> Path:
    """A source whose training tar holds what `change` makes of each class' tar; the rest as it was."""
    to.mkdir()
    for name in (VALIDATION, DEVKIT):
        shutil.copy(ilsvrc.folder / name, to / name)
    inner = []
    for name, data in fake_imagenet.members_of(ilsvrc.folder / TRAIN):
        (to / name).write_bytes(data)
        change(to / name)
        inner.append((name, (to / name).read_bytes()))
        (to / name).unlink()
    fake_imagenet.pack(to, TRAIN, inner)
    return to


def with_member(name: str, kind: bytes = tarfile.REGTYPE, link: str = ""):
    def change(path: Path) -> None:
        with tarfile.open(path, "a") as tar:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size = kind, link, 3 if kind == tarfile.REGTYPE else 0
            tar.addfile(member, io.BytesIO(b"bad"))

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (with_member("../evil.JPEG"), r"the member \.\./evil.JPEG is refused: its path leads out of the tar"),
        (with_member("/tmp/evil.JPEG"), "the member /tmp/evil.JPEG is refused: its path is absolute"),
        (with_member("evil.JPEG", tarfile.SYMTYPE, "/etc/passwd"), "the member evil.JPEG is refused: it is a link"),
        (with_member("evil.JPEG", tarfile.LNKTYPE, "x"), "the member evil.JPEG is refused: it is a link"),
        (with_member("evil.JPEG", tarfile.FIFOTYPE), "the member evil.JPEG is refused: it is no plain file"),
    ],
)
def test_members_that_lead_elsewhere_are_refused_and_nothing_is_written_outside(ilsvrc, tmp_path, change, why):
    source = repacked(ilsvrc, tmp_path / "from", change)
    with pytest.raises(UsageError, match=why) as caught:
        prepare(source, tmp_path / "to")
    assert f"{TRAIN}: {ilsvrc.wnids[0]}.tar: " in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["from", "to"]
    assert not list(tmp_path.rglob("evil*"))


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40_000])


def spoil_header(path: Path) -> None:
    """Makes the header of the third member unreadable, which tarfile alone would take for the end."""
    with tarfile.open(path) as tar:
        start = tar.getmembers()[2].offset
    data = bytearray(path.read_bytes())
    data[start + 148 : start + 156] = b"\xff" * 8
    path.write_bytes(data)


@pytest.mark.parametrize("change", [cut_off, spoil_header])
def test_a_damaged_tar_inside_the_training_tar_is_named(ilsvrc, tmp_path, change):
    source = repacked(ilsvrc, tmp_path / "from", change)
    with pytest.raises(UsageError, match=f"{ilsvrc.wnids[0]}.tar is damaged, or was not downloaded whole"):
        prepare(source, tmp_path / "to")


@pytest.mark.parametrize("name", [TRAIN, VALIDATION])
@pytest.mark.parametrize("change", [cut_off, spoil_header])
def test_a_damaged_official_tar_is_named(ilsvrc, tmp_path, name, change):
    shutil.copytree(ilsvrc.folder, tmp_path / "from")
    change(tmp_path / "from" / name)
    with pytest.raises(UsageError, match=f"{name}.* is damaged, or was not downloaded whole"):
        prepare(tmp_path / "from", tmp_path / "to")


def test_a_damaged_devkit_is_named(ilsvrc, tmp_path):
    shutil.copytree(ilsvrc.folder, tmp_path / "from")
    (tmp_path / "from" / DEVKIT).write_bytes(b"nothing")
    with pytest.raises(UsageError, match=rf"{DEVKIT} cannot be read: .*; download it again"):
        prepare(tmp_path / "from", tmp_path / "to")


def test_more_than_a_handful_of_undecodable_pictures_is_an_error_that_names_them(tmp_path):
    most = preparation.MOST_UNDECODABLE
    made = fake_imagenet.make(tmp_path / "most", classes=2, images=most + 3, short=(40, 60), truncated=most)
    prepare(made.folder, tmp_path / "most")
    made = fake_imagenet.make(tmp_path / "more", classes=2, images=most + 3, short=(40, 60), truncated=most + 1)
    with pytest.raises(UsageError, match=rf"more than {most} pictures .* cannot be decoded: .*{made.wnids[1]}_3\.JPEG"):
        prepare(made.folder, tmp_path / "more")
    assert not (tmp_path / "more" / "imagenet-256" / manifest.NAME).exists()


@pytest.mark.parametrize("originals", [False, True])
def test_a_disk_too_small_is_refused_before_the_start_with_both_numbers(ilsvrc, tmp_path, monkeypatch, originals):
    usage, free = shutil.disk_usage(tmp_path), 1_000_000
    monkeypatch.setattr(layout.shutil, "disk_usage", lambda path: usage._replace(free=free))
    with pytest.raises(UsageError, match=r"has 0\.001 GB free, and the preparation needs about 0\.\d+ GB") as caught:
        prepare(ilsvrc.folder, tmp_path / "to", originals=originals)
    assert not list(tmp_path.rglob("*.tfrecord"))
    needed = 1e9 * float(re.search(r"about ([\d.]+) GB", str(caught.value))[1])
    free = int(0.9 * needed)
    with pytest.raises(UsageError, match="make room"):
        prepare(ilsvrc.folder, tmp_path / "to", originals=originals)
    free = int(1.1 * needed)
    folder = prepare(ilsvrc.folder, tmp_path / "to", originals=originals)
    written = sum(path.stat().st_size for path in folder.glob("*.tfrecord"))
    assert 0.8 * written < needed - layout.NOTES * (SHARDS + 2) < 1.3 * written


@pytest.mark.parametrize(
    ("missing", "why"),
    [
        (TRAIN, f"holds neither {TRAIN} nor a folder train/; register at https://image-net.org"),
        (VALIDATION, f"holds neither {VALIDATION} nor a folder val/: put it there, or say --train-only"),
        (DEVKIT, f"says nothing about classes: put {DEVKIT}"),
    ],
)
def test_a_missing_official_file_is_named(ilsvrc, tmp_path, missing, why):
    shutil.copytree(ilsvrc.folder, tmp_path / "from")
    (tmp_path / "from" / missing).unlink()
    with pytest.raises(UsageError, match=why):
        prepare(tmp_path / "from", tmp_path / "to")
    assert missing == DEVKIT or not (tmp_path / "to").exists()


def test_all_classes_with_fewer_pictures_than_imagenet_are_an_error_unless_a_subset_is_meant(
    ilsvrc, tmp_path, monkeypatch
):
    monkeypatch.setattr(official, "CLASSES", 5)
    with pytest.raises(UsageError, match=r"but has 35 train pictures, where ImageNet has 1,281,167: .* --subset"):
        prepare(ilsvrc.folder, tmp_path)
    prepare(ilsvrc.folder, tmp_path, subset=True)
    assert registry.load("imagenet", tmp_path).name == "imagenet-subset"


def test_only_the_whole_by_all_counts_is_called_imagenet(tmp_path, monkeypatch):
    made = fake_imagenet.make(tmp_path / "from", classes=3, images=4, validation=2)
    for name, value in {"CLASSES": 3, "TRAIN_IMAGES": 12, "VALIDATION_IMAGES": 6}.items():
        monkeypatch.setattr(official, name, value)
    monkeypatch.setattr(official, "VALIDATION_PER_CLASS", 2)
    with pytest.raises(UsageError, match="has 4 to 4 train pictures a class"):
        prepare(made.folder, tmp_path)
    monkeypatch.setattr(official, "TRAIN_PER_CLASS", (4, 4))
    prepare(made.folder, tmp_path)
    assert registry.load("imagenet", tmp_path).name == "imagenet"
    prepare(made.folder, tmp_path, originals=True)
    assert registry.load("imagenet-originals", tmp_path).name == "imagenet-originals"


def test_pictures_that_vanish_between_source_and_shards_are_an_error():
    part = {"per_class": [2, 2]}
    preparation.check_counts(part, np.array([0, 0, 1]), undecodable=1)
    with pytest.raises(AssertionError, match="1 pictures are missing, 0 of them undecodable"):
        preparation.check_counts(part, np.array([0, 0, 1]), undecodable=0)


def test_pictures_that_are_there_twice_are_refused():
    twice = [("a.JPEG", 0, 1), ("b.JPEG", 1, 1), ("x/a.JPEG", 2, 1)]
    with pytest.raises(UsageError, match=r"a\.JPEG is there twice"):
        sources.listing({"n00000001": twice}, ["n00000001"])


def test_what_is_left_out_is_said(tmp_path, capsys):
    made = fake_imagenet.make(tmp_path / "from", classes=3, images=2, form="folders")
    (made.folder / "train" / made.wnids[0] / "notes.txt").write_text("no picture")
    (made.folder / "train" / "n0123").mkdir()
    shutil.rmtree(made.folder / "train" / made.wnids[2])
    prepare(made.folder, tmp_path)
    output = capsys.readouterr().out
    assert "train: 2 files left out, no pictures or of other classes, such as n0123, notes.txt" in output
    assert "validation: 4 files left out, no pictures or of other classes, such as ILSVRC2012_val_" in output
    assert registry.load("imagenet", tmp_path).sizes() == {"train": 2, "validation": 2, "test": 8}


# --- Afterwards


def test_a_damaged_shard_is_found_by_verify_and_by_the_read_that_meets_it(ilsvrc, own_imagenet):
    assert status.verify(own_imagenet.parent) == []
    train = registry.load("imagenet", own_imagenet.parent).train
    victim = own_imagenet / train.files.names[int(train.shard[0])]
    data = bytearray(victim.read_bytes())
    data[int(train.offset[0]) + int(train.length[0]) // 2] ^= 1
    victim.write_bytes(data)
    wrong = status.verify(own_imagenet)
    assert wrong[0] == f"{victim} is damaged: its checksum is not the manifest's" and len(wrong) == 2
    part = registry.load("imagenet", own_imagenet.parent).train
    with pytest.raises(UsageError, match=rf"{victim.name} is damaged at byte .*checksum.*reproduce data verify"):
        part.read(0)
    for i in range(1, len(part.labels)):
        part.read(i)


def test_a_manifest_that_is_damaged_or_of_the_future_is_named(own_imagenet):
    path = own_imagenet / manifest.NAME
    whole = json.loads(path.read_text())
    for text, why in (("{", "cannot be read"), (json.dumps({**whole, "format": 9}), "is of format 9")):
        path.write_text(text)
        with pytest.raises(UsageError, match=f"{manifest.NAME} {why}"):
            registry.load("imagenet", own_imagenet.parent)


def test_the_checksum_is_of_the_shards(prepared_imagenet, own_imagenet):
    first = registry.load("imagenet", prepared_imagenet).sha256
    assert registry.load("imagenet", own_imagenet.parent).sha256 == first
    whole = json.loads((own_imagenet / manifest.NAME).read_text())
    whole["parts"]["train"]["shards"][0]["sha256"] = "0" * 64
    (own_imagenet / manifest.NAME).write_text(json.dumps(whole))
    assert registry.load("imagenet", own_imagenet.parent).sha256 != first


@pytest.mark.parametrize("name", ["imagenet", "imagenet-originals"])
def test_missing_data_say_where_was_looked_what_to_download_and_what_to_run(name, tmp_path, monkeypatch):
    monkeypatch.delenv("REPRODUCTIONS_DATA", raising=False)
    options = " --keep-originals" if name == "imagenet-originals" else ""
    with pytest.raises(UsageError) as caught:
        registry.load(name, tmp_path)
    told = str(caught.value)
    assert f"there is no {manifest.FOLDERS[name]}/ in {tmp_path}" in told
    assert all(word in told for word in ("image-net.org", TRAIN, VALIDATION, DEVKIT))
    assert told.endswith(f"`reproduce data prepare imagenet --from THAT_FOLDER --to {tmp_path}{options}`")
    with pytest.raises(UsageError, match="neither --data-dir nor REPRODUCTIONS_DATA is set"):
        registry.load(name)


def test_what_is_unfinished_is_said_to_be(ilsvrc, tmp_path):
    (tmp_path / "imagenet-256").mkdir()
    with pytest.raises(UsageError, match="imagenet-256 is unfinished: run the same"):
        registry.load("imagenet", tmp_path)
    assert "unfinished" in status.status(tmp_path)


# --- The command


def test_status_tells_what_is_there_and_what_is_missing_without_tensorflow(reproduce, prepared_imagenet, ilsvrc):
    block = "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None"
    done = reproduce("data", "status", "--data-dir", prepared_imagenet, before=block)
    assert done.returncode == 0, done.stderr
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert lines["imagenet"].startswith(
        f"there: {prepared_imagenet / 'imagenet-256'}, imagenet-subset of 5 classes, 34 train"
    )
    assert lines["imagenet-originals"].startswith("missing: register at https://image-net.org")
    assert lines["cifar10"].startswith("missing: Keras will download it")
    assert lines["mnist"].startswith("missing: Keras will download it")
    there = reproduce("data", "status", "--data-dir", ilsvrc.folder, before=block).stdout
    assert (
        f"the official files are in {ilsvrc.folder}: run `reproduce data prepare imagenet --from {ilsvrc.folder}"
        in there
    )


def test_the_command_prepares_and_verifies_without_tensorflow(reproduce, ilsvrc, tmp_path):
    block = "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None"
    to = tmp_path / "to"
    words = "data", "prepare", "imagenet", "--from", ilsvrc.folder, "--to", to, "--workers", "1"
    done = reproduce(*words, before=block)
    assert done.returncode == 0, done.stderr
    assert "train: 35 pictures of 5 classes" in done.stdout and f"prepared: {to / 'imagenet-256'}" in done.stdout
    assert f"{ilsvrc.wnids[-1]}_3.JPEG cannot be decoded, and is left out" in done.stdout
    done = reproduce("data", "verify", to, before=block)
    assert (done.returncode, done.stdout) == (0, "every file is as it was written\n")
    (to / "imagenet-256" / "statistics.npz").unlink()
    done = reproduce("data", "verify", to)
    assert done.returncode == 1 and "statistics.npz is missing" in done.stdout
    done = reproduce("data", "verify", ilsvrc.folder)
    assert done.returncode == 2 and "holds no prepared data" in done.stderr
    done = reproduce("data", "prepare", "imagenet", "--from", tmp_path / "nowhere", "--to", to)
    assert done.returncode == 2 and "nowhere, which is no folder" in done.stderr
