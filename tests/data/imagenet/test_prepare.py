"""ImageNet prepared from synthetic official files: images, labels, splits, and equal bytes from any source."""

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reproductions.lab import progress
from reproductions.lab.data import registry, status
from reproductions.lab.data.imagenet import encode, manifest, tfrecord
from reproductions.lab.errors import UsageError
from tests.helpers import imagenet_files
from tests.helpers.imagenet_files import DEVKIT, TRAIN
from tests.helpers.prepared_imagenet import digests, prepare

REAL = os.environ.get("REPRODUCTIONS_DATA")
ROOT = Path(__file__).parents[3]


def training_files(source: Path) -> dict[str, bytes]:
    """Return all training files in an official training tar by name."""
    with tarfile.open(source / TRAIN) as tar:
        inner = [tar.extractfile(member).read() for member in tar]
    found = {}
    for data in inner:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            found |= {member.name: tar.extractfile(member).read() for member in tar}
    return found


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.float64)


# --- Images and labels


def test_every_image_occurs_once_with_its_label(ilsvrc, prepared_imagenet):
    data = registry.load("imagenet", prepared_imagenet)
    train = data.training(("train", "validation"))
    truncated = f"{ilsvrc.wnids[-1]}_3.JPEG"
    expected = {name: label for name, label in ilsvrc.labels(ilsvrc.train).items() if name != truncated}
    assert dict(zip((n.decode() for n in train.filenames), train.labels)) == expected
    assert len(train.labels) == len(expected) and train.labels.dtype == np.int32
    names = [name.decode() for name in data.test.filenames]
    assert names == list(ilsvrc.validation), "in the order of their numbers"
    assert dict(zip(names, data.test.labels)) == ilsvrc.labels(ilsvrc.validation)
    assert data.name == "imagenet-subset"


def test_validation_labels_follow_the_devkit(ilsvrc, prepared_imagenet):
    """They follow the devkit's WNIDs, not the order of its ids."""
    kit = dict(imagenet_files.members_of(ilsvrc.folder / DEVKIT))
    ids = kit["ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt"].split()
    labels = registry.load("imagenet", prepared_imagenet).test.labels
    assert [int(i) - 1 for i in ids] != labels.tolist()


def test_short_sides_are_at_most_256(ilsvrc, prepared_imagenet):
    """Smaller images keep their sizes, and small JPEGs are not recompressed."""
    data, original = registry.load("imagenet", prepared_imagenet), training_files(ilsvrc.folder)
    train, unchanged = data.training(("train", "validation")), 0
    for i, name in enumerate(train.filenames):
        before, after = original[name.decode()], train.read(i)
        old, new = Image.open(io.BytesIO(before)), Image.open(io.BytesIO(after))
        assert new.format == "JPEG" and new.mode == "RGB"
        if min(old.size) > 256:
            assert min(new.size) == 256
            assert max(new.size) == round(256 * max(old.size) / min(old.size))
        else:
            assert new.size == old.size
            unchanged += before == after
    assert unchanged > 5


def test_originals_are_unchanged_except_png_and_cmyk(ilsvrc, prepared_imagenet, tmp_path):
    prepare(ilsvrc.folder, tmp_path, originals=True)
    data, original = registry.load("imagenet-originals", tmp_path), training_files(ilsvrc.folder)
    assert data.name == "imagenet-originals-subset"
    train = data.training(("train", "validation"))
    changed = {n.decode() for i, n in enumerate(train.filenames) if train.read(i) != original[n.decode()]}
    done = manifest.read(tmp_path / "imagenet-originals")
    assert changed == {name for name, _ in done["splits"]["train"]["converted"]}
    assert changed == {f"{ilsvrc.wnids[0]}_10.JPEG", f"{ilsvrc.wnids[1]}_10.JPEG"}
    for one, other in zip(data.statistics, registry.load("imagenet", prepared_imagenet).statistics):
        np.testing.assert_array_equal(one, other, "statistics are those of the originals in both cases")


def test_png_and_cmyk_files_keep_their_colours(ilsvrc, prepared_imagenet):
    train = registry.load("imagenet", prepared_imagenet).training(("train", "validation"))
    plain = imagenet_files.make(prepared_imagenet.parent / "plain", classes=5, images=7, form="folders", truncated=0)
    for wnid in ilsvrc.wnids[:2]:
        name = f"{wnid}_10.JPEG"
        stored = pixels(train.read(train.filenames.tolist().index(name.encode())))
        with Image.open(plain.folder / "train" / wnid / name) as image:
            shown = image.convert("RGB").resize(stored.shape[1::-1], Image.Resampling.BICUBIC)
        assert abs(stored - np.asarray(shown, np.float64)).mean() < 3


