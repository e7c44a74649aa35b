"""Failures of a training, provoked for real: each time the run resumes to the bits of an undisturbed one."""

import re
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from reproductions.lab.files import UNFINISHED
from tests.helpers.reproduce import SAVE_OFTEN, TRAIN, Reproduce
from tests.helpers.states import assert_the_same, position, variables

NO_ROOM = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
"""
STOPPED_IN_TESTING = """
import os, signal
from reproductions.lab.evaluation import evaluate
evaluate.class_scores = lambda *arguments: os.kill(os.getpid(), signal.SIGTERM)
"""
DIVERGES = """
from reproductions.lab.spec import Recipe
Recipe.learning_rate_at = lambda recipe, epoch, errors=(): 0.002 if epoch < 2 else 3e38
"""


def signalled(reproduce, number: int, reached: tuple[int, int] = (1, 10)) -> tuple[int, str]:
    """Return status and messages of a training that gets a signal once it has saved a state of `reached` or later."""
    process = reproduce.start(*TRAIN, *SAVE_OFTEN)
    state = reproduce.folder / "run" / "state.npz"
    while process.poll() is None and position(state) < reached:
        time.sleep(0.02)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was killed in the middle of its second epoch. Not to be written to."""
    folder = tmp_path_factory.mktemp("killed")
    status, _ = signalled(Reproduce(folder), signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert position(folder / "run" / "state.npz") >= (1, 10)
    return folder / "run"


def test_a_run_killed_within_an_epoch_resumes_from_a_step(killed, finished, reproduce):
    shutil.copytree(killed, reproduce.folder / "run")
    again = reproduce(*TRAIN)
    assert again.returncode == 0 and re.search(r"resuming after epoch \d, step \d+ of 3 epochs", again.stdout)
    assert_the_same(reproduce.folder / "run", finished / "run")


@pytest.mark.parametrize(
    "number, expected", [(signal.SIGTERM, 0), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)]
)
def test_a_run_that_is_asked_to_stop_saves_its_state(number, expected, finished, reproduce):
    status, errors = signalled(reproduce, number)
    assert status == expected and "stopped after epoch 2, step" in errors and "resume with --resume" in errors
    assert "Traceback" not in errors
    assert reproduce(*TRAIN).returncode == 0
    assert_the_same(reproduce.folder / "run", finished / "run")


def test_a_full_disk_leaves_the_last_state(killed, finished, reproduce):
    shutil.copytree(killed, reproduce.folder / "run")
    before = position(reproduce.folder / "run" / "state.npz")
    full = reproduce(*TRAIN, *SAVE_OFTEN, before=NO_ROOM)
    assert full.returncode == 2 and "run/state.npz cannot be written: File too large" in full.stderr
    assert "is kept in run" in full.stderr and "Traceback" not in full.stderr
    assert position(reproduce.folder / "run" / "state.npz") == before
    assert not list((reproduce.folder / "run").glob(f"{UNFINISHED}*"))
    assert reproduce(*TRAIN).returncode == 0
    assert_the_same(reproduce.folder / "run", finished / "run")


def test_a_damaged_state_is_replaced_by_the_previous_one(killed, finished, reproduce):
    shutil.copytree(killed, reproduce.folder / "run")
    state = reproduce.folder / "run" / "state.npz"
    content = bytearray(state.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1000] = bytes(1000)
    state.write_bytes(content)
    again = reproduce(*TRAIN)
    assert again.returncode == 0, again.stderr
    assert "run/state.npz cannot be read" in again.stdout, again.stdout
    assert "resuming from the previous state" in again.stdout
    assert_the_same(reproduce.folder / "run", finished / "run")


def test_a_run_stopped_during_its_test_resumes(finished, reproduce):
    done = reproduce(*TRAIN, before=STOPPED_IN_TESTING)
    assert done.returncode == 0 and "stopped during the test" in done.stderr and "Traceback" not in done.stderr
    assert not (reproduce.folder / "run" / "record.json").exists()
    assert reproduce(*TRAIN).returncode == 0
    assert_the_same(reproduce.folder / "run", finished / "run")


def test_if_no_state_can_be_read_the_newest_is_named(finished, reproduce):
    folder = reproduce.folder / "run"
    folder.mkdir()
    (folder / "state.npz").write_bytes((finished / "run" / "state.npz").read_bytes()[:5000])
    done = reproduce(*TRAIN)
    assert done.returncode == 2 and "run/state.npz cannot be read" in done.stderr


def test_divergence_stops_the_run_and_keeps_the_last_state(reproduce):
    done = reproduce(*TRAIN, *SAVE_OFTEN, "--network", "lenet5-lecture", before=DIVERGES)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert re.search(r"the loss became (nan|inf) in epoch 2, step \d+, at a learning rate of 3e\+38", done.stderr)
    assert "the state after epoch 1 is kept in run" in done.stderr
    assert position(reproduce.folder / "run" / "state.npz") == (1, 0)
    assert all(np.isfinite(value).all() for value in variables(reproduce.folder / "run"))


def test_a_second_process_in_a_run_folder_is_refused(reproduce, refusal):
    first = reproduce.start(*TRAIN, *SAVE_OFTEN)
    while position(reproduce.folder / "run" / "state.npz") == (0, 0):
        time.sleep(0.02)
    first.send_signal(signal.SIGSTOP)  # it holds the folder, but does not end before the second has begun
    assert "another process uses run" in refusal(*TRAIN)
    first.kill()
    first.communicate()
