"""Odd names in a source and in a manifest: they are shown escaped, stored without loss, and lead nowhere."""

import json
import os

import numpy as np
import pytest

from reproductions.lab.data import registry, status
from reproductions.lab.data.imagenet import manifest, sources
from reproductions.lab.data.imagenet.encode import UndecodableImage, prepare_image
from reproductions.lab.errors import UsageError
from tests.helpers import imagenet_files
from tests.helpers.prepared_imagenet import prepare

ODD = (b"n\xff\xfe_1.JPEG", b"back\\slash.JPEG", "é\u2028.JPEG".encode(), b"new\nline.JPEG")


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A source with odd names of images, of undecodable images, and of links that lead nowhere."""
    folder = tmp_path_factory.mktemp("odd")
    made = imagenet_files.make(folder / "from", classes=2, images=4, validation=1, form="folders")
    own = os.fsencode(made.folder / "train" / made.wnids[0])
    images = sorted(os.listdir(own))
    for name, odd_name in zip(images, ODD):
        os.rename(os.path.join(own, name), os.path.join(own, odd_name))
    other = os.fsencode(made.folder / "train" / made.wnids[1])
    for name in (b"bad\xff.JPEG", b"bad2.JPEG"):
        with open(os.path.join(other, name), "wb") as file:
            file.write(b"not an image")
    os.symlink("/nowhere/x.JPEG", os.path.join(other, b"gone\xff.JPEG"))
    os.symlink("loop.JPEG", os.path.join(other, b"loop.JPEG"))
    return made


def test_names_that_are_not_utf_8_are_prepared(odd, tmp_path, capsys):
    folder = prepare(odd.folder, tmp_path)
    names = set(registry.load("imagenet", tmp_path).train.filenames.tolist())
    names |= set(registry.load("imagenet", tmp_path).validation.filenames.tolist())
    assert set(ODD) <= names, "stored as they are"
    text = (folder / manifest.NAME).read_text(encoding="utf-8")
    undecodable = dict(json.loads(text)["splits"]["train"]["undecodable"])
    assert set(undecodable) == {"bad\\xff.JPEG", "bad2.JPEG"}
    assert "0x" not in text, "an address in memory differs every time"
    output = capsys.readouterr().out
    assert "gone\\xff.JPEG (broken link), loop.JPEG (broken link)" in output
    assert "train: 2 files ignored" in output
    output.encode()


def test_an_image_that_cannot_be_decoded_is_described_equally_every_time():
    reasons = set()
    for _ in range(3):
        with pytest.raises(UndecodableImage) as refused:
            prepare_image(bytes(np.random.default_rng(0).bytes(100)))
        reasons.add(str(refused.value))
    assert reasons == {"cannot identify image file"}


@pytest.mark.parametrize("name", ["a.JPEG", "a\\b", "\udcff", "a\nb", "é", "a\\xff"])
def test_printable_names_differ_as_the_names_do(name):
    text = sources.printable(name)
    assert text.isprintable() and text.encode()
    assert text.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1") in (
        os.fsencode(name),
        name.encode("latin-1", "replace"),
    )


def test_a_name_that_no_file_system_has_is_refused():
    with pytest.raises(UsageError, match="a file name of 3005 bytes, expected at most 255"):
        sources.make_listing({"n00000001": [sources.Member("x" * 3000 + ".JPEG", 0, 1)]}, ["n00000001"])


@pytest.mark.parametrize("name", ["/etc/passwd", "../x.tfrecord", "train-00000-of-00001.tfrecord\n", "statistics.npz"])
def test_a_manifest_names_nothing_outside_of_its_folder(name, own_imagenet):
    path = own_imagenet / manifest.NAME
    content = json.loads(path.read_text(encoding="utf-8"))
    content["splits"]["train"]["shards"][0]["file"] = name
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UsageError, match=r"manifest.json is not a manifest .* at `\$.splits") as refused:
        registry.load("imagenet", own_imagenet.parent)
    assert "delete /etc" not in str(refused.value)
    (line,) = (line for line in status.status(own_imagenet.parent).splitlines() if line.startswith("imagenet "))
    assert "delete /etc" not in line and "/etc/passwd in" not in line


@pytest.mark.parametrize("name", ["/etc/passwd", "../statistics.npz", "x"])
def test_checksums_are_of_files_beside_the_shards(name, own_imagenet):
    path = own_imagenet / manifest.NAME
    content = json.loads(path.read_text(encoding="utf-8"))
    content["files"][name] = "0" * 64
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UsageError, match="is not a manifest"):
        status.verify(own_imagenet)