@pytest.mark.parametrize("adobe", [True, False])
def test_cmyk_is_converted_as_by_tensorflow(adobe):
    import tensorflow as tf

    ink = np.zeros((64, 64, 4), np.uint8)
    ink[:, :32, 0], ink[:, 32:, 1], ink[32:, :, 3] = 200, 150, 100
    file = io.BytesIO()
    Image.fromarray(ink, "CMYK").save(file, "JPEG", quality=100)
    data = file.getvalue()
    if not adobe:
        start = data.index(b"\xff\xee")
        data = data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], "big") :]
    image = encode.prepare_image(data)
    assert image.converted == "CMYK JPEG"
    seen = tf.io.decode_jpeg(data, channels=3).numpy().astype(float)
    assert abs(pixels(image.encoded) - seen).mean() < 2
    if adobe:
        np.testing.assert_allclose(seen[8, 8], [55, 255, 255], atol=3)
        np.testing.assert_allclose(seen[56, 56], [155, 64, 155], atol=3)


def test_tensorflow_reads_the_shards(prepared_imagenet):
    import tensorflow as tf

    features = {name: tf.io.FixedLenFeature((), kind) for name, kind in {
        "image/encoded": tf.string, "image/filename": tf.string, "image/class/synset": tf.string,
        "image/class/label": tf.int64, "image/height": tf.int64, "image/width": tf.int64,
    }.items()}  # fmt: skip
    folder = prepared_imagenet / "imagenet-256"
    done = manifest.read(folder)
    seen = 0
    for example in tf.data.TFRecordDataset([str(p) for p in sorted(folder.glob("train-*.tfrecord"))]):
        found = tf.io.parse_single_example(example, features)
        name, synset = found["image/filename"].numpy().decode(), found["image/class/synset"].numpy().decode()
        assert name.startswith(synset) and done["classes"][found["image/class/label"]]["wnid"] == synset
        size = found["image/height"], found["image/width"], 3
        assert tf.io.decode_jpeg(found["image/encoded"], channels=3).shape == size
        assert tfrecord.serialize({"a": 1, "b": b"x"}) == tfrecord.serialize({"b": b"x", "a": 1})
        seen += 1
    assert seen == sum(shard["records"] for shard in done["splits"]["train"]["shards"]) == 34


def test_shards_mix_classes(prepared_imagenet):
    data = registry.load("imagenet", prepared_imagenet)
    train = data.training(("train", "validation"))
    for shard in np.unique(train.shard):
        assert len(set(train.labels[train.shard == shard])) > 1


def test_statistics_are_those_of_the_central_squares(ilsvrc, prepared_imagenet):
    """They are taken at a short side of 256."""
    squares = []
    for name, data in training_files(ilsvrc.folder).items():
        if name == f"{ilsvrc.wnids[-1]}_3.JPEG":
            continue
        image = Image.open(io.BytesIO(data)).convert("RGB")
        width, height = (round(256 * side / min(image.size)) for side in image.size)
        left, top = (width - 256) // 2, (height - 256) // 2
        whole = image.resize((width, height), Image.Resampling.BICUBIC)
        squares.append(np.asarray(whole.crop((left, top, left + 256, top + 256)), np.float64))
    found = registry.load("imagenet", prepared_imagenet).statistics
    # The CMYK file is converted by Pillow here, whose rule is the same for Adobe's files.
    np.testing.assert_allclose(found.mean_image, np.mean(squares, axis=0), atol=0.5)
    colours = np.reshape(squares, (-1, 3))
    np.testing.assert_allclose(found.mean_colour, colours.mean(axis=0), rtol=1e-4)
    covariance = np.cov(colours.T, bias=True)
    rebuilt = found.eigenvectors @ np.diag(found.eigenvalues) @ found.eigenvectors.T
    np.testing.assert_allclose(rebuilt, covariance, rtol=1e-3)
    assert (np.diff(found.eigenvalues) < 0).all()
    assert found.mean_image.dtype == np.float32 and found.mean_image.shape == (256, 256, 3)


