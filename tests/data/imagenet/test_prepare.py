"""ImageNet prepared from fake official files: what is kept, how it is cut, and that every way there gives the same."""

import hashlib
import io
import os
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reproductions.lab.data import registry, status
from reproductions.lab.data.imagenet import dataset, encode, manifest, tfrecord
from reproductions.lab.errors import UsageError
from tests.helpers import imagenet_files as fake_imagenet
from tests.helpers.imagenet_files import DEVKIT, TRAIN
from tests.helpers.prepared_imagenet import digests, prepare

REAL = os.environ.get("REPRODUCTIONS_DATA")
ROOT = Path(__file__).parents[3]


def rows(source: Path) -> dict[str, bytes]:
    """Name to file, of all training pictures in a ilsvrc training tar."""
    with tarfile.open(source / TRAIN) as tar:
        inner = [tar.extractfile(member).read() for member in tar]
    found = {}
    for data in inner:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            found |= {member.name: tar.extractfile(member).read() for member in tar}
    return found


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.float64)


# --- What is kept


def test_every_picture_is_there_under_its_own_label_and_none_twice(ilsvrc, prepared_imagenet):
    data = registry.load("imagenet", prepared_imagenet)
    train = data.training(("train", "validation"))
    broken = f"{ilsvrc.wnids[-1]}_3.JPEG"
    wanted = {name: label for name, label in ilsvrc.labels(ilsvrc.train).items() if name != broken}
    assert dict(zip((n.decode() for n in train.filenames), train.labels)) == wanted
    assert len(train.labels) == len(wanted) and train.labels.dtype == np.int32
    names = [name.decode() for name in data.test.filenames]
    assert names == list(ilsvrc.validation), "in the order of their numbers"
    assert dict(zip(names, data.test.labels)) == ilsvrc.labels(ilsvrc.validation)
    assert data.name == "imagenet-subset"


def test_labels_of_validation_pictures_go_through_the_devkit_not_through_the_order_of_ids(ilsvrc, prepared_imagenet):
    truth = dict(fake_imagenet.members_of(ilsvrc.folder / DEVKIT))
    ids = truth["ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt"].split()
    labels = registry.load("imagenet", prepared_imagenet).test.labels
    assert [int(i) - 1 for i in ids] != labels.tolist()


def test_short_sides_are_256_or_what_they_were_and_small_jpegs_are_not_recompressed(ilsvrc, prepared_imagenet):
    data, original = registry.load("imagenet", prepared_imagenet), rows(ilsvrc.folder)
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


def test_originals_are_kept_byte_for_byte_but_for_png_and_cmyk(ilsvrc, prepared_imagenet, tmp_path):
    prepare(ilsvrc.folder, tmp_path, originals=True)
    data, original = registry.load("imagenet-originals", tmp_path), rows(ilsvrc.folder)
    assert data.name == "imagenet-originals-subset"
    train = data.training(("train", "validation"))
    changed = {n.decode() for i, n in enumerate(train.filenames) if train.read(i) != original[n.decode()]}
    done = manifest.read(tmp_path / "imagenet-originals")
    assert changed == {name for name, _ in done["parts"]["train"]["converted"]}
    assert changed == {f"{ilsvrc.wnids[0]}_10.JPEG", f"{ilsvrc.wnids[1]}_10.JPEG"}
    for one, other in zip(data.statistics, registry.load("imagenet", prepared_imagenet).statistics):
        np.testing.assert_array_equal(one, other, "statistics are those of the originals either way")


def test_the_png_and_the_cmyk_file_keep_their_colours(ilsvrc, prepared_imagenet):
    train = registry.load("imagenet", prepared_imagenet).training(("train", "validation"))
    plain = fake_imagenet.make(prepared_imagenet.parent / "plain", classes=5, images=7, form="folders", truncated=0)
    for wnid in ilsvrc.wnids[:2]:
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
    kept = encode.prepared(data)
    assert kept.converted == "CMYK JPEG"
    seen = tf.io.decode_jpeg(data, channels=3).numpy().astype(float)
    assert abs(pixels(kept.encoded) - seen).mean() < 2
    if adobe:
        np.testing.assert_allclose(seen[8, 8], [55, 255, 255], atol=3)
        np.testing.assert_allclose(seen[56, 56], [155, 64, 155], atol=3)


