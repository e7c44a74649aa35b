"""The command `reproduce show`."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import reproductions
from reproductions.cli import show
from reproductions.cli.main import main
from reproductions.lab import files
from reproductions.lab.results import picture_record
from reproductions.lab.results.entries import Misclassified
from reproductions.lab.visualization import draw_errors, figure
from reproductions.lab.visualization.pictures import PICTURES, Picture, pictures_of
from reproductions.lab.weights import trained
from tests.helpers.photographs import hills
from tests.helpers.reproduce import offline


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """A function that runs the command in the folder of the test, and returns its output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REPRODUCTIONS_DATA", raising=False)
    for name, value in offline(tmp_path).items():
        monkeypatch.setenv(name, value)

    def ran(*arguments: object) -> str:
        main([str(argument) for argument in arguments])
        return capsys.readouterr().out

    return ran


@pytest.mark.parametrize(
    ("arguments", "caption"),
    [
        ("lenet5 filters", "The 6 filters of C1, with 5 × 5 weights each"),
        ("lenet5 filters --layer C3", "An empty place is a map that the filter does not see."),
        ("linear-classifier-deslanted filters", "The 10 units of output, with 20 × 20 weights each"),
        ("lenet4 features", "Feature maps of test image 4 of mnist-subset, a row for each size of maps"),
        ("lecun1989 features --layer H2", "Feature maps of H2 for test image 4 of mnist-subset, 4 × 4 positions each"),
        ("convnetjs-cifar10 deconv", "What makes the maps of a layer of each size respond to a cat"),
        ("convnetjs-cifar10 guided --layer fc --image coffee", "the 3 classes with the largest scores"),
        ("lenet1 occlusion --image 3", "As a black square of 6 pixels moves over the image"),
    ],
)
def test_a_picture_is_written_with_its_caption(arguments, caption, run):
    output = run("show", *arguments.split())
    assert caption in output
    path = Path(output.splitlines()[-1].removeprefix("written to "))
    with Image.open(path) as image:
        assert image.width == figure.WIDTH * figure.DPI and image.mode == "P" and "date" not in str(image.info).lower()


@pytest.mark.parametrize("ending", figure.FORMATS)
def test_equal_pictures_have_equal_bytes(ending, run):
    for name in "a", "b":
        run("show", "lenet1", "features", "--out", f"{name}.{ending}")
    assert Path(f"a.{ending}").read_bytes() == Path(f"b.{ending}").read_bytes()


def test_a_file_of_the_user_is_shown(run, tmp_path):
    Image.fromarray(hills(40, 60)).save(tmp_path / "mine.png")
    assert "Feature maps of mine.png" in run("show", "convnetjs-cifar10", "features", "--image", "mine.png")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("lenet5 deconv", "C1 of lenet5 has the activation scaled_tanh: show filters, features or occlusion"),
        ("lenet5 filters --layer c3", "'c3' is not a layer of lenet5. Did you mean 'C3'?"),
        ("lenet5 filters --layer S2", "S2 of lenet5 has no kernel; these have: C1, C3, C5, F6, RBF"),
        ("lenet5 features --layer F6", "F6 of lenet5 has no feature maps; these have: C1, S2, C3, S4"),
        ("fully-connected-300 features", "fully-connected-300 has no feature maps: its layers are fully connected"),
        ("vgg16 filters", "the suite gives out no trained weights of vgg-d, only of"),
        ("convnetjs-cifar10 features --image pipe.png", "pipe.png is a pipe or device: name a JPEG or PNG file"),
        ("linear-classifier-deslanted features --image cat", "cannot be brought into the form of mnist-deslanted"),
    ],
)
def test_what_cannot_be_shown_is_refused(arguments, message, refusal):
    os.mkfifo("pipe.png")
    assert message in refusal("show", *arguments.split())


def test_errors_are_those_of_the_record(run, finished):
    record = json.loads((finished / "run" / "record.json").read_text(encoding="utf-8"))
    number = len(record["misclassified"]["index"])
    output = run("show", finished / "run", "errors", "--out", "errors.pdf")
    assert f"{number} misclassified images of mnist-subset by lenet5, seed 1" in output
    assert run("show", finished / "run" / "record.json", "errors", "--out", "errors.png")
    assert "First" not in output


def test_at_most_a_hundred_errors_are_drawn():
    wrong = Misclassified(list(range(150)), [1] * 150, [2] * 150)
    drawing = draw_errors.errors("net", np.zeros((150, 28, 28), np.uint8), wrong, "data")
    assert drawing.caption.startswith("The first 100 of 150 misclassified images of data")


def test_errors_of_published_weights_are_not_known(refusal, tmp_path):
    model = reproductions.load("convnetjs-cifar10")
    model.save(tmp_path / "own.keras")
    assert "errors are those of a run, which its record lists" in refusal("show", "own.keras", "errors")


# --- All pictures


@pytest.fixture
def two_networks(monkeypatch):
    listed = {name: entry for name, entry in trained.read_list().items() if name in ("lenet5", "convnetjs-cifar10")}
    monkeypatch.setattr(trained, "read_list", lambda folder=trained.FOLDER: listed)


def test_all_pictures_have_records(run, two_networks, tmp_path):
    output = run("show", "--all", "--out", "all", "--format", "svg")
    records = {record.name: record for record in picture_record.read_all(tmp_path / "all")}
    assert {record.kind for record in records.values()} == set(show.KINDS) - {"errors"}
    assert "lenet5-deconv is left out: deconv is for networks with ReLU" in output
    assert "lenet5-errors is left out: the run was trained on mnist, but" in output
    for record in records.values():
        with Image.open(tmp_path / "all" / record.picture) as image:
            assert image.size == (record.width, record.height)
        assert (tmp_path / "all" / f"{record.name}.svg").is_file()
        assert record.weights.sha256 == files.sha256(trained.path_of(record.network))
        assert (record.image is not None) == (record.kind in show.OF_IMAGES)
    deconv = records["convnetjs-cifar10-deconv"]
    assert (deconv.study, deconv.method, deconv.image.licence) == ("convnetjs", "zfnet", "CC0 1.0")
    assert records["lenet5-filters-c3"].command == "reproduce show lenet5 filters --layer C3"


def test_pictures_are_chosen_by_network_and_data():
    names = [picture.name("lenet5") for picture in pictures_of("lenet5", "mnist")]
    assert "lenet5-filters-c3" in names and "lenet5-occlusion-coffee" not in names
    names = [picture.name("zfnet") for picture in pictures_of("zfnet", "imagenet")]
    assert "zfnet-occlusion-coffee" in names and "zfnet-errors" not in names
    assert len({(*each.networks, each.name("x")) for each in PICTURES}) == len(PICTURES)
    assert Picture("filters", layer="inception_3b/5x5").name("googlenet") == "googlenet-filters-inception-3b-5x5"