def test_manifest_lists_unusual_files_and_the_blacklist(ilsvrc, prepared_imagenet, capsys):
    done = manifest.read(prepared_imagenet / "imagenet-256")
    split = done["splits"]["train"]
    assert [name for name, _ in split["undecodable"]] == [f"{ilsvrc.wnids[-1]}_3.JPEG"]
    assert dict(split["converted"]) == {
        f"{ilsvrc.wnids[0]}_10.JPEG": "PNG RGB", f"{ilsvrc.wnids[1]}_10.JPEG": "CMYK JPEG"
    }  # fmt: skip
    assert [one["wnid"] for one in done["classes"]] == ilsvrc.wnids
    assert all(one["wnid"] in one["words"] for one in done["classes"])
    assert split["per_class"] == [7] * 5 and split["images"] == 35
    assert done["blacklisted"] == ["ILSVRC2012_val_00000002.JPEG", "ILSVRC2012_val_00000005.JPEG"]
    assert np.flatnonzero(registry.load("imagenet", prepared_imagenet).test.blacklisted).tolist() == [1, 4]


def test_the_users_blacklist_replaces_the_devkits(ilsvrc, tmp_path):
    (tmp_path / "list.txt").write_text("3\n", encoding="utf-8")
    prepare(ilsvrc.folder, tmp_path / "to", blacklist=tmp_path / "list.txt")
    assert np.flatnonzero(registry.load("imagenet", tmp_path / "to").test.blacklisted).tolist() == [2]


# --- Equal bytes from every form of source


def test_bytes_do_not_depend_on_the_number_of_workers(ilsvrc, prepared_imagenet, tmp_path):
    assert digests(prepare(ilsvrc.folder, tmp_path, workers=3)) == digests(prepared_imagenet / "imagenet-256")


@pytest.mark.parametrize("form", ["folders", "sorted"])
def test_folders_give_the_same_bytes_as_tars(form, prepared_imagenet, tmp_path):
    made = imagenet_files.make(
        tmp_path / "from", classes=5, images=7, validation=3, truncated=1, blacklist=(2, 5), form=form
    )
    assert digests(prepare(made.folder, tmp_path)) == digests(prepared_imagenet / "imagenet-256")


def test_sorted_folders_must_agree_with_the_devkit(tmp_path):
    """They can be prepared without a devkit."""
    made = imagenet_files.make(tmp_path / "from", classes=3, images=2, validation=2, form="sorted")
    (made.folder / DEVKIT).rename(tmp_path / DEVKIT)
    prepare(made.folder, tmp_path / "to")
    test = registry.load("imagenet", tmp_path / "to").test
    assert dict(zip((n.decode() for n in test.filenames), test.labels)) == made.labels(made.validation)
    assert test.blacklisted is None
    (tmp_path / DEVKIT).rename(made.folder / DEVKIT)
    name, wnid = next(iter(made.validation.items()))
    other = next(one for one in made.wnids if one != wnid)
    (made.folder / "val" / wnid / name).rename(made.folder / "val" / other / name)
    with pytest.raises(UsageError, match=f"{name}: its class is {wnid} in the devkit"):
        prepare(made.folder, tmp_path / "disagreeing")


# --- Real photographs


@pytest.mark.skipif(
    not REAL or not (Path(REAL) / "imagenet" / "train").is_dir(), reason="REPRODUCTIONS_DATA has no imagenet/train"
)
def test_real_photographs_are_prepared_and_read(tmp_path):
    source = Path(REAL) / "imagenet"
    with pytest.raises(UsageError, match="--train-only"):
        prepare(source, tmp_path)
    folder = prepare(source, tmp_path, train_only=True)
    data = registry.load("imagenet", tmp_path)
    files = {path.name: path for path in source.glob("train/n*/*")}
    assert data.sizes()["test"] == 0 and len(data.train.labels) + len(data.validation.labels) == len(files)
    for i, name in enumerate(data.train.filenames):
        old, new = Image.open(files[name.decode()]).convert("RGB"), Image.open(io.BytesIO(data.train.read(i)))
        if min(old.size) > 256:
            assert min(new.size) == 256
            old = old.resize(new.size, Image.Resampling.BICUBIC)
        assert abs(np.asarray(old, float) - np.asarray(new.convert("RGB"), float)).mean() < 3
    assert (data.statistics.mean_colour > 60).all() and (data.statistics.mean_colour < 180).all()
    assert "no test split" in status.status(tmp_path) and folder.is_dir()


def test_a_preparation_shows_how_many_shards_are_done(ilsvrc, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "LINE_EVERY", 0)
    prepare(ilsvrc.folder, tmp_path)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("preparation: ")]
    total = len(list(tmp_path.glob("*/*.tfrecord")))
    assert [line.split(", ")[0] for line in lines] == [f"preparation: {n + 1} of {total} shards" for n in range(total)]
    assert total > 1 and all(line.endswith(" left") for line in lines)