def test_shards_are_what_tensorflow_reads(prepared_imagenet):
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
        assert tfrecord.serialized({"a": 1, "b": b"x"}) == tfrecord.serialized({"b": b"x", "a": 1})
        seen += 1
    assert seen == sum(shard["records"] for shard in done["parts"]["train"]["shards"]) == 34


def test_shards_mix_classes(prepared_imagenet):
    data = registry.load("imagenet", prepared_imagenet)
    train = data.training(("train", "validation"))
    for shard in np.unique(train.shard):
        assert len(set(train.labels[train.shard == shard])) > 1


def test_statistics_are_those_of_the_central_squares_at_a_short_side_of_256(ilsvrc, prepared_imagenet):
    squares = []
    for name, data in rows(ilsvrc.folder).items():
        if name == f"{ilsvrc.wnids[-1]}_3.JPEG":
            continue
        image = Image.open(io.BytesIO(data)).convert("RGB")
        width, height = (round(256 * side / min(image.size)) for side in image.size)
        left, top = (width - 256) // 2, (height - 256) // 2
        whole = image.resize((width, height), Image.Resampling.BICUBIC)
        squares.append(np.asarray(whole.crop((left, top, left + 256, top + 256)), np.float64))
    found = registry.load("imagenet", prepared_imagenet).statistics
    # The colours of the CMYK file are converted by our rule; here by Pillow's, which is the same for Adobe's.
    np.testing.assert_allclose(found.mean_image, np.mean(squares, axis=0), atol=0.5)
    colours = np.reshape(squares, (-1, 3))
    np.testing.assert_allclose(found.mean_colour, colours.mean(axis=0), rtol=1e-4)
    covariance = np.cov(colours.T, bias=True)
    rebuilt = found.eigenvectors @ np.diag(found.eigenvalues) @ found.eigenvectors.T
    np.testing.assert_allclose(rebuilt, covariance, rtol=1e-3)
    assert (np.diff(found.eigenvalues) < 0).all()
    assert found.mean_image.dtype == np.float32 and found.mean_image.shape == (256, 256, 3)


def test_the_manifest_says_what_was_converted_left_out_and_blacklisted(ilsvrc, prepared_imagenet, capsys):
    done = manifest.read(prepared_imagenet / "imagenet-256")
    part = done["parts"]["train"]
    assert [name for name, _ in part["undecodable"]] == [f"{ilsvrc.wnids[-1]}_3.JPEG"]
    assert dict(part["converted"]) == {
        f"{ilsvrc.wnids[0]}_10.JPEG": "PNG RGB", f"{ilsvrc.wnids[1]}_10.JPEG": "CMYK JPEG"
    }  # fmt: skip
    assert [one["wnid"] for one in done["classes"]] == ilsvrc.wnids
    assert all(one["wnid"] in one["words"] for one in done["classes"])
    assert part["per_class"] == [7] * 5 and part["images"] == 35
    assert done["blacklisted"] == ["ILSVRC2012_val_00000002.JPEG", "ILSVRC2012_val_00000005.JPEG"]
    assert np.flatnonzero(registry.load("imagenet", prepared_imagenet).test.blacklisted).tolist() == [1, 4]


def test_a_blacklist_of_ones_own_comes_before_the_devkits(ilsvrc, tmp_path):
    (tmp_path / "list.txt").write_text("3\n")
    prepare(ilsvrc.folder, tmp_path / "to", blacklist=tmp_path / "list.txt")
    assert np.flatnonzero(registry.load("imagenet", tmp_path / "to").test.blacklisted).tolist() == [2]


