"""Training from start to record, on the embedded subset."""

import signal
import time

import numpy as np
import pytest

from reproductions.lab.files import UNFINISHED
from reproductions.lab.results import run_record
from tests.helpers.reproduce import TRAIN, TWO_DEVICES
from tests.helpers.states import assert_the_same, position, variables


def test_three_epochs_bring_the_error_below_ten_percent(finished):
    record = run_record.read(finished / "run" / "record.json")
    assert record.data.name == "mnist-subset" and record.test.images == 1000
    rate = record.test.top1
    assert rate.error < 10
    assert rate.errors == len(record.misclassified)
    low, high = rate.interval
    assert low < rate.error < high
    assert record.history[-1].error < record.history[0].error
    assert record.parameters == {"trainable": 60000, "non_trainable": 840}
    output = (finished / "output.txt").read_text(encoding="utf-8")
    assert f"lenet5 on mnist-subset: test error {rate.error:.2f}% ({rate.errors} of 1000; 95% interval" in output
    assert "published 0.95%: not comparable, by another recipe: epochs 3, not 20" in output
    assert (finished / "run" / "misclassified.png").exists()


def test_a_seed_determines_the_record(finished, reproduce):
    for seed in "1", "2":
        reproduce("train", "lenet5", "--epochs", "3", "--seed", seed, "--run-dir", f"seed{seed}")
    first, again, other = [
        run_record.read(folder / "record.json").without_times()
        for folder in (finished / "run", reproduce.folder / "seed1", reproduce.folder / "seed2")
    ]
    assert again == first
    assert other["history"] != first["history"]


def test_lenet5_is_trained_by_one_thread_on_any_number_of_cores(reproduce):
    one_core = "import os\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    arguments = ("train", "lenet5", "--epochs", "1")
    assert reproduce(*arguments, "--run-dir", "core", before=one_core).returncode == 0
    # A recipe from a file creates Keras objects, which must not settle the number of threads.
    (reproduce.folder / "recipe.json").write_text('{"batch_size": 32}')
    done = reproduce(*arguments, "--run-dir", "thread", "--recipe", "recipe.json")
    assert done.returncode == 0, done.stderr
    core, thread = (run_record.read(reproduce.folder / name / "record.json") for name in ("core", "thread"))
    assert core.execution.threads == thread.execution.threads == 1
    assert {**core.without_times(), "device": None} == {**thread.without_times(), "device": None}
    refused = reproduce(*arguments, "--run-dir", "thread", "--threads", "2", "--resume")
    assert refused.returncode == 2 and "another threads (1, not 2)" in refused.stderr


@pytest.mark.slow
def test_a_run_killed_at_several_points_resumes_bit_exactly(finished, reproduce):
    run = reproduce.folder / "run"
    state = run / "state.npz"
    for reached, delay in [(0, 0.5), (1, 0.3), (2, 0.0)]:
        process = reproduce.start(*TRAIN)
        while process.poll() is None and not (run.exists() and position(state)[0] >= reached):
            time.sleep(0.02)
        time.sleep(delay)
        assert process.poll() is None, "the run ended before it could be killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (run / "record.json").exists()
    assert reproduce(*TRAIN).returncode == 0
    assert_the_same(run, finished / "run")


@pytest.mark.slow
def test_a_longer_run_killed_at_many_points_resumes_bit_exactly(reproduce):
    arguments = ("train", "lenet5", "--network", "lenet5-lecture", "--epochs", "12", "--resume", "--run-dir")
    assert reproduce(*arguments, "whole").returncode == 0
    state = reproduce.folder / "killed" / "state.npz"
    for kill in range(10):
        process, delay = reproduce.start(*arguments, "killed"), 0.13 * kill
        while process.poll() is None and position(state)[0] < kill:
            time.sleep(0.02)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert reproduce(*arguments, "killed").returncode == 0
    assert_the_same(state.parent, reproduce.folder / "whole")
    assert not list(state.parent.glob(f"{UNFINISHED}*"))


def test_two_mirrored_devices_equal_one(finished, reproduce):
    arguments = ("train", "lenet5", "--epochs", "3", "--run-dir", "two", "--strategy", "mirrored")
    done = reproduce(*arguments, before=TWO_DEVICES)
    assert done.returncode == 0, done.stderr
    assert run_record.read(reproduce.folder / "two" / "record.json").execution.replicas == 2
    for single, mirrored in zip(variables(finished / "run"), variables(reproduce.folder / "two"), strict=True):
        np.testing.assert_allclose(mirrored, single, atol=1e-4)


def test_a_finished_run_is_reused_and_evaluated(finished, reproduce):
    run = str(finished / "run")
    before = (finished / "run" / "record.json").read_bytes()
    again = reproduce("train", "lenet5", "--epochs", "3", "--run-dir", run, "--resume")
    assert again.returncode == 0 and "which has finished: reusing it" in again.stdout
    tested = reproduce("evaluate", run)
    assert tested.returncode == 0 and "equal to the recorded result" in tested.stdout
    assert (finished / "run" / "record.json").read_bytes() == before


def test_hold_out_reports_the_validation_error(reproduce):
    done = reproduce(
        "train", "lenet5", "--network", "lenet5-lecture", "--epochs", "1", "--run-dir", "run", "--hold-out"
    )
    assert done.returncode == 0, done.stderr
    record = run_record.read(reproduce.folder / "run" / "record.json")
    assert record.recipe["splits"] == ["train"] and 0 <= record.history[0].val_error <= 100


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["train", "lenet6"], "'lenet6' is not a study or network. Did you mean 'lenet5'? `reproduce list` prints all"),
        (["train", "lenet5", "--network", "x"], "Choose from: lenet5, lenet5-lecture"),
        (["train", "lenet5", "--epochs", "0"], "--epochs must be at least 1; got 0"),
        (["train", "lenet5", "--threads", "0"], "--threads must be at least 1; got 0"),
        (
            ["train", "lenet5", "--scale-batch", "x"],
            "invalid value for --scale-batch: expected a number such as 4 or 1/4, got 'x'",
        ),
        (["train", "lenet5", "--seed", "-1"], "--seed must lie between 0 and 2147483647; got -1"),
        (["train", "lenet5", "--training-images", "0"], "--training-images must be at least 1; got 0"),
        (["report", "--runs", "nowhere", "--out", "x"], "nowhere is not a folder of records or runs"),
        (["train", "lenet5", "--data-dir", "nowhere"], "--data-dir: nowhere is not a folder"),
        (["train", "lenet5", "--run-dir", "/dev/null/x"], "--run-dir: /dev/null is a file, not a folder"),
        (["evaluate", "nowhere"], "nowhere/record.json does not exist"),
    ],
)
def test_mistakes_get_an_error_message(arguments, message, refusal):
    assert message in refusal(*arguments)


def test_a_mistake_exits_with_status_2_and_no_traceback(reproduce):
    done = reproduce("train", "lenet5", "--data-dir", ".")
    assert done.returncode == 2
    assert "does not contain MNIST: put mnist.npz there" in done.stderr and "Traceback" not in done.stderr


def test_a_folder_with_a_run_is_not_overwritten(finished, refusal):
    run = finished / "run"
    for arguments, message in [
        (["--epochs", "3"], "already holds a run"),
        (["--epochs", "3", "--seed", "2", "--resume"], "holds a run with another seed (1, not 2)"),
    ]:
        assert message in refusal("train", "lenet5", "--run-dir", run, *arguments)
