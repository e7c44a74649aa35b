"""Damaged files, read in a process with limits, which `survey` starts.

A read that takes two seconds of the processor ends the process by SIGPROF, and one that takes a gigabyte of memory
fails. The file that was read last stays in the folder.
"""

import importlib
import json
import random
import resource
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from reproductions.lab.errors import UsageError
from tests.helpers.mutations import changed_json, changed_keras, changed_npz, changed_safetensors

SECONDS, MEMORY = 2, 1 << 30
NUMBERS = (0, 1, 2, 8, 96, 255, 1 << 15, (1 << 31) - 1, 1 << 32, (1 << 63) - 1, (1 << 64) - 1)
CHANGES = {
    ".json": changed_json,
    ".npz": changed_npz,
    ".keras": changed_keras,
    ".safetensors": changed_safetensors,
}
TEXTS = (b"{", b"[", b'"', b"-1", b"1e999", b"99999999999", b"null", b"NaN", b"\xff\xfe", b"../")


def survey(folder: Path, reader: str, seed: int = 0, count: int = 0) -> subprocess.CompletedProcess:
    """Run `main` in a process of its own."""
    command = [sys.executable, "-m", "tests.helpers.hostile_files", folder, reader, seed, count]
    return subprocess.run([*map(str, command)], capture_output=True, text=True)


def check_damaged_files(folder: Path, reader: str, seed: int, count: int) -> dict[str, dict[str, int]]:
    """Assert that `count` damaged versions of files are loaded or refused, each within limits; return the outcomes."""
    done = survey(folder, reader, seed, count)
    assert done.returncode == 0, f"{done.returncode}: see {folder}/damaged; {done.stderr}"
    outcomes = json.loads(done.stdout)
    assert sum(sum(each.values()) for each in outcomes.values()) == count
    return outcomes


def damaged(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """Return a file with one to eight changes; `other` is a file that a part is taken from."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        start = place(changed, chance)
        length = chance.choice((1, 2, 4, 8, 64))
        number = (chance.choice(NUMBERS) & ((1 << 8 * length) - 1)).to_bytes(length, chance.choice(("little", "big")))
        match chance.randrange(7):
            case 0 | 1:
                changed[start : start + length] = number
            case 2:
                changed[start : start + length] = chance.randbytes(length)
            case 3:
                del changed[start : start + length]
            case 4:
                changed[start:start] = changed[start : start + length] * chance.choice((1, 1, 1000))
            case 5:
                changed[start:start] = chance.choice(TEXTS)
            case 6:
                source = chance.randrange(len(other))
                changed[start : start + length] = other[source : source + length]
    return bytes(changed[: place(changed, chance)] if chance.random() < 0.1 else changed)


def place(content: bytes, chance: random.Random) -> int:
    """Return a random place; where something is stored, mostly."""
    for _ in range(8):
        start = chance.randrange(len(content) + 1)
        if any(content[start : start + 4]):
            break
    return start


def outcome(read: Callable[[Path], object], path: Path) -> str:
    """Return whether a file was "loaded" or "refused"; raise AssertionError if it was refused badly."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        read(path)
        return "loaded"
    except UsageError as error:
        assert str(path) in str(error), f"the message does not name the file: {error}"
        assert not isinstance(error.__context__, MemoryError), f"no limit in the reader: {error}"
        return "refused"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def limit_memory() -> None:
    """Let this process take a gigabyte more of memory than it has."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def function(name: str) -> Callable[[Path], object]:
    """Return the function with a name such as "package.module:name"."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def main(folder: Path, reader: str, seed: int, count: int) -> None:
    """Read `count` damaged versions of the files in a folder, or, with 0, the files; print the outcomes as JSON."""
    read = function(reader)
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    for name in files:
        # So that the reader's libraries are imported before memory is limited.
        outcome(read, folder / name) if count else None
    limit_memory()
    if not count:
        print(json.dumps({name: outcome(read, folder / name) for name in files}))
        return
    chance = random.Random(seed)
    outcomes: dict[str, Counter] = {name: Counter() for name in files}
    for number in range(count):
        name = list(files)[number % len(files)]
        path = folder / "damaged" / name
        path.parent.mkdir(exist_ok=True)
        change = CHANGES.get(path.suffix)
        if change and chance.random() < 0.7:
            path.write_bytes(change(files[name], chance))
        else:
            path.write_bytes(damaged(files[name], files[chance.choice(list(files))], chance))
        outcomes[name][outcome(read, path)] += 1
    print(json.dumps(outcomes))


def slow(path: Path) -> None:
    """Do not return."""
    while True:
        pass


def greedy(path: Path) -> None:
    """Take all memory, and report it as a reader would."""
    try:
        bytearray(4 << 30)
    except MemoryError:
        raise UsageError(f"{path} cannot be read") from None


def careless(path: Path) -> None:
    """Raise an error that is not for users."""
    raise KeyError(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
