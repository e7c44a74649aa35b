"""Searches killed, shared by several processes and stopped: they find what an undisturbed one finds."""

import os
import signal
import time
from pathlib import Path

import pytest

from reproductions.lab.results import trial_record
from tests.tuning.test_tune import outcomes

WORDS = (
    "tune", "lenet5", "--network", "lenet5-lecture", "--epochs", "2", "--run-dir", "run", "--retrain", "0", "--resume"
)  # fmt: skip


def finished(folder: Path) -> int:
    return len(list((folder / "run" / "trials").glob("[!.]*.json")))


@pytest.mark.slow
def test_a_killed_search_goes_on_to_what_an_undisturbed_one_finds(reproduce):
    words = (*WORDS, "--max-trials", "5")
    for reached in 1, 3:
        process = reproduce.start(*words)
        while process.poll() is None and finished(reproduce.folder) < reached:
            time.sleep(0.02)
        time.sleep(0.3)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    done = reproduce(*words)
    assert done.returncode == 0, done.stderr
    whole = reproduce(*(word if word != "run" else "whole" for word in words))
    assert whole.returncode == 0, whole.stderr
    killed, undisturbed = [{repr(each) for each in outcomes(reproduce.folder / name)} for name in ("run", "whole")]
    assert killed == undisturbed


@pytest.mark.slow
def test_two_workers_share_a_search_and_one_that_is_killed_is_started_again(reproduce):
    words = (*WORDS, "--max-trials", "6", "--workers", "2")
    process = reproduce.start(*words)
    while process.poll() is None and finished(reproduce.folder) < 2:
        time.sleep(0.05)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    workers = [pid for pid in children if b"reproductions\0tune" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(workers) == 2
    os.kill(int(workers[0]), signal.SIGKILL)
    output, errors = process.communicate(timeout=400)
    assert process.returncode == 0, errors
    found = trial_record.read_all(reproduce.folder / "run")
    assert len(found) == 6 and {trial.worker for trial in found} == {"worker0", "worker1"}
    assert "was killed by signal 9: it is started again" in output
    alone = reproduce(*(word if word != "run" else "alone" for word in (*WORDS, "--max-trials", "6")))
    assert alone.returncode == 0, alone.stderr
    shared, by_one = [{repr(each) for each in outcomes(reproduce.folder / name)} for name in ("run", "alone")]
    assert shared == by_one


@pytest.mark.slow
def test_ctrl_c_stops_chief_and_workers_and_leaves_none_behind(reproduce):
    process = reproduce.start(*WORDS, "--max-trials", "6", "--workers", "2")
    while process.poll() is None and finished(reproduce.folder) < 1:
        time.sleep(0.05)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "--resume goes on" in errors and "Traceback" not in errors
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
