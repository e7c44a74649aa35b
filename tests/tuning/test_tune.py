"""Hyperparameter searches for a tiny network on made-up images: interrupted, resumed, never shown the test split."""

import json
from argparse import Namespace
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from reports.figures.chart import drawn
from reports.figures.searches import search_chart
from reports.sections import tuning as section
from reproductions.cli import tune as tuning
from reproductions.lab import environment
from reproductions.lab.data import registry
from reproductions.lab.errors import UsageError
from reproductions.lab.files import UNFINISHED
from reproductions.lab.results import run_record, trial_record
from reproductions.lab.spec import Choice, LogUniform
from reproductions.lab.training import loop, run_identity
from reproductions.lab.tuning import search
from reproductions.lab.tuning.plan import TuneOptions, plan_search
from tests.helpers.states import trial_results
from tests.helpers.tiny_search import (
    NETWORK,
    RECIPE,
    SEARCH_SPACE,
    STUDY,
    Untouchable,
    made_up_data,
    noisy_images,
    searched,
)


@pytest.fixture
def epochs(monkeypatch):
    """A counter of the epochs that are trained."""
    counted = Counter()
    run_epoch = loop.Training.run_epoch

    def count(training, remaining):
        counted["epochs"] += 1
        run_epoch(training, remaining)

    monkeypatch.setattr(loop.Training, "run_epoch", count)
    return counted


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The folder of a random search of three trials. Not to be written to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.LOADERS, "made-up", lambda _: made_up_data(Untouchable()))
        folder = tmp_path_factory.mktemp("search") / "run"
        searched(folder, max_trials=3)
    return folder


def test_every_trial_is_recorded_as_it_was_run(undisturbed):
    found = trial_record.read_all(undisturbed)
    assert len(found) == 3
    for trial in found:
        assert set(trial.settings) == set(SEARCH_SPACE)
        assert trial.recipe["batch_size"] == trial.settings["batch_size"] and trial.recipe["splits"] == ["train"]
        assert trial.recipe["learning_rate"][0] == [1, trial.settings["learning_rate"]]
        assert trial.recipe["options"] == {name: trial.settings[name] for name in ("width", "dropout")}
        assert [result.epoch for result in trial.history] == [1, 2]
        assert trial.error == trial.history[-1].val_error and trial.seconds > 0 and trial.failed is None
        assert trial.code == run_identity.code_state() and trial.execution.threads == environment.cores()
    assert min(trial.error for trial in found) < 45, "nothing was learnt"
    assert not [path for path in (undisturbed / "trials").iterdir() if path.is_dir()], "states are left behind"
    record = trial_record.read_search(undisturbed)
    assert (record.study, record.network, record.tuner, record.seed, record.epochs) == (
        "made-up", "dense", "random", 1, 2,
    )  # fmt: skip


def test_an_interrupted_search_loses_at_most_an_epoch(undisturbed, tmp_path, monkeypatch, epochs):
    end_epoch = loop.Training.end_epoch
    ends = {4: RuntimeError("a fault of our own"), 6: KeyboardInterrupt()}

    def interrupted(training, held_out):
        if epochs["epochs"] in ends:
            raise ends.pop(epochs["epochs"])
        end_epoch(training, held_out)

    monkeypatch.setattr(loop.Training, "end_epoch", interrupted)
    with pytest.raises(RuntimeError, match="of our own"):
        searched(tmp_path / "run", max_trials=3)
    assert len(trial_record.read_all(tmp_path / "run")) == 1
    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path / "run", max_trials=3, resume=True)
    assert len(trial_record.read_all(tmp_path / "run")) == 2
    searched(tmp_path / "run", max_trials=3, resume=True)
    assert epochs["epochs"] == 8, "each time, only the epoch in flight is retrained"
    assert trial_results(tmp_path / "run") == trial_results(undisturbed)


def test_a_finished_search_can_be_extended(undisturbed, tmp_path, epochs):
    """Even if the oracle's files are damaged."""
    searched(tmp_path / "run", max_trials=1)
    epochs.clear()
    searched(tmp_path / "run", max_trials=1, resume=True)
    assert epochs["epochs"] == 0
    searched(tmp_path / "run", max_trials=2, resume=True)
    assert epochs["epochs"] == 2
    state = tmp_path / "run" / "oracle" / "oracle.json"
    state.write_text(state.read_text(encoding="utf-8")[:100], encoding="utf-8")
    searched(tmp_path / "run", max_trials=3, resume=True)
    assert epochs["epochs"] == 4, "records answer for the first two"
    assert trial_results(tmp_path / "run") == trial_results(undisturbed)


def test_another_search_in_the_folder_is_refused(undisturbed, tmp_path):
    with pytest.raises(UsageError, match="already holds a search: resume it with --resume"):
        searched(undisturbed, max_trials=4)
    with pytest.raises(UsageError, match=r"holds a run with another seed \(1, not 2\)"):
        searched(undisturbed, max_trials=4, seed=2, resume=True)
    narrower = replace(NETWORK, search_space={"learning_rate": LogUniform(0.01, 0.02)})
    with pytest.raises(UsageError, match="another search_space"):
        searched(undisturbed, narrower, max_trials=4, resume=True)


def test_hyperband_resumes_promoted_trials(tmp_path, epochs):
    searched(tmp_path / "run", tuner="hyperband", epochs=3)
    found = trial_record.read_all(tmp_path / "run")
    longest = Counter()
    for trial in found:
        assert len(trial.history) == trial.epochs
        longest[trial_record.name_of(trial.settings)] = max(longest[trial_record.name_of(trial.settings)], trial.epochs)
    assert {trial.epochs for trial in found} == {1, 3} and len(found) > len(longest)
    assert epochs["epochs"] == sum(longest.values()), "an epoch is trained twice"
    assert trial_record.best_of(found).epochs == 3
    by_name = {}
    for trial in sorted(found, key=lambda trial: trial.epochs):
        before = by_name.setdefault(trial_record.name_of(trial.settings), trial)
        assert trial.history[: before.epochs] == before.history


