"""Workers that wait for one that never comes, repeated signals, and readers of the output that go away."""

import gc
import json
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from reproductions.lab.errors import UsageError
from reproductions.lab.training import rendezvous
from reproductions.lab.training.cluster import Cluster
from reproductions.lab.training.stopping import Stopped, StopRequest
from tests.helpers.reproduce import SAVE_OFTEN, TRAIN, offline
from tests.helpers.states import assert_the_same, position

MANY_SIGNALS = """
import os, signal, threading, time
from reproductions.lab.evaluation import evaluate
def repeat():
    while True:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.003)
def scores(*arguments):
    threading.Thread(target=repeat, daemon=True).start()
    time.sleep(60)
evaluate.class_scores = scores
"""
RENDEZVOUS = """
import sys
from reproductions.lab.training import rendezvous
from reproductions.lab.training.cluster import Cluster
from reproductions.lab.training.stopping import Stopped
try:
    rendezvous.meet(Cluster(0, tuple(sys.argv[1:])), 600)
except Stopped as stopped:
    sys.exit(f"{stopped}; {stopped.status}")
"""
# Afterwards TensorFlow listens.
SERVES = """
import time
with rendezvous.listening(sys.argv[1]):
    time.sleep(2)
"""
STUCK = """
import ctypes
from reproductions.lab.training import rendezvous
with rendezvous.bounded({seconds}):
    print("waiting", flush=True)
    ctypes.PyDLL(None).sleep(60)  # holds the interpreter, as TensorFlow does
"""


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def test_workers_that_start_at_different_times_meet():
    cluster = Cluster(0, (free_address(), free_address()))
    other = [sys.executable, "-c", RENDEZVOUS + SERVES, *cluster.addresses[::-1]]
    with subprocess.Popen(other) as process:
        rendezvous.meet(cluster, 30)
        assert process.wait(timeout=30) == 0


def test_a_worker_that_never_comes_is_named():
    here, nowhere = free_address(), free_address()
    began = time.monotonic()
    with pytest.raises(UsageError, match=rf"no worker answered at {nowhere} within 1 s; .*restart all"):
        rendezvous.meet(Cluster(0, (here, nowhere)), 1)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_the_wait_with_a_message(number, status):
    here, nowhere = free_address(), free_address()
    process = subprocess.Popen([sys.executable, "-c", RENDEZVOUS, here, nowhere], stderr=subprocess.PIPE, text=True)
    while not rendezvous.answers(here):
        time.sleep(0.05)
    process.send_signal(number)
    _, errors = process.communicate(timeout=5)
    assert errors == f"stopped while waiting for the other workers; {status}\n"


def test_a_port_in_use_is_explained():
    with socket.create_server(("", 0)) as server, pytest.raises(UsageError, match=r"cannot listen at .* in use"):
        rendezvous.meet(Cluster(0, (f"localhost:{server.getsockname()[1]}", "localhost:1")), 1)


@pytest.mark.parametrize("address", ["host", "host:", ":1", "host:port", "host:70000"])
def test_an_invalid_address_is_refused(address):
    with pytest.raises(UsageError, match="expected host:port"):
        rendezvous.parse(address)


@pytest.mark.parametrize("number", [signal.SIGALRM, signal.SIGTERM, signal.SIGINT])
def test_a_wait_without_python_has_an_end(number):
    code = STUCK.format(seconds=0.5 if number == signal.SIGALRM else 60)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "waiting\n"
    if number != signal.SIGALRM:
        process.send_signal(number)
    assert process.wait(timeout=10) == -number
    process.stdout.close()


def test_a_signal_that_is_repeated_is_raised_once():
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(Stopped), StopRequest("stopped") as stop:
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                signal.raise_signal(signal.SIGTERM)
        assert stop.signal == signal.SIGTERM
        signal.raise_signal(signal.SIGTERM)  # the process ends: it is ignored
    finally:
        signal.signal(signal.SIGTERM, before)


def test_sigterm_every_few_milliseconds_while_testing_ends_well(finished, reproduce):
    done = reproduce(*TRAIN, before=MANY_SIGNALS)
    assert done.returncode == 0, done.stderr
    assert "stopped during the test" in done.stderr and "Traceback" not in done.stderr
    assert reproduce(*TRAIN).returncode == 0
    assert_the_same(reproduce.folder / "run", finished / "run")


