"""Searches for settings: a tiny network on made-up images, interrupted, gone on with, and never shown the test part."""

import json
from argparse import Namespace
from collections import Counter
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import keras
import numpy as np
import pytest
from tensorflow.python.framework import config as tensorflow_config

from reports.pages import templates
from reports.sections import tuning as searches
from reproductions.cli import tune as tuning
from reproductions.lab import environment
from reproductions.lab.data import registry
from reproductions.lab.data.base import Dataset, InMemoryImages
from reproductions.lab.errors import UsageError
from reproductions.lab.results import run_record, trial_record
from reproductions.lab.spec import Choice, IntRange, LogUniform, Network, Recipe, Study, keras_object
from reproductions.lab.training import finalize, loop
from reproductions.lab.tuning import search


@pytest.fixture(scope="module", autouse=True)
def undone():
    """Training turns op determinism on for the whole process: other tests are not to have it."""
    yield
    tensorflow_config.disable_op_determinism()


class Unseen:
    """A test part that nobody may look at."""

    def __getattr__(self, name):
        raise AssertionError(f"the test part was asked for its {name}")


def part(count: int, seed: int) -> InMemoryImages:
    """Images of two classes, dark and bright, with so much noise that some cannot be told."""
    random = np.random.default_rng(seed)
    labels = (np.arange(count) % 2).astype("uint8")
    images = random.normal(110 + 30 * labels[:, None, None], 60, (count, 28, 28)).clip(0, 255)
    return InMemoryImages(images.astype("uint8"), labels)


def dense(width: int = 2, dropout: float = 0.0) -> keras.Model:
    """Images (batch, 32, 32, 1) to logits (batch, 2)."""
    images = keras.Input((32, 32, 1))
    x = keras.layers.Dense(width, activation="tanh")(keras.layers.Flatten()(images))
    x = keras.layers.Dropout(dropout)(x)
    return keras.Model(images, keras.layers.Dense(2)(x))


RECIPE = Recipe(
    dataset="made-up",
    train_transforms=("lenet_field",),
    optimizer=keras_object("SGD"),
    loss=keras_object("SparseCategoricalCrossentropy", from_logits=True),
    learning_rate=((1, 0.01), (2, 0.005)),
    batch_size=16,
    epochs=2,
)
SEARCH_SPACE = {
    "learning_rate": LogUniform(0.0001, 0.1), "batch_size": Choice((8, 16)), "width": IntRange(1, 4), "dropout": Choice((0.0, 0.5)),
}  # fmt: skip
NETWORK = Network("dense", dense, RECIPE, search_space=SEARCH_SPACE)
STUDY = Study("made-up", "A study", "Nobody", 2018, "", (NETWORK,))


@pytest.fixture(autouse=True)
def data(monkeypatch):
    """The made-up data; returns a dictionary whose "test" may be replaced."""
    parts = {"test": Unseen()}

    def load(data_dir):
        return Dataset("made-up", "a test", "memory", "0" * 64, part(64, 1), part(50, 2), parts["test"])

    monkeypatch.setitem(registry.LOADERS, "made-up", load)
    return parts


@pytest.fixture
def passes(monkeypatch):
    """Counts the passes that are trained."""
    counted = Counter()
    one_pass = loop.Training.one_pass

    def count(training, todo):
        counted["passes"] += 1
        one_pass(training, todo)

    monkeypatch.setattr(loop.Training, "one_pass", count)
    return counted


def searched(run_dir: Path, network: Network = NETWORK, **asked) -> search.Bench:
    """A whole search; its bench."""
    bench = search.bench(STUDY, network, search.Search(run_dir=run_dir, **asked))
    run_dir.mkdir(exist_ok=True)
    search.begin(bench)
    search.run(search.tuner(bench))
    return bench


