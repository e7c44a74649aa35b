"""ImageNet's preparation stopped, killed, repeated and mended: what was finished stays, and the bytes are the same."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reproductions.lab.data import registry, status
from reproductions.lab.data.imagenet import manifest
from reproductions.lab.data.imagenet import prepare as preparation
from reproductions.lab.errors import UsageError
from tests.helpers import imagenet_files as fake_imagenet
from tests.helpers.prepared_imagenet import SHARDS, digests, prepare

ROOT = Path(__file__).parents[3]


def wait_for(reached, process: subprocess.Popen) -> None:
    """Returns as soon as `reached()`; fails where the process ends before."""
    deadline = time.monotonic() + 60
    while not reached():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.002)


def start(source: Path, to: Path, workers: int) -> subprocess.Popen:
    words = "data", "prepare", "imagenet", "--from", source, "--to", to, "--shards", SHARDS, "--workers", workers
    return subprocess.Popen(
        [sys.executable, "-m", "reproductions", *map(str, words)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # Where the tests run in a shell's background, Ctrl-C would be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def children(process: subprocess.Popen) -> list[Path]:
    """The entries in /proc of the processes that a process has started."""
    pids = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [Path("/proc") / pid for pid in pids]


def all_end(processes: list[Path]) -> bool:
    """Whether all of them end within seconds."""
    deadline = time.monotonic() + 20
    while any(process.exists() for process in processes) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(process.exists() for process in processes)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_preparation_goes_on_and_writes_the_same_bytes(ilsvrc, prepared_imagenet, tmp_path, workers):
    folder = tmp_path / "imagenet-256"
    process = start(ilsvrc.folder, tmp_path, workers)
    wait_for(lambda: len(list(folder.glob("train-*.tfrecord"))) >= 1, process)
    started = children(process)
    process.kill()
    process.wait()
    assert len(started) >= workers if workers > 1 else not started
    assert all_end(started), "workers go when their parent is gone"
    assert not (folder / manifest.NAME).exists()
    written = {path: path.stat().st_mtime_ns for path in folder.glob("[!.]*.tfrecord")}
    (folder / ".unfinished-1-train-00000.tfrecord").write_bytes(b"half")
    assert digests(prepare(ilsvrc.folder, tmp_path)) == digests(prepared_imagenet / "imagenet-256")
    assert all(path.stat().st_mtime_ns == then for path, then in written.items()), "what was finished is not made again"


def test_control_c_stops_at_once_and_says_how_to_go_on(ilsvrc, tmp_path):
    for attempt in range(5):
        to = tmp_path / str(attempt)
        to.mkdir()
        process = start(ilsvrc.folder, to, 2)
        wait_for(lambda to=to: list(to.glob("imagenet-256/.unfinished-*")), process)
        started = children(process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        if process.returncode:  # else it was done before the signal came
            break
    assert process.returncode == 130, errors
    assert "the same command goes on where it stopped" in errors and "Traceback" not in errors
    assert started and all_end(started)


def test_what_is_prepared_is_left_alone(ilsvrc, own_imagenet, capsys):
    before = digests(own_imagenet)
    prepare(ilsvrc.folder, own_imagenet.parent)
    assert "is prepared already" in capsys.readouterr().out
    assert digests(own_imagenet) == before


def test_two_processes_do_not_prepare_one_folder(ilsvrc, tmp_path):
    (tmp_path / "imagenet-256" / "work").mkdir(parents=True)
    with (
        preparation.locked(tmp_path / "imagenet-256" / "work" / "lock"),
        pytest.raises(UsageError, match=r"another process is preparing .*imagenet-256: wait"),
    ):
        prepare(ilsvrc.folder, tmp_path)


def test_another_source_does_not_go_on_with_what_is_unfinished(ilsvrc, tmp_path, monkeypatch):
    monkeypatch.setattr(preparation, "finish", lambda *_: None)
    monkeypatch.setattr(preparation.shutil, "rmtree", lambda path: None)
    prepare(ilsvrc.folder, tmp_path)
    other = fake_imagenet.make(tmp_path / "other", classes=5, images=6, short=(40, 60))
    with pytest.raises(UsageError, match="unfinished preparation of another kind: the source's train pictures"):
        prepare(other.folder, tmp_path)
    with pytest.raises(UsageError, match="another kind: 3 train shards are asked for, there are 4"):
        prepare(ilsvrc.folder, tmp_path, shards=3)


def test_a_shard_of_another_size_or_a_missing_one_is_found_at_loading_and_made_again(
    ilsvrc, prepared_imagenet, own_imagenet, capsys
):
    names = sorted(path.name for path in own_imagenet.glob("train-*.tfrecord"))
    (own_imagenet / names[0]).write_bytes(b"short")
    with pytest.raises(UsageError, match=f"{names[0]} is missing or has not the size it was written with"):
        registry.load("imagenet", own_imagenet.parent)
    (own_imagenet / names[1]).unlink()
    assert f"damaged: in {own_imagenet}, {names[0]}, {names[1]}" in status.status(own_imagenet.parent)
    assert f"{own_imagenet / names[1]} is missing" in status.verify(own_imagenet)
    prepare(ilsvrc.folder, own_imagenet.parent)
    assert capsys.readouterr().out.count("is made again") == 2
    assert digests(own_imagenet) == digests(prepared_imagenet / "imagenet-256")


def test_mending_from_another_source_is_refused(own_imagenet, tmp_path):
    next(own_imagenet.glob("train-*.tfrecord")).unlink()
    other = fake_imagenet.make(tmp_path / "other", classes=5, images=6, short=(40, 60))
    with pytest.raises(UsageError, match="cannot be mended: the source's train pictures are others"):
        prepare(other.folder, own_imagenet.parent)
