"""The command `reproduce list`."""

import json
import os
import subprocess
import sys

import pytest

import reproductions
from reproductions.cli.main import main
from reproductions.cli.options import FORMATS
from reproductions.lab.spec.protocols import PROTOCOLS


def test_the_list_names_every_network(new_reproduce):
    listed = json.loads(new_reproduce("list", "--format", "json").stdout)
    assert [study["study"] for study in listed] == list(reproductions.studies())
    names = [network["name"] for study in listed for network in study["networks"]]
    assert {"lenet5", "lenet5-lecture"} < set(names)
    assert "nearest-neighbours" in [each["name"] for study in listed for each in study["classifiers"]]
    text = new_reproduce("list").stdout
    assert "nearest-neighbours, fitted to mnist" in text
    assert all(name in text for name in names)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_lists_every_network(form, capsys):
    main(["list", "--format", form])
    listed = capsys.readouterr().out
    assert all(name in listed for name in reproductions.networks())


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_lists_every_protocol(form, capsys):
    main(["evaluate", "--list-protocols", "--format", form])
    listed = capsys.readouterr().out
    assert all(name in listed for name in PROTOCOLS)


def test_a_closed_pipe_ends_the_command_quietly():
    """As in `reproduce list | head -1`, with the output buffered and not."""
    for unbuffered in "", "1":
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [sys.executable, "-m", "reproductions", "list"],
            stdout=writer,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
        os.close(writer)
        assert (done.returncode, done.stderr) == (1, b"")


def test_the_list_fits_the_terminal(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    main(["list"])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 60
    assert "        mnist-deslanted for 20 epochs" in lines