def outcomes(run_dir: Path) -> list[tuple]:
    return [(trial.settings, trial.passes, trial.error) for trial in trial_record.read_all(run_dir)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The folder of a random search of three trials. Not to be written to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(
            registry.LOADERS,
            "made-up",
            lambda _: Dataset("made-up", "a test", "memory", "0" * 64, part(64, 1), part(50, 2), Unseen()),
        )
        folder = tmp_path_factory.mktemp("search") / "run"
        searched(folder, max_trials=3)
    return folder


def test_every_trial_is_written_down_with_its_settings_as_they_were_run(undisturbed):
    found = trial_record.read_all(undisturbed)
    assert len(found) == 3
    for trial in found:
        assert set(trial.settings) == set(SEARCH_SPACE)
        assert trial.recipe["batch_size"] == trial.settings["batch_size"] and trial.recipe["splits"] == ["train"]
        assert trial.recipe["learning_rate"][0] == [1, trial.settings["learning_rate"]]
        assert trial.recipe["options"] == {name: trial.settings[name] for name in ("width", "dropout")}
        assert [row["epoch"] for row in trial.rows] == [1, 2]
        assert trial.error == trial.rows[-1]["val_error"] and trial.seconds > 0 and trial.failed is None
        assert trial.code == finalize.code_state() and trial.execution["threads"] == environment.threads()
    assert min(trial.error for trial in found) < 45, "nothing was learnt"
    assert not [path for path in (undisturbed / "trials").iterdir() if path.is_dir()], "states are left behind"


def test_an_interrupted_search_loses_the_trial_in_flight_at_most(undisturbed, tmp_path, monkeypatch, passes):
    end_of_pass = loop.Training.end_of_pass
    ends = {4: RuntimeError("a fault of our own"), 6: KeyboardInterrupt()}

    def broken_off(training, held_out):
        if passes["passes"] in ends:
            raise ends.pop(passes["passes"])
        end_of_pass(training, held_out)

    monkeypatch.setattr(loop.Training, "end_of_pass", broken_off)
    with pytest.raises(RuntimeError, match="of our own"):
        searched(tmp_path / "run", max_trials=3)
    assert len(trial_record.read_all(tmp_path / "run")) == 1
    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path / "run", max_trials=3, resume=True)
    assert len(trial_record.read_all(tmp_path / "run")) == 2
    searched(tmp_path / "run", max_trials=3, resume=True)
    assert passes["passes"] == 8, "each time, no more than the pass in flight is trained again"
    assert outcomes(tmp_path / "run") == outcomes(undisturbed)


def test_a_finished_search_goes_on_where_more_trials_are_asked_for_even_if_the_oracle_is_damaged(
    undisturbed, tmp_path, passes
):
    searched(tmp_path / "run", max_trials=1)
    passes.clear()
    searched(tmp_path / "run", max_trials=1, resume=True)
    assert passes["passes"] == 0
    searched(tmp_path / "run", max_trials=2, resume=True)
    assert passes["passes"] == 2
    state = tmp_path / "run" / "oracle" / "oracle.json"
    state.write_text(state.read_text()[:100])
    searched(tmp_path / "run", max_trials=3, resume=True)
    assert passes["passes"] == 4, "records answer for the first two"
    assert outcomes(tmp_path / "run") == outcomes(undisturbed)


def test_another_search_in_the_folder_is_refused(undisturbed, tmp_path):
    with pytest.raises(UsageError, match="holds a search already: go on with --resume"):
        searched(undisturbed, max_trials=4)
    with pytest.raises(UsageError, match=r"holds a run with another seed \(1, not 2\)"):
        searched(undisturbed, max_trials=4, seed=2, resume=True)
    narrower = replace(NETWORK, search_space={"learning_rate": LogUniform(0.01, 0.02)})
    with pytest.raises(UsageError, match="another search_space"):
        searched(undisturbed, narrower, max_trials=4, resume=True)


def test_hyperband_goes_on_with_promoted_trials_where_they_stopped(tmp_path, passes):
    searched(tmp_path / "run", tuner="hyperband", epochs=3)
    found = trial_record.read_all(tmp_path / "run")
    longest = Counter()
    for trial in found:
        assert len(trial.rows) == trial.passes
        longest[trial_record.name_of(trial.settings)] = max(longest[trial_record.name_of(trial.settings)], trial.passes)
    assert {trial.passes for trial in found} == {1, 3} and len(found) > len(longest)
    assert passes["passes"] == sum(longest.values()), "no pass is trained twice"
    assert trial_record.best_of(found).passes == 3
    by_name = {}
    for trial in sorted(found, key=lambda trial: trial.passes):
        before = by_name.setdefault(trial_record.name_of(trial.settings), trial)
        assert trial.rows[: before.passes] == before.rows


def test_bayesian_searches_draw_conclusions(tmp_path):
    network = replace(NETWORK, search_space={"learning_rate": LogUniform(1e-6, 0.1)})
    searched(tmp_path / "run", network, tuner="bayesian", max_trials=4)
    assert len({trial.settings["learning_rate"] for trial in trial_record.read_all(tmp_path / "run")}) == 4


