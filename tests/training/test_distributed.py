"""Two processes on this machine under MultiWorkerMirroredStrategy, and what happens when one is lost."""

import json
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from reproductions.lab.errors import UsageError
from reproductions.lab.results import run_record
from reproductions.lab.training import cluster, heartbeat
from reproductions.lab.training.cluster import Cluster, find_cluster
from tests.helpers.reproduce import SAVE_OFTEN, TRAIN, Reproduce
from tests.helpers.states import assert_the_same, position, variables


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports


def tf_config(index: int, *workers: str) -> str:
    return json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}})


def start_all(reproduce: Reproduce, *arguments: str) -> list[subprocess.Popen]:
    """Start two workers; "{i}" in an argument is the index of each."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    own = [[argument.replace("{i}", str(i)) for argument in arguments] for i in (0, 1)]
    return [reproduce.start(*own[i], TF_CONFIG=tf_config(i, *addresses)) for i in (0, 1)]


def ends(processes: list[subprocess.Popen], seconds: float = 200) -> list[tuple[int, str, str]]:
    outputs = [process.communicate(timeout=seconds) for process in processes]
    return [(process.returncode, *texts) for process, texts in zip(processes, outputs)]


def wait_for(state: Path, seconds: float = 120) -> None:
    """Wait until an epoch and ten steps are saved."""
    end = time.monotonic() + seconds
    while position(state) < (1, 10):
        assert time.monotonic() < end, "the workers make no progress"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    reproduce = Reproduce(tmp_path_factory.mktemp("cluster"))
    for status, _, errors in ends(start_all(reproduce, *TRAIN)):
        assert status == 0, errors
    return reproduce.folder


@pytest.mark.slow
def test_two_workers_equal_one_process(finished, undisturbed):
    done = run_record.read(undisturbed / "run" / "record.json")
    assert (done.execution.replicas, done.execution.workers) == (2, 2)
    for single, shared in zip(variables(finished / "run"), variables(undisturbed / "run"), strict=True):
        np.testing.assert_allclose(shared, single, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("victim", [0, 1])
def test_a_lost_worker_ends_the_other_and_all_can_resume(number, victim, undisturbed, reproduce):
    """The other one ends within a minute."""
    processes = start_all(reproduce, *TRAIN, *SAVE_OFTEN)
    wait_for(reproduce.folder / "run" / "state.npz")
    processes[victim].send_signal(number)
    began = time.monotonic()
    _, errors = processes[1 - victim].communicate(timeout=120)
    assert time.monotonic() - began < 60
    assert processes[1 - victim].returncode == 3, errors
    assert "restart all workers with --resume" in errors and "Traceback" not in errors
    processes[victim].kill()
    processes[victim].communicate()
    for status, _, errors in ends(start_all(reproduce, *TRAIN)):
        assert status == 0, errors
    assert_the_same(reproduce.folder / "run", undisturbed / "run")


@pytest.mark.slow
def test_workers_asked_to_stop_do_so_at_the_same_step(undisturbed, reproduce):
    processes = start_all(reproduce, *TRAIN, *SAVE_OFTEN)
    wait_for(reproduce.folder / "run" / "state.npz")
    processes[1].send_signal(signal.SIGTERM)
    for status, _, errors in ends(processes, 60):
        assert status == 0 and "stopped after epoch" in errors and ", step" in errors
    for status, _, errors in ends(start_all(reproduce, *TRAIN)):
        assert status == 0, errors
    assert_the_same(reproduce.folder / "run", undisturbed / "run")


@pytest.mark.slow
def test_workers_that_do_not_share_a_folder_are_refused(undisturbed, reproduce):
    (reproduce.folder / "run0").mkdir()
    shutil.copy(undisturbed / "run" / "state.npz", reproduce.folder / "run0")
    elsewhere = [argument if argument != "run" else "run{i}" for argument in TRAIN]
    for status, _, errors in ends(start_all(reproduce, *elsewhere)):
        assert status == 2 and "the workers found different states" in errors, errors


@pytest.mark.slow
def test_workers_are_found_from_slurms_environment(reproduce):
    here = socket.gethostname()
    slurm = {
        "SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NODELIST": here, "SLURM_STEP_TASKS_PER_NODE": "2",
        "SLURM_JOB_ID": str(free_ports(1)[0]),
    }  # fmt: skip
    for status, _, errors in ends([reproduce.start(*TRAIN, SLURM_PROCID=str(i), **slurm) for i in (0, 1)]):
        assert status == 0, errors
    assert run_record.read(reproduce.folder / "run" / "record.json").execution.workers == 2


@pytest.mark.parametrize("value", ["{", "{}", tf_config(1, "a:1")])
def test_an_invalid_tf_config_is_explained(value, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", value)
    with pytest.raises(UsageError, match=r"Invalid TF_CONFIG .*: expected a value such as"):
        find_cluster("auto")


def test_a_cluster_is_read_from_tf_config(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", tf_config(1, "a:1", "b:1"))
    found = find_cluster("auto")
    assert (found.index, found.addresses, found.workers, found.is_chief) == (1, ("a:1", "b:1"), 2, False)
    assert cluster.parse_tf_config(found.tf_config) == found


def test_without_tf_config_there_is_one_worker(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    monkeypatch.delenv("SLURM_STEP_NUM_TASKS", raising=False)
    assert find_cluster("auto") == Cluster() and Cluster().workers == 1 and Cluster().is_chief


def test_a_worker_that_does_not_respond_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(heartbeat, "INTERVAL", 0.05)
    monkeypatch.setattr(heartbeat, "TIMEOUT", 0.3)
    lost = []
    (tmp_path / "worker1.alive").write_text("failed: in an earlier session", encoding="utf-8")
    (tmp_path / "worker2.alive").write_text("done", encoding="utf-8")  # in an earlier session too
    threading.Timer(0.1, (tmp_path / "worker1.alive").write_text, ["done"]).start()
    heartbeat.Heartbeat(tmp_path, Cluster(0, ("a:1", "b:1", "c:1")), lambda *args: lost.append(args)).run()
    assert lost == [(2, "it does not respond")]


def test_the_failure_of_another_worker_is_passed_on(tmp_path, monkeypatch):
    monkeypatch.setattr(heartbeat, "INTERVAL", 0.05)
    lost = []
    threading.Timer(0.1, (tmp_path / "worker1.alive").write_text, ["failed: its disk is full"]).start()
    heartbeat.Heartbeat(tmp_path, Cluster(0, ("a:1", "b:1")), lambda *args: lost.append(args)).run()
    assert lost == [(1, "its disk is full")]
