"""ImageNet's preparation interrupted, killed, repeated and repaired: finished shards stay, and bytes are the same."""

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
from reproductions.lab.files import lock_directory
from tests.helpers import imagenet_files
from tests.helpers.prepared_imagenet import SHARDS, digests, prepare

ROOT = Path(__file__).parents[3]


def wait_for(reached, process: subprocess.Popen) -> None:
    """Return as soon as `reached()` is true, and fail if the process ends before."""
    deadline = time.monotonic() + 60
    while not reached():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.002)


def start(source: Path, to: Path, workers: int) -> subprocess.Popen:
    arguments = "data", "prepare", "imagenet", "--from", source, "--to", to, "--shards", SHARDS, "--workers", workers
    return subprocess.Popen(
        [sys.executable, "-m", "reproductions", *map(str, arguments)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # Ctrl-C would be ignored if the tests run in the background of a shell.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def children(process: subprocess.Popen) -> list[Path]:
    """Return the entries in /proc of the processes that a process has started."""
    pids = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8").split()
    return [Path("/proc") / pid for pid in pids]


def all_end(processes: list[Path]) -> bool:
    """Return whether all of them end within seconds."""
    deadline = time.monotonic() + 20
    while any(process.exists() for process in processes) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(process.exists() for process in processes)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_preparation_resumes_to_the_same_bytes(ilsvrc, prepared_imagenet, tmp_path, workers):
    folder = tmp_path / "imagenet-256"
    process = start(ilsvrc.folder, tmp_path, workers)
    wait_for(lambda: len(list(folder.glob("train-*.tfrecord"))) >= 1, process)
    started = children(process)
    process.kill()
    process.wait()
    assert len(started) >= workers if workers > 1 else not started
    assert all_end(started), "workers end with their parent"
    assert not (folder / manifest.NAME).exists()
    written = {path: path.stat().st_mtime_ns for path in folder.glob("[!.]*.tfrecord")}
    (folder / ".unfinished-1-train-00000.tfrecord").write_bytes(b"half")
    assert digests(prepare(ilsvrc.folder, tmp_path)) == digests(prepared_imagenet / "imagenet-256")
    assert all(path.stat().st_mtime_ns == then for path, then in written.items()), (
        "finished shards are not written again"
    )


def test_control_c_stops_at_once_and_says_how_to_resume(ilsvrc, tmp_path):
    for attempt in range(5):
        to = tmp_path / str(attempt)
        to.mkdir()
        process = start(ilsvrc.folder, to, 2)
        wait_for(lambda to=to: list(to.glob("imagenet-256/.unfinished-*")), process)
        started = children(process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        if process.returncode:  # else it was finished before the signal
            break
    assert process.returncode == 130, errors
    assert "the same command resumes where it stopped" in errors and "Traceback" not in errors
    assert started and all_end(started)


def test_a_finished_preparation_is_left_unchanged(ilsvrc, own_imagenet, capsys):
    before = digests(own_imagenet)
    prepare(ilsvrc.folder, own_imagenet.parent)
    assert "is already prepared" in capsys.readouterr().out
    assert digests(own_imagenet) == before


def test_two_processes_cannot_prepare_one_folder(ilsvrc, tmp_path):
    (tmp_path / "imagenet-256" / "work").mkdir(parents=True)
    with (
        lock_directory(tmp_path / "imagenet-256" / "work"),
        pytest.raises(UsageError, match=r"another process uses .*imagenet-256/work: wait"),
    ):
        prepare(ilsvrc.folder, tmp_path)


def test_an_unfinished_preparation_needs_the_same_source(ilsvrc, tmp_path, monkeypatch):
    monkeypatch.setattr(preparation, "finish", lambda *_: None)
    monkeypatch.setattr(preparation.shutil, "rmtree", lambda path: None)
    prepare(ilsvrc.folder, tmp_path)
    other = imagenet_files.make(tmp_path / "other", classes=5, images=6, short=(40, 60))
    with pytest.raises(UsageError, match="a different unfinished preparation: the source has other train images"):
        prepare(other.folder, tmp_path)
    with pytest.raises(
        UsageError, match="a different unfinished preparation: 3 train shards are requested, there are 4"
    ):
        prepare(ilsvrc.folder, tmp_path, shards=3)


def test_missing_and_truncated_shards_are_repaired(ilsvrc, prepared_imagenet, own_imagenet, capsys):
    """They are detected at loading."""
    names = sorted(path.name for path in own_imagenet.glob("train-*.tfrecord"))
    (own_imagenet / names[0]).write_bytes(b"short")
    with pytest.raises(UsageError, match=f"{names[0]} is missing or has the wrong size"):
        registry.load("imagenet", own_imagenet.parent)
    (own_imagenet / names[1]).unlink()
    assert f"damaged: {names[0]}, {names[1]} in {own_imagenet} are missing" in status.status(own_imagenet.parent)
    assert f"{own_imagenet / names[1]} is missing" in status.verify(own_imagenet)
    prepare(ilsvrc.folder, own_imagenet.parent)
    assert capsys.readouterr().out.count("is repaired") == 2
    assert digests(own_imagenet) == digests(prepared_imagenet / "imagenet-256")


def test_repair_needs_the_same_source(own_imagenet, tmp_path):
    next(own_imagenet.glob("train-*.tfrecord")).unlink()
    other = imagenet_files.make(tmp_path / "other", classes=5, images=6, short=(40, 60))
    with pytest.raises(UsageError, match="cannot be repaired: the source has other train images"):
        prepare(other.folder, own_imagenet.parent)


def test_shards_of_another_version_are_not_resumed(ilsvrc, tmp_path):
    """An unfinished preparation of an older version has shards but no layout that this version reads."""
    (tmp_path / "imagenet-256").mkdir()
    (tmp_path / "imagenet-256" / "train-00000-of-00004.tfrecord").write_bytes(b"old")
    with pytest.raises(UsageError, match="unfinished preparation by another version: delete the folder"):
        prepare(ilsvrc.folder, tmp_path)
