"""Networks in formats of other programs: the same outputs there, and nothing that is not right is left in place."""

import json
import os
import signal
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from keras import ops

import reproductions
from reproductions.cli import export as command
from reproductions.cli.main import main
from reproductions.lab import files
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import export
from reproductions.lab.evaluation.export import Exported
from reproductions.lab.spec.provenance import Provenance
from reproductions.lab.weights import imported
from reproductions.lab.weights.suite_file import Contents
from tests.helpers.networks import assert_close, random_images, with_random_weights
from tests.helpers.trained_runs import write_run

SMALL = {"input_size": 64, "classes": 10}
NETWORKS = {"lenet5": {}, "bn-googlenet": SMALL}
# Together they have every layer of the suite.
CUSTOM_LAYERS = {"lenet1": {}, "lecun1989": {}, "alexnet-cifar10": {}, "alexnet-cifar10-tanh": {}}
CUSTOM_BLOCKS = {
    "alexnet": {**SMALL, "input_size": 67},
    "googlenet": {**SMALL, "caffe": True},
    "bn-inception": {**SMALL, "caffe": True},
    "inception-v2": {**SMALL, "input_size": 75},
    "inception-v3": {**SMALL, "input_size": 75},
    "inception-v4": {**SMALL, "input_size": 75},
    "inception-resnet-v1": {**SMALL, "input_size": 75},
}


def made(name, options):
    """A network with weights that are not its first ones, as it is exported."""
    model = with_random_weights(reproductions.build(name, **options))
    return Exported(model, Contents(name, provenance=Provenance(name, "made", "tests", "a", "0" * 64, options)))


@pytest.fixture(scope="module", params=NETWORKS)
def exported(request):
    return made(request.param, NETWORKS[request.param])


def outputs(exported, images):
    return ops.convert_to_numpy(exported.model(images, training=False))


def test_the_command_has_every_format():
    assert tuple(export.FORMATS) == command.FORMATS


def test_onnx_gives_the_same_outputs_for_any_number_of_images(exported, tmp_path):
    path = tmp_path / "a.onnx"
    difference = export.export(exported, export.FORMATS["onnx"], path)
    print(f"{exported.model.name} in ONNX: {difference:.1e}")
    assert difference < 1e-5 and [each.name for each in tmp_path.iterdir()] == ["a.onnx"]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    images = random_images(exported.model, 3)
    (found,) = session.run(None, {"images": images})
    assert_close(found, outputs(exported, images), 1e-5)
    (entry,) = onnx.load(path).metadata_props
    assert json.loads(entry.value)["network"] == exported.contents.network


@pytest.mark.parametrize("exported", ["lenet5", pytest.param("bn-googlenet", marks=pytest.mark.slow)], indirect=True)
def test_a_saved_model_gives_the_same_outputs(exported, tmp_path):
    path = tmp_path / "saved"
    export.export(exported, export.FORMATS["savedmodel"], path)
    assert [each.name for each in tmp_path.iterdir()] == ["saved"]
    images = random_images(exported.model, 3)
    loaded = tf.saved_model.load(str(path))
    assert_close(np.asarray(loaded.serve(images)), outputs(exported, images), 1e-5)


@pytest.mark.parametrize("kind", ["safetensors", "h5"])
def test_weights_are_read_back(exported, tmp_path, kind):
    form = export.FORMATS[kind]
    path = tmp_path / f"a{form.ending}"
    assert export.export(exported, form, path) == 0
    if kind == "safetensors":
        loaded = reproductions.load(path)
    else:
        loaded = reproductions.build(exported.contents.network, **exported.contents.provenance.options)
        loaded.load_weights(path)
    images = random_images(exported.model, 3)
    np.testing.assert_array_equal(ops.convert_to_numpy(loaded(images)), outputs(exported, images))


def check_onnx(path, name, options):
    difference = export.export(made(name, options), export.FORMATS["onnx"], path)
    print(f"{name} in ONNX: {difference:.1e}")


