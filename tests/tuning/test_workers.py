"""Searches that are killed, shared by several processes and stopped find what an undisturbed one finds."""

import os
import signal
import time
from pathlib import Path

import pytest

from reproductions.lab import environment
from reproductions.lab.errors import UsageError
from reproductions.lab.results import trial_record
from reproductions.lab.tuning import workers
from tests.helpers.states import trial_results

TUNE = (
    "tune", "lenet5", "--network", "lenet5-lecture", "--epochs", "2", "--run-dir", "run", "--retrain", "0", "--resume"
)  # fmt: skip


def finished(folder: Path) -> int:
    return len(list((folder / "run" / "trials").glob("[!.]*.json")))


@pytest.mark.slow
def test_a_killed_search_resumes_to_the_same_results(reproduce):
    arguments = (*TUNE, "--max-trials", "5")
    for reached in 1, 3:
        process = reproduce.start(*arguments)
        while process.poll() is None and finished(reproduce.folder) < reached:
            time.sleep(0.02)
        time.sleep(0.3)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    done = reproduce(*arguments)
    assert done.returncode == 0, done.stderr
    whole = reproduce(*(argument if argument != "run" else "whole" for argument in arguments))
    assert whole.returncode == 0, whole.stderr
    killed, undisturbed = [{repr(each) for each in trial_results(reproduce.folder / name)} for name in ("run", "whole")]
    assert killed == undisturbed


@pytest.mark.slow
def test_two_workers_share_a_search_and_a_killed_one_restarts(reproduce):
    arguments = (*TUNE, "--max-trials", "6", "--workers", "2")
    process = reproduce.start(*arguments)
    while process.poll() is None and finished(reproduce.folder) < 2:
        time.sleep(0.05)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8").split()
    pids = [pid for pid in children if b"reproductions\0tune" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(pids) == 2
    os.kill(int(pids[0]), signal.SIGKILL)
    output, errors = process.communicate(timeout=400)
    assert process.returncode == 0, errors
    found = trial_record.read_all(reproduce.folder / "run")
    assert len(found) == 6 and {trial.worker for trial in found} == {"worker0", "worker1"}
    threads = max(1, environment.cores() // 2)
    assert {trial.execution.threads for trial in found} == {threads}
    assert "was killed by signal 9; restarting it" in output
    arguments = (*TUNE, "--max-trials", "6", "--threads", str(threads))
    alone = reproduce(*(argument if argument != "run" else "alone" for argument in arguments))
    assert alone.returncode == 0, alone.stderr
    shared, by_one = [{repr(each) for each in trial_results(reproduce.folder / name)} for name in ("run", "alone")]
    assert shared == by_one


@pytest.mark.slow
def test_ctrl_c_stops_the_chief_and_all_workers(reproduce):
    process = reproduce.start(*TUNE, "--max-trials", "6", "--workers", "2")
    while process.poll() is None and finished(reproduce.folder) < 1:
        time.sleep(0.05)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8").split()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "with --resume continues" in errors and "Traceback" not in errors
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def test_the_role_of_a_process_is_read_from_its_environment(monkeypatch):
    for name in (workers.IP, workers.PORT, workers.TUNER_ID, "no_grpc_proxy"):
        monkeypatch.setenv(name, "")  # so that it is restored
        monkeypatch.delenv(name)
    assert workers.tuner_process() == workers.TunerProcess("single", "tuner0")
    monkeypatch.setenv(workers.IP, "127.0.0.1")
    with pytest.raises(UsageError, match="KERASTUNER_ORACLE_PORT is not"):
        workers.tuner_process()
    monkeypatch.setenv(workers.PORT, "1")
    monkeypatch.setenv(workers.TUNER_ID, "worker1")
    assert workers.tuner_process() == workers.TunerProcess("worker", "worker1")
    assert workers.become_chief() == workers.TunerProcess("chief", "chief")


def test_workers_share_the_cores_unless_threads_are_given():
    assert workers.threads_per_worker(3, 2) == 3
    assert workers.threads_per_worker(None, 1) == environment.cores()
    assert workers.threads_per_worker(None, 10_000) == 1