def test_settings_that_diverge_fail_and_the_search_goes_on(tmp_path):
    network = replace(NETWORK, search_space={"learning_rate": Choice((0.01, 1e38))})
    bench = searched(tmp_path / "run", network, max_trials=2)
    found = {trial.settings["learning_rate"]: trial for trial in trial_record.read_all(tmp_path / "run")}
    assert found[0.01].failed is None and len(found) == 2
    assert found[1e38].error is None and "in step" in found[1e38].failed
    best = trial_record.best_of(list(found.values()))
    assert best.settings == {"learning_rate": 0.01} and search.best_recipe(bench, best) == {}
    assert list(searches.table(list(found.values()))["validation error"])[1:] == ["failed"]


def test_the_winner_is_trained_by_its_recipe_on_all_parts_and_tested(tmp_path, data, capsys):
    bench = searched(tmp_path / "run", max_trials=2, epochs=1)
    data["test"] = part(40, 3)
    tuning.finish(bench, 2)
    best = trial_record.best_of(trial_record.read_all(tmp_path / "run"))
    told = json.loads((tmp_path / "run" / "best.json").read_text())
    assert told["learning_rate"][0] == [1, best.settings["learning_rate"]] and best.passes == 1
    assert not {"epochs", "splits"} & set(told), "it is trained for the recipe's passes, on its parts"
    name = f"{trial_record.name_of(best.settings)}-{best.passes}"
    runs = [run_record.read(tmp_path / "run" / f"best-{name}-seed{seed}" / "record.json") for seed in (1, 2)]
    for run in runs:
        assert run.recipe == {**RECIPE.as_data(), **told} and run.test["images"] == 40
    shown = capsys.readouterr().out
    mean = sum(run.test["error"] for run in runs) / 2
    assert f"dense by the best recipe: test error {mean:.2f} ± " in shown
    assert f"validation error {best.error:.2f}% after 1 pass(es)" in shown


def test_the_test_part_is_out_of_reach_of_a_search(tmp_path, data):
    data["test"] = part(40, 3)
    bench = search.bench(STUDY, NETWORK, search.Search(run_dir=tmp_path))
    with pytest.raises(AssertionError, match="test part was looked at"):
        bench.data.sizes()
    assert bench.data.classes == 2 and bench.recipe({"batch_size": 8}, 1).splits == ("train",)


def test_what_cannot_be_searched_is_refused(tmp_path):
    for network, asked, says in (
        (replace(NETWORK, search_space={}), {}, "dense names no search_space to search"),
        (NETWORK, {"max_trials": 0}, "--max-trials must be at least 1; got 0"),
        (NETWORK, {"max_trials": 3, "tuner": "hyperband"}, "--max-trials is not for hyperband"),
        (NETWORK, {"epochs": 0}, "--epochs must be at least 1; got 0"),
        (replace(NETWORK, search_space={"depth": Choice((1, 2))}), {"max_trials": 1}, "dense has one depth only"),
    ):
        with pytest.raises(UsageError, match=says):
            searched(tmp_path / "run", network, **asked)


@pytest.mark.parametrize("name", ["workers", "retrain"])
def test_counts_that_make_no_sense_are_refused(name):
    options = {"study": "lenet5", "network": None, "workers": 1, "retrain": 0, name: -1}
    with pytest.raises(UsageError, match=f"--{name} must be at least"):
        tuning.tune(Namespace(**options))


def made_up(error: float | None, **settings) -> trial_record.Trial:
    failed = "it diverged" if error is None else None
    return trial_record.Trial(settings, {"epochs": 2}, 1, [], error, failed, 1.0, "tuner0", f"{error}")


def test_the_picture_has_a_dot_a_trial_in_a_panel_a_setting():
    found = [made_up(error, rate=0.1 / (i + 1), batch=16) for i, error in enumerate((9.0, 0.0, None, 50.0))]
    svg = searches.picture(templates(), found, "dense <on> a test & more")
    tree = ElementTree.fromstring(svg)
    dots = tree.findall("{http://www.w3.org/2000/svg}circle")
    assert len(dots) == 3 * 3 and "1 failed" in svg
    assert sum(dot.get("fill") == searches.BEST for dot in dots) == 3
    heights = [float(dot.get("cy")) for dot in dots[:3]]
    assert heights[1] > heights[0] > heights[2], "lower errors stand lower"
    assert ElementTree.fromstring(searches.picture(templates(), [made_up(None, rate=1.0)], "all failed")) is not None


def test_a_damaged_trial_is_named_and_one_that_is_being_written_is_not_read(tmp_path):
    folder = tmp_path / "trials"
    folder.mkdir()
    (folder / f"{run_record.UNFINISHED}1-abc-2.json").write_text("{")
    assert trial_record.read_all(tmp_path) == []
    (folder / "abc-2.json").write_text("{")
    with pytest.raises(UsageError, match=r"abc-2\.json is not a whole record of a trial"):
        trial_record.read_all(tmp_path)
