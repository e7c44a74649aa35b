"""Scores against numpy, tests that are interrupted, predictions, ensembles, and the command."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from small import classifier, dataset, network, pictures, ramp, recipe, softmax

import reproductions
from reproductions.__main__ import main
from reproductions.lab import canvas, datasets, decoding, evaluate, predictions, scoring
from reproductions.lab.datasets import Pixels
from reproductions.lab.dense import fully_convolutional
from reproductions.lab.errors import UsageError
from reproductions.lab.images import View
from reproductions.lab.protocols import PROTOCOLS, find
from reproductions.lab.statistics import wilson_interval

SIZES = [(40, 60), (60, 40), (33, 33), (40, 60), (50, 60), (40, 60), (60, 40), (35, 80)]


def scores(model, part, name: str, kind: str = "logits") -> np.ndarray:
    return scoring.class_scores(model, kind, part, find(name), (), View(model.input_shape[1]))


def views(part, index: int, name: str, size: int = 28) -> np.ndarray:
    stored = tf.constant(part.read(index))
    return canvas.stacked(find(name), (), View(size))(stored, tf.constant(index, tf.int64)).numpy()


# --- Scores


@pytest.mark.parametrize("name", ["centre crop", "ten crops", "144 crops", "one crop", "12 crops"])
def test_scores_are_the_mean_softmax_over_the_views_of_each_image(name):
    model, part = classifier(), pictures(SIZES)
    expected = [softmax(model(views(part, i, name)).numpy()).mean(axis=0) for i in range(len(SIZES))]
    found = scores(model, part, name)
    assert found.dtype == np.float32 and len(np.unique(found.argmax(axis=1))) > 1
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_scores_of_stored_images_are_the_mean_over_their_patches():
    model, images = classifier(), np.random.default_rng(0).integers(0, 256, (3, 31, 32, 3), dtype=np.uint8)
    expected = []
    for image in images:
        places = [(1, 2), (0, 0), (0, 4), (3, 0), (3, 4)]
        patches = [image[top : top + 28, left : left + 28].astype("float32") for top, left in places]
        both = np.stack([*patches, *[patch[:, ::-1] for patch in patches]])
        expected.append(softmax(model(both).numpy()).mean(axis=0))
    found = scores(model, Pixels(images, np.arange(3)), "ten patches")
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_each_picture_is_read_once_however_many_crops_are_taken():
    part = pictures(SIZES)
    scores(classifier(), part, "144 crops")
    assert sorted(part.reads) == list(range(len(SIZES)))


def test_dense_scores_average_the_map_of_logits_and_the_softmax_over_mirror_and_scales():
    model, part = classifier(), pictures(SIZES)
    wide, expected = fully_convolutional(model), []
    for i in range(len(SIZES)):
        picture, own = decoding.decode_rgb(part.read(i)), []
        for side in (32, 48, 64):
            resized = decoding.short_side(picture, side).numpy()
            own += [softmax(wide(each[np.newaxis]).numpy().mean(axis=(1, 2))) for each in (resized, resized[:, ::-1])]
        expected.append(np.mean(own, axis=0)[0])
    np.testing.assert_allclose(scores(model, part, "dense at 256, 384, 512"), expected, atol=1e-5)


def test_multi_crop_and_dense_is_the_average_of_the_two():
    model, part = classifier(), pictures(SIZES[:2])
    both = [scores(model, part, f"{name} at 256, 384, 512") for name in ("multi-crop", "dense")]
    assert not np.allclose(*both)
    found = scores(model, part, "multi-crop and dense at 256, 384, 512")
    np.testing.assert_allclose(found, np.mean(both, axis=0), atol=1e-6)


def test_pictures_of_one_size_go_together_in_a_dense_test_and_none_is_lost():
    indices, part = np.arange(len(SIZES)), pictures(SIZES)
    groups = scoring.groups(indices, scoring.stored_sizes(part, indices), 2)
    assert sorted(np.concatenate(groups)) == list(range(len(SIZES)))
    assert sorted(map(len, groups)) == [1, 1, 1, 1, 2, 2]
    assert all(len({SIZES[i] for i in group}) == 1 for group in groups)


def test_only_the_main_output_counts():
    plain = classifier()
    part, hidden = pictures(SIZES[:3]), plain.get_layer("fc6").output
    head = keras.layers.Dense(12, name="auxiliary")(hidden)
    for outputs in {"main": plain.output, "auxiliary": head}, [plain.output, head]:
        model = keras.Model(plain.input, outputs)
        np.testing.assert_allclose(scores(model, part, "centre crop"), scores(plain, part, "centre crop"), atol=1e-6)


def test_the_smallest_penalty_wins():
    images = keras.Input((2, 2, 1))
    model = keras.Model(images, keras.layers.Flatten()(images))
    part = Pixels(np.array([[[9, 2], [5, 7]], [[3, 8], [9, 1]]], np.uint8), np.array([1, 0]))
    found = scoring.class_scores(model, "penalties", part, find("whole image"), ("to_input",), View(2))
    np.testing.assert_array_equal(found, [[-9, -2, -5, -7], [-3, -8, -9, -1]])


@pytest.fixture(autouse=True)
def a_step_for_small_images(monkeypatch):
    from reproductions.lab import images

    monkeypatch.setitem(images.STEPS, "to_input", lambda image, key, view: tf.cast(image, tf.float32)[..., tf.newaxis])


def test_what_does_not_fit_is_refused():
    model, part = classifier(), pictures(SIZES[:3])
    array = Pixels(np.zeros((2, 28, 28, 3), np.uint8), np.array([0, 1]))
    with pytest.raises(UsageError, match="'ten crops' takes crops of photographs"):
        scores(model, array, "ten crops")
    larger = Pixels(np.zeros((2, 32, 32, 3), np.uint8), np.array([0, 1]))
    with pytest.raises(UsageError, match="gives classifier-tested images of 32x32x3, but it takes 28x28x3"):
        scores(model, larger, "whole image")
    with pytest.raises(UsageError, match="have no blacklist"):
        scores(model, array, "whole image, non-blacklisted")
    model.get_layer("fc7").bias.assign(np.full(12, np.nan))
    with pytest.raises(UsageError, match="its weights have diverged"):
        scores(model, part, "centre crop")
    with pytest.raises(UsageError, match="classifier has 2 classes, but the data have one numbered 2"):
        evaluate.test(classifier(classes=2), network(), recipe(), dataset(part))
    with pytest.raises(UsageError, match="cannot be tested densely"):
        pooled = keras.Sequential([keras.Input((28, 28, 3)), keras.layers.GlobalAveragePooling2D()])
        fully_convolutional(pooled)


# --- Fully convolutional networks


@pytest.mark.parametrize("name, size", [("vgg-a", 32), ("alexnet", 67), ("zfnet", 63)])
def test_the_papers_networks_give_their_own_logits_once_convolutional(name, size):
    model = reproductions.build(name, classes=5, input_size=size)
    random = np.random.default_rng(1)
    picture = random.normal(0, 50, (2, size, size, 3)).astype("float32")
    for layer in model.layers:
        if layer.weights and layer.weights[0].ndim > 1:
            fan_in = np.prod(layer.kernel.shape[:-1])
            layer.kernel.assign(random.normal(0, (2 / fan_in) ** 0.5, layer.kernel.shape))
    wide = fully_convolutional(model)
    assert wide.input_shape == (None, None, None, 3) and wide.count_params() == model.count_params()
    expected, found = model(picture).numpy(), wide(picture).numpy()
    assert found.shape == (2, 1, 1, 5) and np.abs(expected).max() > 1e-2
    np.testing.assert_allclose(found[:, 0, 0], expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    assert wide(np.zeros((1, size + 32, size + 64, 3), "float32")).shape[1:3] != (1, 1)


def test_a_larger_image_gives_a_map_of_the_logits_of_its_crops():
    model = classifier(size=22, padding="valid")  # the paper's own padding would differ at the edges of crops
    wide, picture = fully_convolutional(model), ramp(34, 42)[np.newaxis].astype("float32")
    found = wide(picture).numpy()[0]
    assert found.shape == (4, 6, 12)
    for i in range(4):
        for j in range(6):
            crop = picture[:, 4 * i : 4 * i + 22, 4 * j : 4 * j + 22]
            np.testing.assert_allclose(found[i, j], model(crop).numpy()[0], rtol=1e-4, atol=1e-4)


# --- Figures


def test_figures_are_counts_of_answers_and_of_best_fives():
    random = np.random.default_rng(1)
    given, labels = random.random((300, 20)).astype("float32"), random.integers(0, 20, 300)
    best = np.argsort(-given, axis=1)[:, :5]
    wrong, outside = (best[:, 0] != labels).sum(), sum(label not in five for label, five in zip(labels, best))
    told = predictions.figures(given, labels)
    assert (told["errors"], told["top5_errors"], told["images"]) == (wrong, outside, 300)
    assert told["top5_error"] == outside / 3
    assert told["top5_interval"] == list(wilson_interval(outside, 300))
    assert told["per_class"] == [(labels == c).sum() for c in range(20)]
    rows = predictions.by_class(given, labels)
    assert sum(row["errors"] for row in rows) == wrong and sum(row["top5_errors"] for row in rows) == outside


def test_of_equal_scores_the_first_class_wins_and_ten_classes_have_no_best_five():
    equal = np.ones((10, 10), "float32")
    told = predictions.figures(equal, np.arange(10))
    assert told["errors"] == 9 == (predictions.predicted_classes(equal) != np.arange(10)).sum()
    assert "top5_error" not in told
    assert predictions.figures(np.ones((11, 11), "float32"), np.arange(11))["top5_errors"] == 6


# --- Tests of networks, kept and gone on with


def test_a_test_says_its_protocol_and_saves_what_figures_are_made_from(tmp_path):
    part = pictures(SIZES)
    told, given = evaluate.test(classifier(), network(), recipe(), dataset(part), tested=tmp_path)
    assert told["protocol"] == "ten crops" and told["images"] == 8
    saved = predictions.read(tmp_path / "predictions" / "ten-crops.npz")
    np.testing.assert_array_equal(saved.scores, given)
    np.testing.assert_array_equal(saved.labels, part.labels)
    np.testing.assert_array_equal(saved.names, part.filenames)
    assert {**predictions.figures(saved.scores, saved.labels), "protocol": saved.told["protocol"]} == told
    assert [path.name for path in (tmp_path / "predictions").iterdir()] == ["ten-crops.npz"]


def test_blacklisted_images_are_left_out_where_asked(tmp_path):
    part, model = pictures(SIZES), classifier()
    everything = evaluate.test(model, network(), recipe(), dataset(part), PROTOCOLS["centre crop"])[1]
    protocol = find("centre crop, non-blacklisted")
    told, given = evaluate.test(model, network(), recipe(), dataset(part), protocol, tmp_path)
    assert told["images"] == 6 and told["protocol"] == "centre crop, non-blacklisted"
    np.testing.assert_allclose(given, everything[~part.blacklisted], atol=1e-6)
    saved = predictions.read(predictions.path_of(tmp_path, protocol))
    assert list(saved.names) == [f"val_{i:03d}.JPEG" for i in (0, 2, 3, 4, 6, 7)]


@pytest.mark.parametrize("name", ["ten crops", "dense at 224, 256, 288"])
def test_an_interrupted_test_goes_on_where_it_stopped(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(scoring, "BATCH", 10)
    part, model, protocol = pictures(SIZES * 2), classifier(), PROTOCOLS[name]
    whole = evaluate.test(model, network(), recipe(), dataset(part), protocol)
    reads = len(part.reads)
    part.break_after = 3 * reads // 2
    with pytest.raises(tf.errors.OpError, match="the disk is gone"):
        evaluate.test(model, network(), recipe(), dataset(part), protocol, tmp_path)
    assert not predictions.path_of(tmp_path, protocol).exists()
    part.break_after, before = None, len(part.reads)
    again = evaluate.test(model, network(), recipe(), dataset(part), protocol, tmp_path)
    assert "going on after" in capsys.readouterr().out
    assert len(part.reads) - before < reads
    assert again[0] == whole[0]
    np.testing.assert_allclose(again[1], whole[1], atol=1e-6)
    assert len(list((tmp_path / "predictions").iterdir())) == 1


def test_a_test_goes_on_in_batches_of_another_size(tmp_path, monkeypatch):
    part, model = pictures(SIZES * 5), classifier()
    monkeypatch.setattr(scoring, "BATCH", 30)
    part.break_after = 20
    with pytest.raises(tf.errors.OpError):
        evaluate.test(model, network(), recipe(), dataset(part), tested=tmp_path)
    part.break_after = None
    monkeypatch.setattr(scoring, "BATCH", 40)
    found = evaluate.test(model, network(), recipe(), dataset(part), tested=tmp_path)[1]
    np.testing.assert_allclose(found, scores(model, part, "ten crops"), atol=1e-6)


def test_what_is_left_of_a_test_of_other_weights_is_not_taken_up(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(scoring, "BATCH", 20)
    part = pictures(SIZES * 5)
    part.break_after = 20
    with pytest.raises(tf.errors.OpError):
        evaluate.test(classifier(seed=1), network(), recipe(), dataset(part), tested=tmp_path)
    part.break_after, other = None, classifier(seed=2)
    found = evaluate.test(other, network(), recipe(), dataset(part), tested=tmp_path)[1]
    assert "going on" not in capsys.readouterr().out
    np.testing.assert_allclose(found, scores(other, part, "ten crops"), atol=1e-6)


def test_validation_sees_the_centre_of_a_photograph_and_the_whole_of_a_stored_image():
    part = pictures(SIZES[:1])
    view, stored = View(28), tf.constant(part.read(0))
    for name, same in [("144 crops", "centre crop"), ("dense at 256", "centre crop"), ("one crop", "one crop")]:
        found = evaluate.one_view(recipe(protocol=name), view, part)(stored)
        np.testing.assert_array_equal(found, views(part, 0, same)[0])
    patch = evaluate.one_view(recipe(protocol="ten patches"), View(2), part)
    np.testing.assert_array_equal(patch(np.arange(16).reshape(4, 4, 1))[..., 0], [[5, 6], [9, 10]])
    whole = evaluate.one_view(recipe(protocol="whole image", images=("to_input",)), View(2), part)
    np.testing.assert_array_equal(whole(np.eye(2, dtype=np.uint8))[..., 0], np.eye(2))


TWO_DEVICES = """
import sys
import numpy as np
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from small import classifier, pictures
from reproductions.lab import scoring
from reproductions.lab.images import View
from reproductions.lab.protocols import PROTOCOLS
part = pictures([(40, 60)] * 3 + [(60, 40)] * 2)
for name in "144 crops", "ten crops", "dense at 224, 256, 288":
    found = []
    for strategy in tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]):
        with strategy.scope():
            model = classifier()
        found.append(scoring.class_scores(model, "logits", part, PROTOCOLS[name], (), View(28)))
    np.testing.assert_allclose(*found, atol=1e-5)
