"""ImageNet prepared from fake official files: what is kept, what is refused, and what a killed preparation leaves."""

import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reproductions.lab import datasets, status
from reproductions.lab.errors import UsageError
from reproductions.lab.imagenet import manifest, official, pictures, plan, records, sources, tfrecords
from reproductions.lab.imagenet import prepare as preparation
from reproductions.lab.imagenet.plan import Options
from tests import fake_imagenet
from tests.fake_imagenet import DEVKIT, TRAIN, VALIDATION, Fake

REAL = os.environ.get("REPRODUCTIONS_DATA")
ROOT = Path(__file__).parent.parent
SHARDS = 4


def prepare(source: Path, to: Path, **options) -> Path:
    return preparation.prepare(Options(source, to, **{"shards": SHARDS, **options}))


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def rows(source: Path) -> dict[str, bytes]:
    """Name to file, of all training pictures in a fake training tar."""
    with tarfile.open(source / TRAIN) as tar:
        inner = [tar.extractfile(member).read() for member in tar]
    found = {}
    for data in inner:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            found |= {member.name: tar.extractfile(member).read() for member in tar}
    return found


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.float64)


@pytest.fixture(scope="module")
def fake(tmp_path_factory) -> Fake:
    """Five classes of seven pictures, one of them broken off. Not to be written to."""
    return fake_imagenet.make(
        tmp_path_factory.mktemp("official"), classes=5, images=7, validation=3, truncated=1, blacklist=(2, 5)
    )


@pytest.fixture(scope="module")
def prepared(fake, tmp_path_factory) -> Path:
    """The folder that holds `imagenet-256`. Not to be written to."""
    return prepare(fake.folder, tmp_path_factory.mktemp("prepared")).parent


@pytest.fixture
def copy(prepared, tmp_path) -> Path:
    """A copy of the prepared folder, to spoil."""
    shutil.copytree(prepared / "imagenet-256", tmp_path / "imagenet-256")
    return tmp_path / "imagenet-256"


# --- What is kept


def test_every_picture_is_there_under_its_own_label_and_none_twice(fake, prepared):
    data = datasets.load("imagenet", prepared)
    train = data.training(("train", "validation"))
    broken = f"{fake.wnids[-1]}_3.JPEG"
    wanted = {name: label for name, label in fake.labels(fake.train).items() if name != broken}
    assert dict(zip((n.decode() for n in train.filenames), train.labels)) == wanted
    assert len(train.labels) == len(wanted) and train.labels.dtype == np.int32
    names = [name.decode() for name in data.test.filenames]
    assert names == list(fake.validation), "in the order of their numbers"
    assert dict(zip(names, data.test.labels)) == fake.labels(fake.validation)
    assert data.name == "imagenet-subset"


def test_labels_of_validation_pictures_go_through_the_devkit_not_through_the_order_of_ids(fake, prepared):
    truth = dict(fake_imagenet.members_of(fake.folder / DEVKIT))
    ids = truth["ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt"].split()
    labels = datasets.load("imagenet", prepared).test.labels
    assert [int(i) - 1 for i in ids] != labels.tolist()


def test_short_sides_are_256_or_what_they_were_and_small_jpegs_are_not_recompressed(fake, prepared):
    data, original = datasets.load("imagenet", prepared), rows(fake.folder)
    train, kept = data.training(("train", "validation")), 0
    for i, name in enumerate(train.filenames):
        before, after = original[name.decode()], train.read(i)
        old, new = Image.open(io.BytesIO(before)), Image.open(io.BytesIO(after))
        assert new.format == "JPEG" and new.mode == "RGB"
        if min(old.size) > 256:
            assert min(new.size) == 256
            assert max(new.size) == round(256 * max(old.size) / min(old.size))
        else:
            assert new.size == old.size
            kept += before == after
    assert kept > 5


