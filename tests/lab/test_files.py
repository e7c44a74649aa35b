"""Locks, bounded reads, and files that are written whole or not at all."""

import gzip
import os
import subprocess
import sys

import pytest

from reproductions.lab import files
from reproductions.lab.errors import UsageError


def test_a_link_in_place_of_a_lock_is_refused(tmp_path):
    """What it leads to is neither emptied nor locked."""
    target = tmp_path / "precious"
    target.write_text("content", encoding="utf-8")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "lock").symlink_to(target)
    with pytest.raises(UsageError, match="lock is a symbolic link, not a lock: remove it"):
        files.lock_directory(tmp_path / "run").__enter__()
    assert target.read_text(encoding="utf-8") == "content"
    (tmp_path / "run" / "lock").unlink()
    (tmp_path / "run" / "lock").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="symbolic link"):
        files.lock_directory(tmp_path / "run").__enter__()
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_only_a_regular_file_is_a_lock(make, tmp_path):
    make(tmp_path / "lock")
    with pytest.raises(UsageError, match=r"is not a regular file|cannot be created or written to"):
        files.lock_directory(tmp_path).__enter__()


def test_a_lock_is_held_until_the_block_ends(tmp_path):
    (tmp_path / "lock").write_text("of an earlier session", encoding="utf-8")
    with files.lock_directory(tmp_path), pytest.raises(UsageError, match="another process uses"):
        files.lock_directory(tmp_path).__enter__()
    with files.lock_directory(tmp_path):
        pass


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "state.npz")
    with pytest.raises(UsageError, match=r"state.npz is not a regular file"):
        files.read_bytes(tmp_path / "state.npz", 10)


@pytest.mark.parametrize("name", ["a.txt", "a.gz", "a.tgz"])
def test_no_more_is_read_than_expected(name, tmp_path):
    content = b"x" * 100
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert files.read_bytes(tmp_path / name, 100) == content
    with pytest.raises(UsageError, match=f"{name} has more than 99 bytes"):
        files.read_bytes(tmp_path / name, 99)


def test_a_link_in_place_of_a_temporary_file_is_not_followed(tmp_path):
    target = tmp_path / "precious"
    target.write_text("content", encoding="utf-8")
    (tmp_path / f".unfinished-{os.getpid()}-a.json").symlink_to(target)
    files.write_json(tmp_path / "a.json", {})
    assert target.read_text(encoding="utf-8") == "content" and not (tmp_path / "a.json").is_symlink()


def test_a_deleted_folder_does_not_come_back(tmp_path):
    with files.written_to(tmp_path / "run"):
        (tmp_path / "run" / "a").touch()
    with pytest.raises(UsageError, match="deleted/predictions cannot be written to: No such file"):
        files.written_to(tmp_path / "deleted" / "predictions").__enter__()
    assert not (tmp_path / "deleted").exists()


def test_temporary_files_of_killed_processes_are_removed(tmp_path):
    kill = (
        "import os; from pathlib import Path; from reproductions.lab import files\n"
        "with files.atomic_write(Path('{}')) as file: file.touch(); os.kill(os.getpid(), 9)"
    )
    for name in ("a.npz", "b.npz"):
        subprocess.run([sys.executable, "-c", kill.format(tmp_path / name)])
    assert len(list(tmp_path.iterdir())) == 2
    files.remove_unfinished(tmp_path, "a.npz")
    (left,) = tmp_path.iterdir()
    assert left.name.endswith("-b.npz")
    files.remove_unfinished(tmp_path)
    assert not list(tmp_path.iterdir())
