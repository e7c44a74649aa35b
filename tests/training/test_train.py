"""Training from start to record, on the embedded subset."""

import signal
import time

import numpy as np
import pytest

from reproductions.lab.results import run_record
from tests.helpers.states import TWO_DEVICES, assert_the_same, position, variables


def test_three_passes_over_the_subset_bring_the_error_below_ten_percent(finished):
    done = run_record.read(finished / "run" / "record.json")
    assert done.data["name"] == "mnist-subset" and done.test["images"] == 1000
    assert done.test["error"] < 10
    assert done.test["errors"] == len(done.misclassified)
    low, high = done.test["interval"]
    assert low < done.test["error"] < high
    assert done.epochs[-1]["error"] < done.epochs[0]["error"]
    assert done.parameters == {"trainable": 60000, "fixed": 840}
    assert "mnist-subset" in (finished / "output.txt").read_text()


def test_the_same_seed_gives_the_same_record_and_another_seed_another(finished, reproduce):
    for seed in "1", "2":
        reproduce("train", "lenet5", "--epochs", "3", "--seed", seed, "--run-dir", f"seed{seed}")
    first, again, other = [
        run_record.read(folder / "record.json").without_times()
        for folder in (finished / "run", reproduce.folder / "seed1", reproduce.folder / "seed2")
    ]
    assert again == first
    assert other["epochs"] != first["epochs"]


def test_a_run_with_one_thread_is_the_same_on_any_number_of_cores(reproduce):
    one_core = "import os\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    words = ("train", "lenet5", "--epochs", "1")
    assert reproduce(*words, "--run-dir", "core", before=one_core).returncode == 0
    assert reproduce(*words, "--run-dir", "thread", "--threads", "1").returncode == 0
    core, thread = (run_record.read(reproduce.folder / name / "record.json") for name in ("core", "thread"))
    assert core.execution["threads"] == thread.execution["threads"] == 1
    assert {**core.without_times(), "device": None} == {**thread.without_times(), "device": None}
    refused = reproduce(*words, "--run-dir", "thread", "--threads", "2", "--resume")
    assert refused.returncode == 2 and "another threads (1, not 2)" in refused.stderr


@pytest.mark.slow
def test_a_run_killed_at_several_points_ends_with_the_bits_of_an_undisturbed_one(finished, reproduce):
    words = ("train", "lenet5", "--epochs", "3", "--run-dir", "run", "--resume")
    run = reproduce.folder / "run"
    state = run / "state.npz"
    for reached, delay in [(0, 0.5), (1, 0.3), (2, 0.0)]:
        process = reproduce.start(*words)
        while process.poll() is None and not (run.exists() and position(state)[0] >= reached):
            time.sleep(0.02)
        time.sleep(delay)
        assert process.poll() is None, "the run ended before it could be killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (run / "record.json").exists()
    assert reproduce(*words).returncode == 0
    assert_the_same(run, finished / "run")


@pytest.mark.slow
def test_a_longer_run_killed_at_many_moments_ends_with_the_bits_of_an_undisturbed_one(reproduce):
    words = ("train", "lenet5", "--network", "lenet5-lecture", "--epochs", "12", "--resume", "--run-dir")
    assert reproduce(*words, "whole").returncode == 0
    state = reproduce.folder / "killed" / "state.npz"
    for kill in range(10):
        process, delay = reproduce.start(*words, "killed"), 0.13 * kill
        while process.poll() is None and position(state)[0] < kill:
            time.sleep(0.02)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert reproduce(*words, "killed").returncode == 0
    assert_the_same(state.parent, reproduce.folder / "whole")
    assert not list(state.parent.glob(f"{run_record.UNFINISHED}*"))


def test_two_devices_under_mirrored_strategy_equal_one(finished, reproduce):
    words = ("train", "lenet5", "--epochs", "3", "--run-dir", "two", "--strategy", "mirrored")
    done = reproduce(*words, before=TWO_DEVICES)
    assert done.returncode == 0, done.stderr
    assert run_record.read(reproduce.folder / "two" / "record.json").replicas == 2
    for single, mirrored in zip(variables(finished / "run"), variables(reproduce.folder / "two"), strict=True):
        np.testing.assert_allclose(mirrored, single, atol=1e-5)


def test_a_finished_run_is_reused_and_tested_again(finished, reproduce):
    run = str(finished / "run")
    before = (finished / "run" / "record.json").read_bytes()
    again = reproduce("train", "lenet5", "--epochs", "3", "--run-dir", run, "--resume")
    assert again.returncode == 0 and "reused" in again.stdout
    tested = reproduce("evaluate", run)
    assert tested.returncode == 0 and "as its record says" in tested.stdout
    assert (finished / "run" / "record.json").read_bytes() == before


def test_holding_out_shows_the_validation_error(reproduce):
    done = reproduce(
        "train", "lenet5", "--network", "lenet5-lecture", "--epochs", "1", "--run-dir", "run", "--hold-out"
    )
    assert done.returncode == 0, done.stderr
    told = run_record.read(reproduce.folder / "run" / "record.json")
    assert told.recipe["splits"] == ["train"] and 0 <= told.epochs[0]["val_error"] <= 100


@pytest.mark.parametrize(
    "words, says",
    [
        (["train", "lenet6"], "'lenet6' is not a study. Did you mean 'lenet5'? Choose from: lenet5"),
        (["train", "lenet5", "--network", "x"], "Choose from: lenet5, lenet5-lecture"),
        (["train", "lenet5", "--epochs", "0"], "--epochs must be at least 1; got 0"),
        (["train", "lenet5", "--threads", "0"], "--threads must be at least 1; got 0"),
        (["train", "lenet5", "--seed", "-1"], "--seed must lie between 0 and 2147483647; got -1"),
        (["train", "lenet5", "--training-images", "0"], "--training-images must be at least 1; got 0"),
        (["report", "--runs", "nowhere", "--out", "x"], "nowhere is no folder"),
        (["train", "lenet5", "--data-dir", "nowhere"], "--data-dir names nowhere, which is no folder"),
        (["train", "lenet5", "--run-dir", "/dev/null/x"], "/dev/null/x cannot be made"),
        (["evaluate", "nowhere"], "nowhere/record.json does not exist"),
    ],
)
def test_mistakes_get_one_sentence(words, says, refusal):
    assert says in refusal(*words)


def test_a_mistake_ends_the_process_with_status_2_and_no_traceback(reproduce):
    done = reproduce("train", "lenet5", "--data-dir", ".")
    assert done.returncode == 2
    assert "holds no MNIST: put mnist.npz there" in done.stderr and "Traceback" not in done.stderr


def test_a_folder_with_a_run_is_not_overwritten(finished, refusal):
    run = finished / "run"
    for words, says in [
        (["--epochs", "3"], "holds a run already"),
        (["--epochs", "3", "--seed", "2", "--resume"], "holds a run with another seed (1, not 2)"),
    ]:
        assert says in refusal("train", "lenet5", "--run-dir", run, *words)
