"""What may befall a training, provoked for real: each time the run goes on to the bits of an undisturbed one."""

import re
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from reproductions.lab.results import run_record
from tests.conftest import Reproduce
from tests.helpers.states import assert_the_same, position, variables

WORDS = ("train", "lenet5", "--epochs", "3", "--run-dir", "run", "--resume")
AT_EACH_LOOK = ("--save-every", "0")

NO_ROOM = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
"""
STOPPED_IN_TESTING = """
import os, signal
from reproductions.lab.evaluation import evaluate
evaluate.class_scores = lambda *words: os.kill(os.getpid(), signal.SIGTERM)
"""
DIVERGES = """
from reproductions.lab.spec import Recipe
Recipe.learning_rate = lambda recipe, epoch, errors=(): 0.002 if epoch < 2 else 3e38
"""


def signalled(reproduce, number: int, reached: tuple[int, int] = (1, 10)) -> tuple[int, str]:
    """Status and messages of a training that is sent a signal once it has saved a state of `reached` or later."""
    process = reproduce.start(*WORDS, *AT_EACH_LOOK)
    state = reproduce.folder / "run" / "state.npz"
    while process.poll() is None and position(state) < reached:
        time.sleep(0.02)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was killed in the middle of its second pass. Not to be written to."""
    folder = tmp_path_factory.mktemp("killed")
    status, _ = signalled(Reproduce(folder), signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert position(folder / "run" / "state.npz") >= (1, 10)
    return folder / "run"


def test_a_run_killed_in_the_middle_of_a_pass_goes_on_from_a_step(killed, finished, reproduce):
    shutil.copytree(killed, reproduce.folder / "run")
    again = reproduce(*WORDS)
    assert again.returncode == 0 and "going on after step" in again.stdout
    assert_the_same(reproduce.folder / "run", finished / "run")


@pytest.mark.parametrize(
    "number, expected", [(signal.SIGTERM, 0), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)]
)
def test_a_run_that_is_asked_to_stop_saves_and_says_so(number, expected, finished, reproduce):
    status, errors = signalled(reproduce, number)
    assert status == expected and "stopped after step" in errors and "--resume goes on" in errors
    assert "Traceback" not in errors
    assert reproduce(*WORDS).returncode == 0
    assert_the_same(reproduce.folder / "run", finished / "run")


def test_a_full_disk_leaves_the_state_before_it(killed, finished, reproduce):
    shutil.copytree(killed, reproduce.folder / "run")
    before = position(reproduce.folder / "run" / "state.npz")
    full = reproduce(*WORDS, *AT_EACH_LOOK, before=NO_ROOM)
    assert full.returncode == 2 and "run/state.npz cannot be written: File too large" in full.stderr
    assert "is kept in run" in full.stderr and "Traceback" not in full.stderr
    assert position(reproduce.folder / "run" / "state.npz") == before
    assert not list((reproduce.folder / "run").glob(f"{run_record.UNFINISHED}*"))
    assert reproduce(*WORDS).returncode == 0
    assert_the_same(reproduce.folder / "run", finished / "run")


def test_a_damaged_state_gives_way_to_the_one_before(killed, finished, reproduce):
    shutil.copytree(killed, reproduce.folder / "run")
    state = reproduce.folder / "run" / "state.npz"
    content = bytearray(state.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1000] = bytes(1000)
    state.write_bytes(content)
    again = reproduce(*WORDS)
    assert again.returncode == 0, again.stderr
    assert "run/state.npz cannot be read" in again.stdout, again.stdout
    assert "going on from the state before it" in again.stdout
    assert_the_same(reproduce.folder / "run", finished / "run")


def test_a_run_that_is_asked_to_stop_while_it_is_tested_says_so_and_goes_on(finished, reproduce):
    done = reproduce(*WORDS, before=STOPPED_IN_TESTING)
    assert done.returncode == 0 and "stopped while testing" in done.stderr and "Traceback" not in done.stderr
    assert not (reproduce.folder / "run" / "record.json").exists()
    assert reproduce(*WORDS).returncode == 0
    assert_the_same(reproduce.folder / "run", finished / "run")


def test_where_no_state_can_be_read_the_newest_is_named(finished, reproduce):
    folder = reproduce.folder / "run"
    folder.mkdir()
    (folder / "state.npz").write_bytes((finished / "run" / "state.npz").read_bytes()[:5000])
    done = reproduce(*WORDS)
    assert done.returncode == 2 and "run/state.npz cannot be read" in done.stderr


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_state(reproduce):
    done = reproduce(*WORDS, *AT_EACH_LOOK, "--network", "lenet5-lecture", before=DIVERGES)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert re.search(r"the loss became (nan|inf) in step \d+ of pass 2, at a learning rate of 3e\+38", done.stderr)
    assert "the state after pass 1 is kept in run" in done.stderr
    assert position(reproduce.folder / "run" / "state.npz") == (1, 0)
    assert all(np.isfinite(value).all() for value in variables(reproduce.folder / "run"))


def test_a_second_process_in_a_run_folder_is_refused(reproduce, refusal):
    first = reproduce.start(*WORDS, *AT_EACH_LOOK)
    while position(reproduce.folder / "run" / "state.npz") == (0, 0):
        time.sleep(0.02)
    first.send_signal(signal.SIGSTOP)  # it holds the folder, but does not end before the second has begun
    assert "another process is at work in run" in refusal(*WORDS)
    first.kill()
    first.communicate()
