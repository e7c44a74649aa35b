"""The warm process of the tests: what it forks behaves as a process that Python starts."""

import os
import signal
import subprocess

import pytest

from tests.helpers import warm_process
from tests.helpers.warm_process import Forked, Request

pytestmark = pytest.mark.skipif(not warm_process.AVAILABLE, reason="there is no pidfd_open")


def start(code, folder, *arguments, **environment):
    return Forked(Request(code, list(arguments), str(folder), environment))


def test_folder_arguments_and_variables_are_its_own(tmp_path):
    code = "import os, sys; print(os.getcwd(), sys.argv[1:], dict(os.environ)); sys.exit(3)"
    process = start(code, tmp_path, "one", COLOUR="blue")
    output, errors = process.communicate(timeout=60)
    assert output == f"{tmp_path} ['one'] {{'COLOUR': 'blue'}}\n" and not errors
    assert process.returncode == process.poll() == process.wait() == 3


def test_tensorflow_is_imported_already(tmp_path):
    assert start("import sys; print('tensorflow' in sys.modules)", tmp_path).communicate()[0] == "True\n"


def test_signals_and_errors_end_it_as_usual(tmp_path):
    process = start("import time; print('ready', flush=True); time.sleep(60)", tmp_path)
    assert process.stdout.readline() == "ready\n" and process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == -signal.SIGTERM
    failed = start("1 / 0", tmp_path)
    assert "ZeroDivisionError" in failed.communicate(timeout=60)[1] and failed.returncode == 1


def test_one_does_not_keep_the_output_of_another_open(tmp_path):
    first = start("import os, time; os.close(1); time.sleep(60)", tmp_path)
    second = start("import time; time.sleep(60)", tmp_path)
    assert first.stdout.read() == ""
    for process in first, second:
        process.kill()
        assert process.wait(timeout=60) == -signal.SIGKILL
    assert os.getpid() != first.pid != second.pid
