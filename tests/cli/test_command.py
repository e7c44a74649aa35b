"""The `reproduce` command: quick help, and clear errors."""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import reproductions
from reproductions.cli.main import main

LIST_MODULES = """
import sys
from reproductions.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
heavy = {"tensorflow", "keras", "jax", "numpy", "pandas", "layers", "rich"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["list"], ["list", "--format", "json"], ["train", "-h"]])
def test_help_and_listings_import_nothing_heavy(words):
    done = subprocess.run([sys.executable, "-c", LIST_MODULES, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_a_listed_study_can_be_built():
    code = "import reproductions; reproductions.studies(); print(reproductions.build('lenet5').count_params())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split()[-1] == "60840", done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "from keras.layers import Conv2D",
        "import keras.layers",
        "from layers import RBFOutput",
        "import keras\nclass L(keras.layers.Layer): pass",
    ],
)
def test_a_paper_may_import_keras_in_any_way(line, tmp_path):
    (tmp_path / "paper.py").write_text(line)
    code = (
        "import reproductions\n"
        "with reproductions.deferred_imports('keras', 'layers'):\n"
        "    import paper\n"
        "import keras; keras.Model"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_import_contracts_name_no_paper():
    """Adding a paper does not change the contracts, unless it has a second module."""
    contracts = (Path(__file__).parents[2] / "setup.cfg").read_text(encoding="utf-8")
    studies = reproductions.studies()
    for first, second in re.findall(r" *reproductions\.(\w+) -> reproductions\.(\w+)\n", contracts):
        if first in studies and second not in studies:
            contracts = contracts.replace(f"    reproductions.{first} -> reproductions.{second}\n", "")
    for name in studies:
        assert f"reproductions.{name}\n" not in contracts and f"reproductions.{name} " not in contracts


def test_an_unknown_command_is_refused(new_reproduce):
    assert new_reproduce("retrain").returncode == 2


def test_a_recipe_file_changes_the_batch_size(new_reproduce):
    (new_reproduce.folder / "batch.json").write_text('{"batch_size": 64}')
    done = new_reproduce("train", "lenet5", "--recipe", "batch.json", "--scale-batch", "1/3")
    assert (done.returncode, "a batch of 64 images into a whole number" in done.stderr) == (2, True), done.stderr


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
    code = "from reproductions.cli.main import main; main()"
    environment = {**os.environ, **variables}
    return subprocess.run([sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True)


def test_the_command_alone_says_how_to_start():
    done = run()
    assert done.returncode == 0
    lines = done.stdout.split("To start:\n")[1].split("\n\n")[0].splitlines()
    assert [line.split()[:2] for line in lines] == [["reproduce", word] for word in ("list", "train", "table")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "reproduce: 'trian' is not a command; did you mean train?; choose from: list, "),
        (["train", "lenet5", "--sed", "3"], "reproduce train: unrecognized arguments: --sed 3; did you mean --seed?"),
        (
            ["train", "lenet5", "--strategy", "mirrord"],
            "'mirrord' is not a value of --strategy; did you mean mirrored?",
        ),
        (["data", "prepar"], "reproduce data: 'prepar' is not a"),
        (["list", "--formt", "json"], "reproduce list: unrecognized arguments: --formt json; did you mean --format?"),
    ],
)
def test_the_nearest_word_is_suggested(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2 and message in done.stderr and "help: reproduce" in done.stderr


MEANT = {"vgg16": "vgg-d", "VGG_19": "vgg-e", "inception_v1": "googlenet", "alexnet-cifar": "alexnet-cifar10"}


@pytest.mark.parametrize("name", MEANT)
def test_names_of_other_projects_are_understood(name):
    message = rf"'{name}' is not a study or network\. Did you mean '{MEANT[name]}'\?"
    with pytest.raises(reproductions.UsageError, match=message):
        reproductions.find(name)


def test_a_network_may_be_named_in_place_of_its_study():
    study, network = reproductions.find("alexnet-cifar10")
    assert (study.name, network.name) == ("alexnet", "alexnet-cifar10")
    study, network = reproductions.find("vgg")
    assert (study.name, network.name) == ("vgg", "vgg-a")


def test_names_of_networks_are_unique_in_all_projects():
    found = reproductions.studies().values()
    names = {model.name for study in found for model in study.models}
    others = [other for study in found for network in study.networks for other in network.other_names]
    assert len(set(others)) == len(others) and not names & set(others)


def test_help_has_colours_only_on_a_terminal(monkeypatch):
    from reproductions.cli.main import parser

    plain = parser().format_help()
    assert "\x1b[" not in plain and "train a network" in plain
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert parser().format_help() == plain
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in parser().format_help()


@pytest.mark.parametrize("command", [["train"], ["tune"], ["evaluate"], ["data", "prepare"]])
def test_the_options_of_a_long_help_are_grouped(command, capsys):
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    groups = dict(block.split(":\n", 1) for block in capsys.readouterr().out.split("\n\n")[1:])
    names = {title: re.findall(r"^  (-[\w-]+|\w+|\{)", text, re.MULTILINE) for title, text in groups.items()}
    assert names.pop("options") == ["-h"]
    assert len(names) >= 3 and all(1 <= len(own) <= 6 for own in names.values()), names
    listed = list(itertools.chain(*names.values()))
    assert len(listed) == len(set(listed)) > 8


def test_the_shell_completes_commands_and_options(tmp_path):
    def completions(line: str) -> set[str]:
        answers = tmp_path / "answers"
        command = f'{sys.executable} -c "from reproductions.cli.main import main; main()" 8>{answers} 9>/dev/null'
        shell = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE_IFS": " "}
        subprocess.run(["bash", "-c", command], env={**os.environ, **shell}, check=False, capture_output=True)
        return set(answers.read_text(encoding="utf-8").split())

    assert "train" in completions("reproduce tr")
    assert {"--seed", "--recipe"} <= completions("reproduce train lenet5 --")


def test_what_tensorflow_always_prints_is_not_shown():
    variables = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    code = "from reproductions.cli.main import main; main()"
    command = [sys.executable, "-c", code, "table", "lenet5", "--network", "lenet1"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""


def test_errors_of_tensorflow_are_shown(capfd):
    from reproductions.cli.quiet_import import without_usual_lines

    with without_usual_lines():
        os.write(2, b"I0000 00:00:1795.4 1 port.cc:153] usual\nE0000 00:00:1795.5 1 cuda.cc:1] failed\nTraceback\n")
    assert capfd.readouterr().err == "E0000 00:00:1795.5 1 cuda.cc:1] failed\nTraceback\n"
