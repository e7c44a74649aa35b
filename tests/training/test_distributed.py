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
from reproductions.lab.training import distributed
from tests.helpers.states import assert_the_same, position, variables
from tests.training.test_faults import AT_EACH_LOOK, WORDS


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports


def tf_config(index: int, *workers: str) -> str:
    return json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}})


def start_all(reproduce, *words: str) -> list[subprocess.Popen]:
    """Two workers; "{i}" in a word is the number of each."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    own = [[word.replace("{i}", str(i)) for word in words] for i in (0, 1)]
    return [reproduce.start(*own[i], TF_CONFIG=tf_config(i, *addresses)) for i in (0, 1)]


def ends(processes: list[subprocess.Popen], seconds: float = 200) -> list[tuple[int, str, str]]:
    told = [process.communicate(timeout=seconds) for process in processes]
    return [(process.returncode, *texts) for process, texts in zip(processes, told)]


def wait_for(state: Path, seconds: float = 120) -> None:
    """Until a pass and ten steps are saved."""
    end = time.monotonic() + seconds
    while position(state) < (1, 10):
        assert time.monotonic() < end, "the workers do not get on"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    from tests.conftest import Reproduce

    reproduce = Reproduce(tmp_path_factory.mktemp("cluster"))
    for status, _, errors in ends(start_all(reproduce, *WORDS)):
        assert status == 0, errors
    return reproduce.folder


@pytest.mark.slow
def test_two_workers_equal_one_process_with_the_same_global_batch(finished, undisturbed):
    done = run_record.read(undisturbed / "run" / "record.json")
    assert (done.replicas, done.execution["workers"]) == (2, 2)
    for single, shared in zip(variables(finished / "run"), variables(undisturbed / "run"), strict=True):
        np.testing.assert_allclose(shared, single, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("victim", [0, 1])
def test_when_a_worker_is_lost_the_other_ends_within_a_minute_and_all_can_go_on(number, victim, undisturbed, reproduce):
    processes = start_all(reproduce, *WORDS, *AT_EACH_LOOK)
    wait_for(reproduce.folder / "run" / "state.npz")
    processes[victim].send_signal(number)
    began = time.monotonic()
    _, errors = processes[1 - victim].communicate(timeout=120)
    assert time.monotonic() - began < 60
    assert processes[1 - victim].returncode == 3, errors
    assert "start all workers again with --resume" in errors and "Traceback" not in errors
    processes[victim].kill()
    processes[victim].communicate()
    for status, _, errors in ends(start_all(reproduce, *WORDS)):
        assert status == 0, errors
    assert_the_same(reproduce.folder / "run", undisturbed / "run")


@pytest.mark.slow
def test_workers_that_are_asked_to_stop_do_so_at_the_same_step(undisturbed, reproduce):
    processes = start_all(reproduce, *WORDS, *AT_EACH_LOOK)
    wait_for(reproduce.folder / "run" / "state.npz")
    processes[1].send_signal(signal.SIGTERM)
    for status, _, errors in ends(processes, 60):
        assert status == 0 and "stopped after step" in errors
    for status, _, errors in ends(start_all(reproduce, *WORDS)):
        assert status == 0, errors
    assert_the_same(reproduce.folder / "run", undisturbed / "run")


@pytest.mark.slow
def test_workers_that_do_not_see_the_same_folder_are_told_so(undisturbed, reproduce):
    (reproduce.folder / "run0").mkdir()
    shutil.copy(undisturbed / "run" / "state.npz", reproduce.folder / "run0")
    elsewhere = [word if word != "run" else "run{i}" for word in WORDS]
    for status, _, errors in ends(start_all(reproduce, *elsewhere)):
        assert status == 2 and "the workers found different states" in errors, errors


@pytest.mark.slow
def test_workers_are_found_from_slurms_environment(reproduce):
    here = socket.gethostname()
    told = {
        "SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NODELIST": here, "SLURM_STEP_TASKS_PER_NODE": "2",
        "SLURM_JOB_ID": str(free_ports(1)[0]),
    }  # fmt: skip
    for status, _, errors in ends([reproduce.start(*WORDS, SLURM_PROCID=str(i), **told) for i in (0, 1)]):
        assert status == 0, errors
    assert run_record.read(reproduce.folder / "run" / "record.json").execution["workers"] == 2


@pytest.mark.parametrize("told", ["{", "{}", tf_config(1, "a:1")])
def test_a_wrong_tf_config_is_explained(told, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", told)
    with pytest.raises(UsageError, match=r"TF_CONFIG is not as it should be .* it should be like"):
        distributed.task()


def test_a_watch_tells_the_worker_that_gives_no_sign_of_life(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", tf_config(0, "a:1", "b:1", "c:1"))
    monkeypatch.setattr(distributed, "BEAT", 0.05)
    monkeypatch.setattr(distributed, "PATIENCE", 0.3)
    lost = []
    (tmp_path / "worker1.alive").write_text("failed: in an earlier sitting")
    (tmp_path / "worker2.alive").write_text("done")  # in an earlier sitting too
    threading.Timer(0.1, (tmp_path / "worker1.alive").write_text, ["done"]).start()
    distributed.Watch(tmp_path, lambda *told: lost.append(told)).run()
    assert lost == [(2, "it gives no sign of life")]


def test_a_watch_passes_on_why_another_worker_failed(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", tf_config(0, "a:1", "b:1"))
    monkeypatch.setattr(distributed, "BEAT", 0.05)
    lost = []
    threading.Timer(0.1, (tmp_path / "worker1.alive").write_text, ["failed: its disk is full"]).start()
    distributed.Watch(tmp_path, lambda *told: lost.append(told)).run()
    assert lost == [(1, "its disk is full")]