# --- The parts


def test_one_in_a_hundred_of_each_class_is_held_out_whatever_the_shards(ilsvrc, prepared_imagenet, tmp_path):
    data = registry.load("imagenet", prepared_imagenet)
    assert np.bincount(data.validation.labels).tolist() == [1] * 5
    for label, name in zip(data.validation.labels, data.validation.filenames):
        own = [n for n, other in zip(data.train.filenames, data.train.labels) if other == label]
        assert all(hashlib.sha256(name).digest() < hashlib.sha256(n).digest() for n in own)
    prepare(ilsvrc.folder, tmp_path, shards=1)
    again = registry.load("imagenet", tmp_path)
    assert again.validation.filenames.tolist() == data.validation.filenames.tolist()
    assert again.train.filenames.tolist() == data.train.filenames.tolist()


def test_as_many_are_held_out_as_the_rule_says_but_never_the_only_one():
    labels = np.repeat([0, 1, 2, 3], [1, 2, 732, 1300])
    names = np.array([f"{i}.JPEG" for i in range(len(labels))], dtype="S")
    assert np.bincount(labels[dataset.held_out(labels, names)], minlength=4).tolist() == [0, 1, 7, 13]


def test_a_pipeline_reads_the_encoded_pictures(prepared_imagenet):
    import tensorflow as tf

    from reproductions.lab.data.pipeline import reader

    part = registry.load("imagenet", prepared_imagenet).test
    stored = tf.data.Dataset.range(len(part.labels)).map(reader(part), num_parallel_calls=4)
    assert [data.numpy() for data in stored] == [part.read(i) for i in range(len(part.labels))]


def test_threads_and_forks_read_the_same_pictures(prepared_imagenet):
    part = registry.load("imagenet", prepared_imagenet).train
    wanted = [part.read(i) for i in range(len(part.labels))]
    part = registry.load("imagenet", prepared_imagenet).train
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


def test_any_number_of_workers_writes_the_same_bytes(ilsvrc, prepared_imagenet, tmp_path):
    assert digests(prepare(ilsvrc.folder, tmp_path, workers=3)) == digests(prepared_imagenet / "imagenet-256")


@pytest.mark.parametrize("form", ["folders", "sorted"])
def test_extracted_folders_give_the_same_bytes_as_tars(form, prepared_imagenet, tmp_path):
    made = fake_imagenet.make(
        tmp_path / "from", classes=5, images=7, validation=3, truncated=1, blacklist=(2, 5), form=form
    )
    assert digests(prepare(made.folder, tmp_path)) == digests(prepared_imagenet / "imagenet-256")


def test_sorted_folders_need_no_devkit_but_must_agree_with_one(tmp_path):
    made = fake_imagenet.make(tmp_path / "from", classes=3, images=2, validation=2, form="sorted")
    (made.folder / DEVKIT).rename(tmp_path / DEVKIT)
    prepare(made.folder, tmp_path / "to")
    test = registry.load("imagenet", tmp_path / "to").test
    assert dict(zip((n.decode() for n in test.filenames), test.labels)) == made.labels(made.validation)
    assert test.blacklisted is None
    (tmp_path / DEVKIT).rename(made.folder / DEVKIT)
    name, wnid = next(iter(made.validation.items()))
    other = next(one for one in made.wnids if one != wnid)
    (made.folder / "val" / wnid / name).rename(made.folder / "val" / other / name)
    with pytest.raises(UsageError, match=f"{name} is of {wnid}, says the devkit"):
        prepare(made.folder, tmp_path / "again")


# --- Real photographs


@pytest.mark.skipif(
    not REAL or not (Path(REAL) / "imagenet" / "train").is_dir(), reason="REPRODUCTIONS_DATA holds no imagenet/train"
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
    assert "nothing to test on" in status.status(tmp_path) and folder.is_dir()