"""


@pytest.mark.slow
def test_several_devices_give_the_scores_of_one():
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES], cwd=Path(__file__).parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


# --- Ensembles


@pytest.fixture
def two_tested(tmp_path):
    part = pictures(SIZES)
    runs = [tmp_path / "one", tmp_path / "two"]
    for seed, run in enumerate(runs, 1):
        run.mkdir()
        evaluate.test(classifier(seed=seed), network(), recipe(), dataset(part), tested=run)
    return runs


def test_an_ensemble_averages_saved_scores(two_tested, capsys):
    each = [predictions.read(run / "predictions" / "ten-crops.npz") for run in two_tested]
    told, mean, _ = predictions.ensemble(two_tested, PROTOCOLS["ten crops"])
    np.testing.assert_allclose(mean, (each[0].scores + each[1].scores) / 2, atol=1e-7)
    assert told == {**predictions.figures(mean, each[0].labels), "protocol": "ten crops"}
    main(["evaluate", "--ensemble", *map(str, two_tested), "--protocol", "ten crops"])
    shown = capsys.readouterr().out
    low = told["top5_interval"][0]
    assert f"test error {told['error']:.2f}% ({told['errors']} of 8; 95% interval" in shown
    assert f"top-5 error {told['top5_error']:.2f}% ({told['top5_errors']} of 8; 95% interval {low:.2f} to" in shown


def test_an_ensemble_of_what_does_not_belong_together_is_refused(two_tested):
    one, two = two_tested
    ten = PROTOCOLS["ten crops"]
    with pytest.raises(UsageError, match=r"one has no predictions .* reproduce evaluate .*one --protocol '144 crops'"):
        predictions.ensemble([one, two], PROTOCOLS["144 crops"])
    with pytest.raises(UsageError, match="two runs or more"):
        predictions.ensemble([one], ten)
    path = predictions.path_of(two, ten)
    saved = predictions.read(path)
    changes = [
        (dict(told={**saved.told, "sha256": "1" * 64}), "differ in the data"),
        (dict(names=saved.names[::-1]), "another order"),
        (dict(labels=saved.labels[::-1]), "another order"),
        (dict(scores=saved.scores[:, :5]), "they do not fit"),
    ]
    for change, says in changes:
        replace(saved, **change).write(path)
        with pytest.raises(UsageError, match=says):
            predictions.ensemble([one, two], ten)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UsageError, match=r"ten-crops\.npz cannot be read"):
        predictions.ensemble([one, two], ten)


# --- The command


@pytest.fixture
def suite(monkeypatch):
    """The command, with a small network and its pictures in place of those of the suite."""
    data = dataset(pictures(SIZES))
    monkeypatch.setattr(reproductions, "find_network", lambda name, study=None: network())
    monkeypatch.setattr(reproductions, "find_study", lambda name: None)
    monkeypatch.setitem(datasets.LOADERS, "pictures", lambda folder: data)
    return data


def test_weights_in_a_file_are_tested_by_the_protocol_that_is_named(suite, tmp_path, capsys):
    model = classifier()
    for name in "a.keras", "a.weights.h5":
        path = tmp_path / name
        model.save(path) if path.suffix == ".keras" else model.save_weights(path)
        main(["evaluate", str(path), "--network", "classifier", "--protocol", "12 crops", "--by-class"])
        given = predictions.read(tmp_path / f"{name}.predictions" / "12-crops.npz").scores
        np.testing.assert_allclose(given, scores(model, suite.test, "12 crops"), atol=1e-6)
        told = predictions.figures(given, suite.test.labels)
        shown = capsys.readouterr().out
        assert f"classifier, 12 crops:\n    test error {told['error']:.2f}%" in shown
        assert len([line for line in shown.splitlines() if line.strip()[:1].isdigit()]) == 8


def made_up_run(folder: Path, data) -> dict:
    """A run's folder with a network and a record; what is not of the test is made up."""
    folder.mkdir()
    model = classifier()
    model.save(folder / "model.keras")
    test, _ = evaluate.test(model, network(), recipe(), data)
    record = json.loads(sorted(reproductions.RUNS.glob("*.json"))[0].read_text())
    record |= {"network": "classifier", "recipe": recipe().as_data(), "test": test, "misclassified": []}
    record["data"] |= {"name": data.name, "sha256": data.sha256}
    (folder / "record.json").write_text(json.dumps(record))
    return record