def test_originals_are_kept_byte_for_byte_but_for_png_and_cmyk(fake, prepared, tmp_path):
    prepare(fake.folder, tmp_path, originals=True)
    data, original = datasets.load("imagenet-originals", tmp_path), rows(fake.folder)
    assert data.name == "imagenet-originals-subset"
    train = data.training(("train", "validation"))
    changed = {n.decode() for i, n in enumerate(train.filenames) if train.read(i) != original[n.decode()]}
    done = manifest.read(tmp_path / "imagenet-originals")
    assert changed == {name for name, _ in done["parts"]["train"]["converted"]}
    assert changed == {f"{fake.wnids[0]}_10.JPEG", f"{fake.wnids[1]}_10.JPEG"}
    for one, other in zip(data.statistics, datasets.load("imagenet", prepared).statistics):
        np.testing.assert_array_equal(one, other, "statistics are those of the originals either way")


def test_the_png_and_the_cmyk_file_keep_their_colours(fake, prepared):
    train = datasets.load("imagenet", prepared).training(("train", "validation"))
    plain = fake_imagenet.make(prepared.parent / "plain", classes=5, images=7, form="folders", truncated=0)
    for wnid in fake.wnids[:2]:
        name = f"{wnid}_10.JPEG"
        stored = pixels(train.read(train.filenames.tolist().index(name.encode())))
        with Image.open(plain.folder / "train" / wnid / name) as image:
            shown = image.convert("RGB").resize(stored.shape[1::-1], Image.Resampling.BICUBIC)
        assert abs(stored - np.asarray(shown, np.float64)).mean() < 3


@pytest.mark.parametrize("adobe", [True, False])
def test_cmyk_of_either_kind_gets_the_colours_that_tensorflow_sees(adobe):
    import tensorflow as tf

    ink = np.zeros((64, 64, 4), np.uint8)
    ink[:, :32, 0], ink[:, 32:, 1], ink[32:, :, 3] = 200, 150, 100
    file = io.BytesIO()
    Image.fromarray(ink, "CMYK").save(file, "JPEG", quality=100)
    data = file.getvalue()
    if not adobe:
        start = data.index(b"\xff\xee")
        data = data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], "big") :]
    kept = pictures.prepared(data)
    assert kept.converted == "CMYK JPEG"
    seen = tf.io.decode_jpeg(data, channels=3).numpy().astype(float)
    assert abs(pixels(kept.encoded) - seen).mean() < 2
    if adobe:
        np.testing.assert_allclose(seen[8, 8], [55, 255, 255], atol=3)
        np.testing.assert_allclose(seen[56, 56], [155, 64, 155], atol=3)


def test_shards_are_what_tensorflow_reads(prepared):
    import tensorflow as tf

    features = {name: tf.io.FixedLenFeature((), kind) for name, kind in {
        "image/encoded": tf.string, "image/filename": tf.string, "image/class/synset": tf.string,
        "image/class/label": tf.int64, "image/height": tf.int64, "image/width": tf.int64,
    }.items()}  # fmt: skip
    folder = prepared / "imagenet-256"
    done = manifest.read(folder)
    seen = 0
    for example in tf.data.TFRecordDataset([str(p) for p in sorted(folder.glob("train-*.tfrecord"))]):
        found = tf.io.parse_single_example(example, features)
        name, synset = found["image/filename"].numpy().decode(), found["image/class/synset"].numpy().decode()
        assert name.startswith(synset) and done["classes"][found["image/class/label"]]["wnid"] == synset
        size = found["image/height"], found["image/width"], 3
        assert tf.io.decode_jpeg(found["image/encoded"], channels=3).shape == size
        assert tfrecords.serialized({"a": 1, "b": b"x"}) == tfrecords.serialized({"b": b"x", "a": 1})
        seen += 1
    assert seen == sum(shard["records"] for shard in done["parts"]["train"]["shards"]) == 34