def test_bayesian_searches_try_different_settings(tmp_path):
    network = replace(NETWORK, search_space={"learning_rate": LogUniform(1e-6, 0.1)})
    searched(tmp_path / "run", network, tuner="bayesian", max_trials=4)
    assert len({trial.settings["learning_rate"] for trial in trial_record.read_all(tmp_path / "run")}) == 4


def test_settings_that_diverge_fail_and_the_search_continues(tmp_path):
    network = replace(NETWORK, search_space={"learning_rate": Choice((0.01, 1e38))})
    runner = searched(tmp_path / "run", network, max_trials=2)
    found = {trial.settings["learning_rate"]: trial for trial in trial_record.read_all(tmp_path / "run")}
    assert found[0.01].failed is None and len(found) == 2
    assert found[1e38].error is None and "became inf in epoch 1, step" in found[1e38].failed
    best = trial_record.best_of(list(found.values()))
    assert best.settings == {"learning_rate": 0.01} and search.best_fields(runner, best) == {}
    assert list(section.trial_table(list(found.values()))["validation error"])[1:] == ["failed"]


def test_the_winner_is_retrained_on_all_splits_and_tested(tmp_path, data, capsys):
    runner = searched(tmp_path / "run", max_trials=2, epochs=1)
    data["test"] = noisy_images(40, 3)
    tuning.finish(runner, 2)
    best = trial_record.best_of(trial_record.read_all(tmp_path / "run"))
    fields = json.loads((tmp_path / "run" / "best.json").read_text(encoding="utf-8"))
    assert fields["learning_rate"][0] == [1, best.settings["learning_rate"]] and best.epochs == 1
    assert not {"epochs", "splits"} & set(fields), "it is trained for the recipe's epochs, on its splits"
    name = f"{trial_record.name_of(best.settings)}-{best.epochs}"
    runs = [run_record.read(tmp_path / "run" / f"best-{name}-seed{seed}" / "record.json") for seed in (1, 2)]
    for run in runs:
        assert run.recipe == {**RECIPE.as_data(), **fields} and run.test.images == 40
    output = capsys.readouterr().out
    mean = sum(run.test.top1.error for run in runs) / 2
    assert f"dense by the best recipe: test error {mean:.2f} ± " in output
    assert f"validation error {best.error:.2f}% after 1 epoch" in output


def test_a_search_cannot_access_the_test_split(tmp_path, data):
    data["test"] = noisy_images(40, 3)
    runner = search.create_runner(plan_search(STUDY, NETWORK, TuneOptions(run_dir=tmp_path)))
    with pytest.raises(AssertionError, match="must not access the test split"):
        runner.data.sizes()
    assert runner.data.classes == 2 and runner.recipe_for({"batch_size": 8}, 1).splits == ("train",)


def test_invalid_searches_are_refused(tmp_path):
    for network, options, message in (
        (replace(NETWORK, search_space={}), {}, "dense has no search space"),
        (NETWORK, {"max_trials": 0}, "--max-trials must be at least 1; got 0"),
        (NETWORK, {"max_trials": 3, "tuner": "hyperband"}, "--max-trials is not for hyperband"),
        (NETWORK, {"epochs": 0}, "--epochs must be at least 1; got 0"),
        (
            replace(NETWORK, search_space={"depth": Choice((1, 2))}),
            {"max_trials": 1},
            "dense has a fixed depth: its builder does not take 'depth'",
        ),
    ):
        with pytest.raises(UsageError, match=message):
            searched(tmp_path / "run", network, **options)


@pytest.mark.parametrize("name", ["workers", "retrain"])
def test_invalid_counts_are_refused(name):
    options = {"study": "lenet5", "network": None, "workers": 1, "retrain": 0, name: -1}
    with pytest.raises(UsageError, match=f"--{name} must be at least"):
        tuning.tune(Namespace(**options))


def made_up(error: float | None, **settings) -> trial_record.Trial:
    failed = "it diverged" if error is None else None
    return trial_record.Trial(settings, {"epochs": 2}, 1, [], error, failed, 1.0, "tuner0", f"{error}")


def test_the_figure_has_a_dot_per_trial_and_a_panel_per_setting():
    found = [made_up(error, rate=0.1 / (i + 1), batch=16) for i, error in enumerate((9.0, 0.0, None, 50.0))]
    chart = search_chart(found, "dense <on> a test & more $x")
    assert chart.data["errors"] == [9.0, 0.01, 50.0] and chart.data["best"] == 1
    assert list(chart.data["settings"]) == ["rate", "batch"] and "1 failed" in chart.caption
    svg = drawn(chart).decode()
    ElementTree.fromstring(svg)
    assert "dense &lt;on&gt; a test &amp; more $x" in svg and svg.count("<use ") > 3 * 2
    ElementTree.fromstring(drawn(search_chart([made_up(None, rate=1.0)], "all failed")))


def test_a_damaged_trial_is_named_and_an_unfinished_one_ignored(tmp_path):
    folder = tmp_path / "trials"
    folder.mkdir()
    (folder / f"{UNFINISHED}1-abc-2.json").write_text("{", encoding="utf-8")
    assert trial_record.read_all(tmp_path) == []
    (folder / "abc-2.json").write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match=r"abc-2\.json is not the record of a trial"):
        trial_record.read_all(tmp_path)
