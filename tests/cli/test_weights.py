"""The commands `reproduce weights`, `evaluate` and `classify` with published weights."""

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import keras
import msgspec
import numpy as np
import pytest
from PIL import Image

import reproductions
from reproductions.cli.main import main
from reproductions.cli.options import FORMATS
from reproductions.lab.data import registry
from reproductions.lab.data.base import InMemoryImages
from reproductions.lab.evaluation.tested import relatives
from reproductions.lab.results import weights_record
from reproductions.lab.weights import imported, presets, tensor_file
from tests.helpers.convnetjs_files import saved_network
from tests.helpers.mutations import with_member
from tests.helpers.small import dataset

NETWORK = "convnetjs-cifar10"
# Which needs no data.
EXPORT = ("weights", "export", "a.keras", "--format", "h5", "--network")
HEAVY = """
import sys
from reproductions.cli.main import main
main(["weights", "list", *sys.argv[1:]])
sys.exit(str({"tensorflow", "keras", "layers"} & set(sys.modules)) if "keras" in sys.modules else 0)
"""


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A file of ConvNetJS with the shapes of its network."""
    path = tmp_path / "net.json"
    path.write_text(json.dumps(saved_network(reproductions.build(NETWORK))), encoding="utf-8")
    return path


@pytest.fixture
def out(published: Path, tmp_path: Path) -> Path:
    """The network that is imported from it."""
    path = tmp_path / "out.keras"
    main(["weights", "import", NETWORK, str(published), "--to", str(path)])
    return path


@pytest.fixture
def images(monkeypatch: pytest.MonkeyPatch) -> InMemoryImages:
    """Forty images in place of CIFAR-10."""
    random = np.random.default_rng(1)
    made = InMemoryImages(random.integers(0, 256, (40, 32, 32, 3)).astype(np.uint8), np.arange(40) % 10)
    monkeypatch.setitem(registry.LOADERS, "cifar10", lambda folder: dataset(made, "cifar10"))
    return made


@pytest.mark.parametrize("words", [[], ["googlenet"], ["--format", "json"]])
def test_the_list_imports_nothing_heavy(words):
    done = subprocess.run([sys.executable, "-c", HEAVY, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "bvlc_googlenet.caffemodel" in done.stdout and "31.3" in done.stdout


def test_the_list_names_every_preset(capsys):
    main(["weights", "list", "--format", "json"])
    listed = json.loads(capsys.readouterr().out)
    assert [(each["network"], each["name"]) for each in listed] == [
        (preset.network, preset.name) for preset in presets.all_presets()
    ]
    assert {each["network"] for each in listed} <= {
        network.name for study in reproductions.studies().values() for network in study.networks
    }


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_lists_every_preset(form, capsys):
    main(["weights", "list", "--format", form])
    listed = capsys.readouterr().out.replace("\\_", "_")
    assert all(preset.file_name in listed for preset in presets.all_presets())


@pytest.mark.parametrize("width", [40, 80, 160])
def test_the_list_fits_the_terminal(width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    main(["weights", "list"])
    listed = capsys.readouterr().out
    assert max(map(len, listed.splitlines())) <= width
    assert len(listed.split("\n\n")) == len(presets.all_presets())


def test_networks_of_one_function_and_arguments_are_related():
    networks = reproductions.networks()
    assert relatives("googlenet", networks) == ["googlenet", "googlenet-quick"]
    assert {"vgg-d", "vgg-d-384"} <= set(relatives("vgg-d", networks)) and "vgg-e" not in relatives("vgg-d", networks)
    assert relatives("alexnet-cifar10-tanh", networks) == ["alexnet-cifar10-tanh"]


def test_an_import_holds_network_and_provenance(published, out):
    given, provenance = tensor_file.read(published), imported.provenance_of(out)
    assert (provenance.network, provenance.preset, provenance.file_name) == (NETWORK, "demo", "net.json")
    assert provenance.sha256 == given.sha256 and provenance.transforms == ("to_half_range",)
    saved = keras.models.load_model(out)  # a normal Keras file
    np.testing.assert_array_equal(saved.get_layer("conv2").kernel, given.tensors["4/conv/filters"])


def test_verbose_names_the_place_of_each_tensor(published, tmp_path, capsys):
    main(["weights", "import", NETWORK, str(published), "--to", str(tmp_path / "new.keras"), "--verbose"])
    lines = capsys.readouterr().out.splitlines()
    assert "10/fc/filters (320, 10) -> fc/kernel (320, 10)" in lines
    assert sum("->" in line for line in lines) == 8
    assert any("is not that of the published file" in line for line in lines)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_an_import_says_whether_it_is_the_published_file(algorithm, published, tmp_path, capsys, monkeypatch):
    preset = replace(presets.find(NETWORK), sha1="", sha256=())
    monkeypatch.setattr(presets, "all_presets", lambda: [preset])
    content = published.read_bytes()
    for known in (content, b"another"):
        checksum = hashlib.new(algorithm, known).hexdigest()
        preset = replace(preset, **{algorithm: checksum if algorithm == "sha1" else (checksum,)})
        main(["weights", "import", NETWORK, str(published), "--to", str(tmp_path / f"{checksum}.keras")])
        assert ("is not that of the published file" in capsys.readouterr().out) == (known != content)


def test_a_pipe_is_not_read(refusal, tmp_path):
    os.mkfifo(tmp_path / "a.keras")
    assert "a.keras is not a file" in refusal("evaluate", "a.keras", "--network", "lenet5")


@pytest.mark.parametrize("options", [{"classes": 10**9}, {"input_size": 10**6}, {"classes": "many"}, {"x": [1]}])
def test_options_of_a_file_are_limited(options, out, refusal):
    provenance = replace(imported.provenance_of(out), network="vgg-d", options=options)
    out.write_bytes(with_member(out.read_bytes(), imported.ENTRY, msgspec.json.encode(provenance)))
    error = refusal("weights", "export", out, "--format", "h5")
    assert "out.keras" in error and "import the weights again" in error and error.count("\n") == 1


@pytest.mark.parametrize("change", ["left over", "missing", "shape"])
def test_a_file_that_does_not_fit_changes_nothing(change, published, refusal, tmp_path):
    content = json.loads(published.read_text(encoding="utf-8"))
    if change == "left over":
        content["layers"].append(content["layers"][1])
    else:
        content["layers"][1]["filters"] = content["layers"][1]["filters"][:-1]
        content["layers"] = content["layers"] if change == "shape" else content["layers"][:-2]
    published.write_text(json.dumps(content), encoding="utf-8")
    error = refusal("weights", "import", NETWORK, published, "--to", "new.keras")
    assert "does not fit convnetjs-cifar10" in error
    assert not list(tmp_path.glob("*.keras"))


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["lenet5", "net.json"], "no published weights of lenet5 are known"),
        (["convnetjs-cifar", "net.json"], "Did you mean 'convnetjs-cifar10'?"),
        ([NETWORK, "net.json", "--preset", "demos"], "Did you mean 'demo'?"),
        ([NETWORK, "net.json", "--to", "out.h5"], "out.h5 must end with .keras"),
        ([NETWORK, "net.pth"], "net.pth contains Python objects (pickles)"),
        ([NETWORK, "other.json"], "other.json is not a file"),
    ],
)
def test_mistakes_of_an_import_get_one_sentence(arguments, message, published, refusal, tmp_path):
    (tmp_path / "net.pth").write_bytes(b"pickle")
    error = refusal("weights", "import", *arguments)
    assert message in error and error.count("\n") == 1


def test_a_file_is_not_overwritten(out, published, refusal):
    before = out.read_bytes()
    assert "exists already" in refusal("weights", "import", NETWORK, published, "--to", out)
    assert out.read_bytes() == before


def test_the_network_of_an_import_need_not_be_named(out, images, capsys, refusal):
    main(["evaluate", str(out)])
    path = out.parent / "weights" / f"{NETWORK}-demo-six-random-views.json"
    record = weights_record.read(path)
    assert f"written to {path}" in capsys.readouterr().out
    assert (record.kind, record.study, record.network) == ("published weights", "convnetjs", NETWORK)
    assert record.weights == imported.provenance_of(out) and not record.sample and record.test.images == 40
    main(["evaluate", str(out)])
    assert "equal to the recorded result" in capsys.readouterr().out
    assert "has weights of convnetjs-cifar10, not of lenet5" in refusal("evaluate", out, "--network", "lenet5")
    replace(record, digest="another").write(path)
    assert "name another file with --to" in refusal("evaluate", out)


def test_damaged_provenance_is_named(out, refusal):
    out.write_bytes(with_member(out.read_bytes(), imported.ENTRY, b'{"network": 3}'))
    assert "got `int` - at `$.reproductions.json.network`" in refusal("evaluate", out)
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(imported.ENTRY, "{}")
    assert "out.keras cannot be read: expected one reproductions.json in it" in refusal("evaluate", out)


@pytest.mark.parametrize(
    "saved, named", [("lenet5-lecture", NETWORK), ("alexnet-cifar10-tanh", "alexnet-cifar10-relu")]
)
def test_a_keras_file_of_another_network_is_refused(saved, named, refusal):
    reproductions.build(saved).save("a.keras")
    assert f"a.keras is of the network {saved}, not of {named}" in refusal(*EXPORT, named)


def test_a_setting_of_another_network_is_refused(refusal):
    googlenet = reproductions.build("googlenet", caffe=True, input_size=32, classes=2)
    googlenet.save("a.keras")
    assert re.search(r"a\.keras does not fit googlenet: in \w+", refusal(*EXPORT, "googlenet"))


def test_classify_names_the_best_classes(out, images, tmp_path, capsys):
    Image.fromarray(images.images[3]).save(tmp_path / "a.png")
    main(["classify", str(tmp_path / "a.png"), "--weights", str(out), "--top", "3", "--protocol", "whole image"])
    title, *rows = capsys.readouterr().out.splitlines()
    pixels = images.images[3:4] / 255 - 0.5
    logits = keras.models.load_model(out).predict(pixels.astype("float32"), verbose=0)[0]
    best = np.argsort(-logits)[:3]
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    assert title.endswith("a.png:") and [row.split()[-1] for row in rows] == [names[label] for label in best]
    shares = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    np.testing.assert_allclose([float(row.split("%")[0]) for row in rows], 100 * shares[best], atol=0.01)


def test_classify_names_a_damaged_image(out, refusal, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    assert "a.png cannot be read: it is not an image" in refusal("classify", "a.png", "--weights", out)
    assert "b.png cannot be read" in refusal("classify", "b.png", "--weights", out)
    assert ". is a folder: name the JPEG or PNG files in it" in refusal("classify", ".", "--weights", out)


def test_images_need_labels_and_imagenet(out, refusal, tmp_path):
    assert "--images and --labels belong together" in refusal("evaluate", out, "--images", ".")
    (tmp_path / "l.txt").write_text("a.png 3")
    assert "is for cifar10" in refusal("evaluate", out, "--images", ".", "--labels", "l.txt")