def test_shards_mix_classes(prepared):
    data = datasets.load("imagenet", prepared)
    train = data.training(("train", "validation"))
    for shard in np.unique(train.shard):
        assert len(set(train.labels[train.shard == shard])) > 1


def test_statistics_are_those_of_the_central_squares_at_a_short_side_of_256(fake, prepared):
    squares = []
    for name, data in rows(fake.folder).items():
        if name == f"{fake.wnids[-1]}_3.JPEG":
            continue
        image = Image.open(io.BytesIO(data)).convert("RGB")
        width, height = (round(256 * side / min(image.size)) for side in image.size)
        left, top = (width - 256) // 2, (height - 256) // 2
        whole = image.resize((width, height), Image.Resampling.BICUBIC)
        squares.append(np.asarray(whole.crop((left, top, left + 256, top + 256)), np.float64))
    found = datasets.load("imagenet", prepared).statistics
    # The colours of the CMYK file are converted by our rule; here by Pillow's, which is the same for Adobe's.
    np.testing.assert_allclose(found.mean_image, np.mean(squares, axis=0), atol=0.5)
    colours = np.reshape(squares, (-1, 3))
    np.testing.assert_allclose(found.mean_colour, colours.mean(axis=0), rtol=1e-4)
    covariance = np.cov(colours.T, bias=True)
    rebuilt = found.eigenvectors @ np.diag(found.eigenvalues) @ found.eigenvectors.T
    np.testing.assert_allclose(rebuilt, covariance, rtol=1e-3)
    assert (np.diff(found.eigenvalues) < 0).all()
    assert found.mean_image.dtype == np.float32 and found.mean_image.shape == (256, 256, 3)


def test_the_manifest_says_what_was_converted_left_out_and_blacklisted(fake, prepared, capsys):
    done = manifest.read(prepared / "imagenet-256")
    part = done["parts"]["train"]
    assert [name for name, _ in part["undecodable"]] == [f"{fake.wnids[-1]}_3.JPEG"]
    assert dict(part["converted"]) == {
        f"{fake.wnids[0]}_10.JPEG": "PNG RGB", f"{fake.wnids[1]}_10.JPEG": "CMYK JPEG"
    }  # fmt: skip
    assert [one["wnid"] for one in done["classes"]] == fake.wnids
    assert all(one["wnid"] in one["words"] for one in done["classes"])
    assert part["per_class"] == [7] * 5 and part["images"] == 35
    assert done["blacklisted"] == ["ILSVRC2012_val_00000002.JPEG", "ILSVRC2012_val_00000005.JPEG"]
    assert np.flatnonzero(datasets.load("imagenet", prepared).test.blacklisted).tolist() == [1, 4]


def test_a_blacklist_of_ones_own_comes_before_the_devkits(fake, tmp_path):
    (tmp_path / "list.txt").write_text("3\n")
    prepare(fake.folder, tmp_path / "to", blacklist=tmp_path / "list.txt")
    assert np.flatnonzero(datasets.load("imagenet", tmp_path / "to").test.blacklisted).tolist() == [2]


# --- The parts


def test_one_in_a_hundred_of_each_class_is_held_out_whatever_the_shards(fake, prepared, tmp_path):
    data = datasets.load("imagenet", prepared)
    assert np.bincount(data.validation.labels).tolist() == [1] * 5
    for label, name in zip(data.validation.labels, data.validation.filenames):
        own = [n for n, other in zip(data.train.filenames, data.train.labels) if other == label]
        assert all(hashlib.sha256(name).digest() < hashlib.sha256(n).digest() for n in own)
    prepare(fake.folder, tmp_path, shards=1)
    again = datasets.load("imagenet", tmp_path)
    assert again.validation.filenames.tolist() == data.validation.filenames.tolist()
    assert again.train.filenames.tolist() == data.train.filenames.tolist()