@pytest.mark.parametrize("name", CUSTOM_LAYERS)
def test_every_layer_can_be_written_as_onnx(tmp_path, name):
    check_onnx(tmp_path / "a.onnx", name, CUSTOM_LAYERS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", CUSTOM_BLOCKS)
def test_every_block_can_be_written_as_onnx(tmp_path, name):
    check_onnx(tmp_path / "a.onnx", name, CUSTOM_BLOCKS[name])


def test_a_file_with_other_outputs_is_not_left(tmp_path):
    def wrong(path, model, images):
        return 1.001 * export.onnx_outputs(path, model, images)

    form = replace(export.FORMATS["onnx"], outputs=wrong)
    with pytest.raises(UsageError, match=r"a\.onnx is not written: .* gives other outputs, by 1\.0e-03"):
        export.export(made("lenet1", {}), form, tmp_path / "a.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", export.FORMATS)
def test_a_failure_is_one_sentence_and_leaves_nothing(tmp_path, kind):
    def fails(path, model, images):
        raise NotImplementedError("no such operator\nand more")

    form = replace(export.FORMATS[kind], outputs=fails)
    with pytest.raises(UsageError, match=r"lenet1 cannot be written as .*: no such operator; choose another --format"):
        export.export(made("lenet1", {}), form, tmp_path / f"a{form.ending}")
    assert list(tmp_path.iterdir()) == []


# --- The command


def test_a_run_is_exported(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    model, _ = write_run(tmp_path / "run")
    main(["weights", "export", "run", "--format", "safetensors"])
    output = capsys.readouterr().out
    assert "lenet1 is written to lenet1.safetensors" in output and "output: penalties of 10 classes" in output
    main(["weights", "export", "lenet1.safetensors", "--format", "h5", "--to", "new/lenet1.weights.h5"])
    again = reproductions.load("new/lenet1.weights.h5", "lenet1")
    for own, other in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(own, other)


def test_a_run_in_mixed_precision_is_exported_in_float32(tmp_path):
    from reproductions.lab.evaluation import tested

    _, record = write_run(tmp_path / "run")
    record = replace(record, execution=replace(record.execution, precision="mixed_bfloat16"))
    record.write(tmp_path / "run" / "record.json")
    found = tested.find(tmp_path / "run", None, reproductions.networks())
    exported = export.load(found)
    assert exported.model.compute_dtype == "float32" and exported.contents.precision == "float32"


def test_imported_weights_keep_their_provenance(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exported = made("googlenet", SMALL)
    imported.write(tmp_path / "a.keras", exported.model, exported.contents.provenance)
    main(["weights", "export", "a.keras", "--format", "safetensors"])
    from reproductions.lab.weights import suite_file

    assert suite_file.contents_of(tmp_path / "googlenet.safetensors").provenance == exported.contents.provenance


def test_mistakes_of_an_export_get_one_sentence(tmp_path, refusal, monkeypatch):
    write_run(tmp_path / "run")
    (tmp_path / "b.onnx").touch()
    arguments = ("weights", "export", "run", "--format", "onnx", "--to")
    assert "b.onnx exists already" in refusal(*arguments, "b.onnx")
    assert "c.pb must end with .onnx" in refusal(*arguments, "c.pb")
    monkeypatch.setattr(export.importlib.util, "find_spec", lambda name: None)
    assert "ONNX needs tf2onnx, onnx, onnxruntime: install the extra `export`" in refusal(*arguments, "c.onnx")


def test_what_a_killed_export_left_is_not_in_the_next(tmp_path):
    left = tmp_path / f"{files.UNFINISHED}{os.getpid()}-a"
    left.mkdir()
    (left / "half").touch()
    with files.atomic_folder(tmp_path / "a") as unfinished:
        assert not unfinished.exists()
        unfinished.mkdir()
    assert not list((tmp_path / "a").iterdir())
    left.mkdir()
    files.remove_unfinished(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


SLOW_EXPORT = """
import time
from pathlib import Path
import keras
def write_half(model, path, **options):
    Path(path).mkdir(exist_ok=True)
    (Path(path) / "half").touch()
    print("half", flush=True)
    time.sleep(60)
keras.Model.export = write_half
"""


def test_an_export_that_is_asked_to_stop_leaves_nothing(reproduce):
    process = reproduce.start(
        "weights", "export", "lenet5", "--format", "savedmodel", "--to", "out", before=SLOW_EXPORT
    )
    while "half" not in (line := process.stdout.readline()):
        assert line, process.stderr.read()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143 and not list(reproduce.folder.glob("*out*"))
