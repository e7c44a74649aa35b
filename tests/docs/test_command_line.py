"""The page of the command line names every command and option, and none that does not exist."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reproductions.cli.main import parser

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "command-line.md"
WRITTEN = [PAGE, ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
# Options of Slurm and nox.
OTHER_TOOLS = {"--job-name", "--nodes", "--ntasks-per-node", "--gpus-per-node", "--cpus-per-task", "--signal",
               "--requeue", "--list"}  # fmt: skip
COMMAND = re.compile(r"\breproduce ([a-z]+)((?: [^\n`|#]+)?)")


def commands(of: argparse.ArgumentParser, name: str = "reproduce") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield every command under its full name with its parser."""
    yield name, of
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, each in action.choices.items():
                yield from commands(each, f"{name} {word}")


COMMANDS = dict(commands(parser()))


def options_of(command: argparse.ArgumentParser) -> set[str]:
    """Return the long options of a command, without those for its own use."""
    actions = [action for action in command._actions if action.help != argparse.SUPPRESS]
    return {word for action in actions for word in action.option_strings if word.startswith("--")}


def section(command: str) -> str:
    """Return the section of the page about a command."""
    if command == "reproduce":
        return PAGE.read_text(encoding="utf-8")
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (found,) = [each for each in sections if each.splitlines()[0] == command.split()[1]]
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_and_its_options_are_on_the_page(command):
    text = section(command)
    assert command in text
    for option in options_of(COMMANDS[command]):
        assert option in (text if option != "--help" else section("reproduce")), f"{option} of {command} is missing"


@pytest.mark.parametrize("command", [name for name in COMMANDS if name.count(" ") == 1])
def test_a_section_names_only_options_of_its_command(command):
    own = {option for name, each in COMMANDS.items() if name.startswith(command) for option in options_of(each)}
    others = {option for each in re.findall(r"`reproduce [^`]*`", section(command)) for option in OPTION.findall(each)}
    assert set(OPTION.findall(section(command))) - own - others == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_choices_are_on_the_page(command):
    for action in COMMANDS[command]._actions:
        if action.choices and action.option_strings:
            assert "{" + ",".join(map(str, action.choices)) + "}" in section(command), action.option_strings


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_no_page_names_an_option_that_does_not_exist(page):
    known = {option for command in COMMANDS.values() for option in options_of(command)} | OTHER_TOOLS
    assert set(OPTION.findall(page.read_text(encoding="utf-8"))) - known == set()


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_commands_on_pages_exist_with_their_options(page):
    for name, rest in COMMAND.findall(page.read_text(encoding="utf-8")):
        words = rest.split()
        command = f"reproduce {name}"
        assert command in COMMANDS, f"{command} does not exist"
        if words and f"{command} {words[0]}" in COMMANDS:
            command = f"{command} {words[0]}"
        unknown = {option for option in OPTION.findall(rest)} - options_of(COMMANDS[command])
        assert not unknown, f"{command} has no {', '.join(sorted(unknown))}"