@pytest.mark.parametrize("output", ["| head -n 1", ">&-", "| true"])
def test_a_training_goes_on_without_a_reader(output, finished, reproduce):
    code = "from reproductions.cli.main import main; main()"
    command = f'"{sys.executable}" -c "{code}" {" ".join(TRAIN)} {output}'
    environment = offline(reproduce.folder)
    done = subprocess.run(
        ["bash", "-c", command], cwd=reproduce.folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    ours, theirs = (
        json.loads((folder / "run" / "record.json").read_text(encoding="utf-8"))["test"]
        for folder in (reproduce.folder, finished)
    )
    assert ours == theirs


def test_an_epoch_is_saved_before_it_is_printed(reproduce):
    process = reproduce.start(*TRAIN)
    while not (line := process.stdout.readline()).startswith("epoch 1"):
        assert line
    process.kill()
    assert position(reproduce.folder / "run" / "state.npz") >= (1, 0)
    process.communicate()


def test_a_step_is_saved_before_progress_is_printed(reproduce):
    often = "from reproductions.lab import progress; progress.LINE_EVERY = 0"
    process = reproduce.start(*TRAIN, *SAVE_OFTEN, before=often)
    pattern = re.compile(r"epoch 1 of 3: ([\d,]+) of ([\d,]+) images, .* left, loss")
    found = next(filter(None, map(pattern.match, process.stdout)))
    process.kill()
    done, total = (int(number.replace(",", "")) for number in found.groups())
    steps = position(reproduce.folder / "run" / "state.npz")[1]
    assert 0 < done < total and steps >= done // 32
    process.communicate()


@pytest.mark.parametrize("arguments", [["list"], ["train", "--help"], ["table", "lenet5"]])
def test_a_listing_whose_reader_leaves_shows_no_traceback(arguments, reproduce):
    process = reproduce.start(*arguments)
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)


def test_data_without_test_images_are_refused_before_training(finished, refusal, monkeypatch):
    from reproductions.lab.data import registry

    load = registry.load

    def train_only(name, data_dir=None):
        data = load(name, data_dir)
        return replace(data, test=data.test.take(0))

    monkeypatch.setattr(registry, "load", train_only)
    assert "has no test images: prepare them too, without --train-only" in refusal(*TRAIN, *SAVE_OFTEN)


def test_a_signal_received_earlier_takes_effect_where_nothing_is_lost():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped, match="later"), StopRequest() as stop:
        stop.signal = signal.SIGINT
        stop.raise_if_stopped()
        stop.stop_at_once("later")
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    signal.signal(signal.SIGTERM, before)


class Ending:
    """An object that gets a signal while it ends."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        signal.raise_signal(self.number)
        time.sleep(0.01)


def collect_garbage(number):
    """Collect garbage, and get a signal in a callback of the collector."""

    def callback(phase, info):
        signal.raise_signal(number)
        time.sleep(0.01)

    gc.callbacks.append(callback)
    try:
        gc.collect()
    finally:
        gc.callbacks.remove(callback)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("swallow", [Ending, collect_garbage])
def test_a_signal_takes_effect_though_python_ignores_exceptions_there(swallow, number, capsys):
    """In finalizers and in callbacks of the garbage collector, such as JAX's."""
    before = time.monotonic()
    with pytest.raises(Stopped, match="nothing to save"), StopRequest("nothing to save"):
        swallow(number)
        time.sleep(20)
    assert time.monotonic() - before < 10
    assert "Exception ignored" not in capsys.readouterr().err


def test_other_exceptions_that_python_ignores_are_still_shown(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr(sys, "unraisablehook", shown.append)
    with StopRequest("nothing to save"):
        Ending("no number")
    assert sys.unraisablehook == shown.append and shown[0].exc_type is TypeError


def test_a_run_that_ends_at_that_moment_is_not_killed():
    with StopRequest("nothing to save") as stop:
        Ending(signal.SIGTERM)
    time.sleep(0.1)
    assert stop.signal == signal.SIGTERM