def test_a_run_is_held_against_its_record_which_takes_up_tests_by_other_protocols(suite, tmp_path, capsys):
    run = tmp_path / "run"
    record = made_up_run(run, suite)
    main(["evaluate", str(run)])
    assert "as its record says" in capsys.readouterr().out
    assert json.loads((run / "record.json").read_text()) == record
    main(["evaluate", str(run), "--protocol", "centre crop", "--non-blacklisted"])
    told = json.loads((run / "record.json").read_text())["tests"]
    assert list(told) == ["centre crop, non-blacklisted"] and told["centre crop, non-blacklisted"]["images"] == 6
    main(["evaluate", str(run), "--protocol", "centre crop, non-blacklisted"])
    assert "as its record says" in capsys.readouterr().out
    record["test"]["errors"] += 1
    (run / "record.json").write_text(json.dumps(record))
    with pytest.raises(SystemExit, match="but its record says"):
        main(["evaluate", str(run)])


def test_committed_records_are_of_the_protocol_of_their_recipes():
    from reproductions.lab import record

    for path in reproductions.RUNS.glob("*.json"):
        told = record.read(path)
        assert evaluate.recipe_of(told).protocol == told.protocol, path


@pytest.mark.parametrize(
    "words, says",
    [
        (["run"], "run/record.json does not exist"),
        (["a.keras"], "name the network in a.keras with --network"),
        (["a.keras", "--network", "classifier"], "a.keras does not exist"),
        (["a.weights.h5", "--network", "lenet6"], "there is no network 'lenet6'; choose from: lenet5"),
        (["run", "--protocol", "nine crops"], "there is no protocol 'nine crops'; choose from: whole image"),
        (["run", "--non-blacklisted"], "--non-blacklisted needs --protocol"),
        (["one", "two"], "name one run, or one file of weights, or several runs with --ensemble"),
        (["one", "two", "--ensemble"], "--ensemble needs --protocol"),
        (["one", "two", "--ensemble", "--protocol", "ten crops"], "one has no predictions by this protocol"),
    ],
)
def test_mistakes_get_one_sentence(words, says, tmp_path, monkeypatch, capsys, request):
    monkeypatch.chdir(tmp_path)
    if "classifier" in words:
        request.getfixturevalue("suite")
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", *words])
    told = capsys.readouterr().err
    assert ended.value.code == 2 and says in told and told.count("\n") == 1


def test_damaged_weights_are_named(suite, tmp_path, capsys):
    (tmp_path / "a.keras").write_bytes(b"PK damaged")
    with pytest.raises(SystemExit):
        main(["evaluate", str(tmp_path / "a.keras"), "--network", "classifier"])
    assert "a.keras cannot be read" in capsys.readouterr().err