def test_as_many_are_held_out_as_the_rule_says_but_never_the_only_one():
    labels = np.repeat([0, 1, 2, 3], [1, 2, 732, 1300])
    names = np.array([f"{i}.JPEG" for i in range(len(labels))], dtype="S")
    assert np.bincount(labels[records.held_out(labels, names)], minlength=4).tolist() == [0, 1, 7, 13]


def test_threads_and_forks_read_the_same_pictures(prepared):
    part = datasets.load("imagenet", prepared).train
    wanted = [part.read(i) for i in range(len(part.labels))]
    part = datasets.load("imagenet", prepared).train
    found: list[list[bytes]] = []

    def read_all() -> None:
        found.append([part.read(i) for i in range(len(wanted))])

    threads = [threading.Thread(target=read_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 4
    child = os.fork()
    if child == 0:
        os._exit(0 if [part.read(i) for i in range(len(wanted))] == wanted else 1)
    assert [part.read(i) for i in range(len(wanted))] == wanted
    assert os.waitpid(child, 0)[1] == 0


# --- The same whatever the way


def test_any_number_of_workers_writes_the_same_bytes(fake, prepared, tmp_path):
    assert digests(prepare(fake.folder, tmp_path, workers=3)) == digests(prepared / "imagenet-256")


@pytest.mark.parametrize("form", ["folders", "sorted"])
def test_extracted_folders_give_the_same_bytes_as_tars(form, prepared, tmp_path):
    made = fake_imagenet.make(
        tmp_path / "from", classes=5, images=7, validation=3, truncated=1, blacklist=(2, 5), form=form
    )
    assert digests(prepare(made.folder, tmp_path)) == digests(prepared / "imagenet-256")


def test_sorted_folders_need_no_devkit_but_must_agree_with_one(tmp_path):
    made = fake_imagenet.make(tmp_path / "from", classes=3, images=2, validation=2, form="sorted")
    (made.folder / DEVKIT).rename(tmp_path / DEVKIT)
    prepare(made.folder, tmp_path / "to")
    test = datasets.load("imagenet", tmp_path / "to").test
    assert dict(zip((n.decode() for n in test.filenames), test.labels)) == made.labels(made.validation)
    assert test.blacklisted is None
    (tmp_path / DEVKIT).rename(made.folder / DEVKIT)
    name, wnid = next(iter(made.validation.items()))
    other = next(one for one in made.wnids if one != wnid)
    (made.folder / "val" / wnid / name).rename(made.folder / "val" / other / name)
    with pytest.raises(UsageError, match=f"{name} is of {wnid}, says the devkit"):
        prepare(made.folder, tmp_path / "again")


def kill_when(reached, process: subprocess.Popen) -> None:
    """SIGKILL as soon as `reached()`; fails where the process ends before."""
    deadline = time.monotonic() + 60
    while not reached():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.002)
    process.kill()
    process.wait()


def start(source: Path, to: Path, workers: int) -> subprocess.Popen:
    words = "data", "prepare", "imagenet", "--from", source, "--to", to, "--shards", SHARDS, "--workers", workers
    return subprocess.Popen(
        [sys.executable, "-m", "reproductions", *map(str, words)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def running(to: Path) -> list[str]:
    """Command lines of processes that have files below a folder open."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            links = [os.readlink(file) for file in (process / "fd").iterdir()]
        except OSError:
            continue
        if any(link.startswith(str(to)) for link in links):
            found.append((process / "cmdline").read_text())
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_preparation_goes_on_and_writes_the_same_bytes(fake, prepared, tmp_path, workers):
    folder = tmp_path / "imagenet-256"
    process = start(fake.folder, tmp_path, workers)
    kill_when(lambda: len(list(folder.glob("train-*.tfrecord"))) >= 1, process)
    assert not (folder / manifest.NAME).exists()
    deadline = time.monotonic() + 20
    while running(tmp_path):
        assert time.monotonic() < deadline, "workers go when their parent is gone"
        time.sleep(0.05)
    written = {path: path.stat().st_mtime_ns for path in folder.glob("[!.]*.tfrecord")}
    (folder / ".unfinished-1-train-00000.tfrecord").write_bytes(b"half")
    assert digests(prepare(fake.folder, tmp_path)) == digests(prepared / "imagenet-256")
    assert all(path.stat().st_mtime_ns == then for path, then in written.items()), "what was finished is not made again"


def test_control_c_stops_at_once_and_says_how_to_go_on(fake, tmp_path):
    process = start(fake.folder, tmp_path, 2)
    while not list(tmp_path.glob("imagenet-256/.unfinished-*")) and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "the same command goes on where it stopped" in errors and "Traceback" not in errors
    assert not running(tmp_path)


def test_what_is_prepared_is_left_alone(fake, copy, capsys):
    before = digests(copy)
    prepare(fake.folder, copy.parent)
    assert "is prepared already" in capsys.readouterr().out
    assert digests(copy) == before


def test_two_processes_do_not_prepare_one_folder(fake, tmp_path):
    (tmp_path / "imagenet-256" / "work").mkdir(parents=True)
    with (
        preparation.locked(tmp_path / "imagenet-256" / "work" / "lock"),
        pytest.raises(UsageError, match=r"another process is preparing .*imagenet-256: wait"),
    ):
        prepare(fake.folder, tmp_path)


# --- What is refused


def repacked(fake: Fake, to: Path, change) -> Path:
    """A source whose training tar holds what `change` makes of each class' tar; the rest as it was."""
    to.mkdir()
    for name in (VALIDATION, DEVKIT):
        shutil.copy(fake.folder / name, to / name)
    inner = []
    for name, data in fake_imagenet.members_of(fake.folder / TRAIN):
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
def test_members_that_lead_elsewhere_are_refused_and_nothing_is_written_outside(fake, tmp_path, change, why):
    source = repacked(fake, tmp_path / "from", change)
    with pytest.raises(UsageError, match=why) as caught:
        prepare(source, tmp_path / "to")
    assert f"{TRAIN}: {fake.wnids[0]}.tar: " in str(caught.value)
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
def test_a_damaged_tar_inside_the_training_tar_is_named(fake, tmp_path, change):
    source = repacked(fake, tmp_path / "from", change)
    with pytest.raises(UsageError, match=f"{fake.wnids[0]}.tar is damaged, or was not downloaded whole"):
        prepare(source, tmp_path / "to")


@pytest.mark.parametrize("name", [TRAIN, VALIDATION])
@pytest.mark.parametrize("change", [cut_off, spoil_header])
def test_a_damaged_official_tar_is_named(fake, tmp_path, name, change):
    shutil.copytree(fake.folder, tmp_path / "from")
    change(tmp_path / "from" / name)
    with pytest.raises(UsageError, match=f"{name}.* is damaged, or was not downloaded whole"):
        prepare(tmp_path / "from", tmp_path / "to")


def test_a_damaged_devkit_is_named(fake, tmp_path):
    shutil.copytree(fake.folder, tmp_path / "from")
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


def test_a_disk_too_small_is_refused_before_the_start_with_both_numbers(fake, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    needed = sum(p.stat().st_size for p in fake.folder.glob("*.tar"))
    monkeypatch.setattr(plan.shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))
    with pytest.raises(UsageError, match=r"has 0\.001 GB free, and the preparation needs about (0\.\d+) GB") as caught:
        prepare(fake.folder, tmp_path, originals=True)
    asked = 1e9 * float(re.search(r"about ([\d.]+) GB", str(caught.value))[1])
    assert 0.7 * needed < asked - plan.NOTES * (SHARDS + 2) < 1.3 * needed
    assert not list(tmp_path.rglob("*.tfrecord"))


@pytest.mark.parametrize(
    ("missing", "why"),
    [
        (TRAIN, f"holds neither {TRAIN} nor a folder train/; register at https://image-net.org"),
        (VALIDATION, f"holds neither {VALIDATION} nor a folder val/: put it there, or say --train-only"),
        (DEVKIT, f"says nothing about classes: put {DEVKIT}"),
    ],
)
def test_a_missing_official_file_is_named(fake, tmp_path, missing, why):
    shutil.copytree(fake.folder, tmp_path / "from")
    (tmp_path / "from" / missing).unlink()
    with pytest.raises(UsageError, match=why):
        prepare(tmp_path / "from", tmp_path / "to")


def test_all_classes_with_fewer_pictures_than_imagenet_are_an_error_unless_a_subset_is_meant(
    fake, tmp_path, monkeypatch
):
    monkeypatch.setattr(official, "CLASSES", 5)
    with pytest.raises(UsageError, match=r"but has 35 train pictures, where ImageNet has 1,281,167: .* --subset"):
        prepare(fake.folder, tmp_path)
    prepare(fake.folder, tmp_path, subset=True)
    assert datasets.load("imagenet", tmp_path).name == "imagenet-subset"


def test_only_the_whole_by_all_counts_is_called_imagenet(tmp_path, monkeypatch):
    made = fake_imagenet.make(tmp_path / "from", classes=3, images=4, validation=2)
    for name, value in {"CLASSES": 3, "TRAIN_IMAGES": 12, "VALIDATION_IMAGES": 6}.items():
        monkeypatch.setattr(official, name, value)
    monkeypatch.setattr(official, "VALIDATION_PER_CLASS", 2)
    with pytest.raises(UsageError, match="has 4 to 4 train pictures a class"):
        prepare(made.folder, tmp_path)
    monkeypatch.setattr(official, "TRAIN_PER_CLASS", (4, 4))
    prepare(made.folder, tmp_path)
    assert datasets.load("imagenet", tmp_path).name == "imagenet"
    prepare(made.folder, tmp_path, originals=True)
    assert datasets.load("imagenet-originals", tmp_path).name == "imagenet-originals"


def test_pictures_that_vanish_between_source_and_shards_are_an_error():
    part = {"per_class": [2, 2]}
    preparation.check_counts(part, np.array([0, 0, 1]), undecodable=1)
    with pytest.raises(AssertionError, match="1 pictures are missing, 0 of them undecodable"):
        preparation.check_counts(part, np.array([0, 0, 1]), undecodable=0)


def test_another_source_does_not_go_on_with_what_is_unfinished(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(preparation, "finish", lambda *_: None)
    monkeypatch.setattr(preparation.shutil, "rmtree", lambda path: None)
    prepare(fake.folder, tmp_path)
    other = fake_imagenet.make(tmp_path / "other", classes=5, images=6, short=(40, 60))
    with pytest.raises(UsageError, match="unfinished preparation of another kind: the source's train pictures"):
        prepare(other.folder, tmp_path)
    with pytest.raises(UsageError, match="another kind: 3 train shards are asked for, there are 4"):
        prepare(fake.folder, tmp_path, shards=3)


def test_pictures_that_are_there_twice_are_refused():
    twice = [("a.JPEG", 0, 1), ("b.JPEG", 1, 1), ("x/a.JPEG", 2, 1)]
    with pytest.raises(UsageError, match=r"a\.JPEG is there twice"):
        sources.listing({"n00000001": twice}, ["n00000001"])


def test_what_is_left_out_is_said(tmp_path, capsys):
    made = fake_imagenet.make(tmp_path / "from", classes=3, images=2, form="folders")
    (made.folder / "train" / made.wnids[0] / "notes.txt").write_text("no picture")
    shutil.rmtree(made.folder / "train" / made.wnids[2])
    prepare(made.folder, tmp_path)
    output = capsys.readouterr().out
    assert "train: 1 files left out, no pictures or of other classes, such as notes.txt" in output
    assert "validation: 4 files left out, no pictures or of other classes, such as ILSVRC2012_val_" in output
    assert datasets.load("imagenet", tmp_path).sizes() == {"train": 2, "validation": 2, "test": 8}


# --- Afterwards


def test_a_damaged_shard_is_found_by_verify_and_by_the_read_that_meets_it(fake, copy):
    assert status.verify(copy.parent) == []
    train = datasets.load("imagenet", copy.parent).train
    victim = copy / train.files.names[int(train.shard[0])]
    data = bytearray(victim.read_bytes())
    data[int(train.offset[0]) + int(train.length[0]) // 2] ^= 1
    victim.write_bytes(data)
    wrong = status.verify(copy)
    assert wrong[0] == f"{victim} is damaged: its checksum is not the manifest's" and len(wrong) == 2
    part = datasets.load("imagenet", copy.parent).train
    with pytest.raises(UsageError, match=rf"{victim.name} is damaged at byte .*checksum.*reproduce data verify"):
        part.read(0)
    for i in range(1, len(part.labels)):
        part.read(i)


def test_a_shard_of_another_size_or_a_missing_one_is_found_at_loading_and_made_again(fake, prepared, copy, capsys):
    names = sorted(path.name for path in copy.glob("train-*.tfrecord"))
    (copy / names[0]).write_bytes(b"short")
    with pytest.raises(UsageError, match=f"{names[0]} is missing or has not the size it was written with"):
        datasets.load("imagenet", copy.parent)
    (copy / names[1]).unlink()
    assert f"damaged: in {copy}, {names[0]}, {names[1]}" in status.status(copy.parent)
    assert f"{copy / names[1]} is missing" in status.verify(copy)
    prepare(fake.folder, copy.parent)
    assert capsys.readouterr().out.count("is made again") == 2
    assert digests(copy) == digests(prepared / "imagenet-256")


def test_mending_from_another_source_is_refused(copy, tmp_path):
    next(copy.glob("train-*.tfrecord")).unlink()
    other = fake_imagenet.make(tmp_path / "other", classes=5, images=6, short=(40, 60))
    with pytest.raises(UsageError, match="cannot be mended: the source's train pictures are others"):
        prepare(other.folder, copy.parent)


def test_a_manifest_that_is_damaged_or_of_the_future_is_named(copy):
    path = copy / manifest.NAME
    whole = json.loads(path.read_text())
    for text, why in (("{", "cannot be read"), (json.dumps({**whole, "format": 9}), "is of format 9")):
        path.write_text(text)
        with pytest.raises(UsageError, match=f"{manifest.NAME} {why}"):
            datasets.load("imagenet", copy.parent)


def test_the_checksum_is_of_the_shards(prepared, copy):
    first = datasets.load("imagenet", prepared).sha256
    assert datasets.load("imagenet", copy.parent).sha256 == first
    whole = json.loads((copy / manifest.NAME).read_text())
    whole["parts"]["train"]["shards"][0]["sha256"] = "0" * 64
    (copy / manifest.NAME).write_text(json.dumps(whole))
    assert datasets.load("imagenet", copy.parent).sha256 != first


@pytest.mark.parametrize("name", ["imagenet", "imagenet-originals"])
def test_missing_data_say_where_was_looked_what_to_download_and_what_to_run(name, tmp_path, monkeypatch):
    monkeypatch.delenv("REPRODUCTIONS_DATA", raising=False)
    options = " --keep-originals" if name == "imagenet-originals" else ""
    with pytest.raises(UsageError) as caught:
        datasets.load(name, tmp_path)
    told = str(caught.value)
    assert f"there is no {manifest.FOLDERS[name]}/ in {tmp_path}" in told
    assert all(word in told for word in ("image-net.org", TRAIN, VALIDATION, DEVKIT))
    assert told.endswith(f"`reproduce data prepare imagenet --from THAT_FOLDER --to {tmp_path}{options}`")
    with pytest.raises(UsageError, match="neither --data-dir nor REPRODUCTIONS_DATA is set"):
        datasets.load(name)


def test_what_is_unfinished_is_said_to_be(fake, tmp_path):
    (tmp_path / "imagenet-256").mkdir()
    with pytest.raises(UsageError, match="imagenet-256 is unfinished: run the same"):
        datasets.load("imagenet", tmp_path)
    assert "unfinished" in status.status(tmp_path)


# --- The command


def test_status_tells_what_is_there_and_what_is_missing_without_tensorflow(reproduce, prepared, fake):
    block = "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None"
    done = reproduce("data", "status", "--data-dir", prepared, before=block)
    assert done.returncode == 0, done.stderr
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert lines["imagenet"].startswith(f"there: {prepared / 'imagenet-256'}, imagenet-subset of 5 classes, 34 train")
    assert lines["imagenet-originals"].startswith("missing: register at https://image-net.org")
    assert lines["cifar10"].startswith("missing: put cifar10.npz there")
    assert lines["mnist"].startswith("missing: Keras will download it")
    there = reproduce("data", "status", "--data-dir", fake.folder, before=block).stdout
    assert (
        f"the official files are in {fake.folder}: run `reproduce data prepare imagenet --from {fake.folder}" in there
    )


def test_the_command_prepares_and_verifies_without_tensorflow(reproduce, fake, tmp_path):
    block = "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None"
    to = tmp_path / "to"
    words = "data", "prepare", "imagenet", "--from", fake.folder, "--to", to, "--workers", "1"
    done = reproduce(*words, before=block)
    assert done.returncode == 0, done.stderr
    assert "train: 35 pictures of 5 classes" in done.stdout and f"prepared: {to / 'imagenet-256'}" in done.stdout
    assert f"{fake.wnids[-1]}_3.JPEG cannot be decoded, and is left out" in done.stdout
    done = reproduce("data", "verify", to, before=block)
    assert (done.returncode, done.stdout) == (0, "every file is as it was written\n")
    (to / "imagenet-256" / "statistics.npz").unlink()
    done = reproduce("data", "verify", to)
    assert done.returncode == 1 and "statistics.npz is missing" in done.stdout
    done = reproduce("data", "verify", fake.folder)
    assert done.returncode == 2 and "holds no prepared data" in done.stderr
    done = reproduce("data", "prepare", "imagenet", "--from", tmp_path / "nowhere", "--to", to)
    assert done.returncode == 2 and "nowhere, which is no folder" in done.stderr


# --- Real photographs


@pytest.mark.skipif(
    not REAL or not (Path(REAL) / "imagenet" / "train").is_dir(), reason="REPRODUCTIONS_DATA holds no imagenet/train"
)
def test_real_photographs_are_prepared_and_read(tmp_path):
    source = Path(REAL) / "imagenet"
    with pytest.raises(UsageError, match="--train-only"):
        prepare(source, tmp_path)
    folder = prepare(source, tmp_path, train_only=True)
    data = datasets.load("imagenet", tmp_path)
    files = {path.name: path for path in source.glob("train/n*/*")}
    assert data.sizes()["test"] == 0 and len(data.train.labels) + len(data.validation.labels) == len(files)
    for i, name in enumerate(data.train.filenames):
        old, new = Image.open(files[name.decode()]).convert("RGB"), Image.open(io.BytesIO(data.train.read(i)))
        if min(old.size) > 256:
            assert min(new.size) == 256
            old = old.resize(new.size, Image.Resampling.BICUBIC)
        assert abs(np.asarray(old, float) - np.asarray(new.convert("RGB"), float)).mean() < 3
    assert (data.statistics.mean_colour > 60).all() and (data.statistics.mean_colour < 180).all()
    assert "nothing to test on" in status.status(tmp_path) and folder.is_dir()
