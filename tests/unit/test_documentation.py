"""The command line and the errors are documented, all of them and nothing else."""

import re
from pathlib import Path

import click
import pytest

from batchwright import errors
from batchwright.cli import commands

DOCS = Path(__file__).parents[2] / "docs"
CLI = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
ERRORS = (DOCS / "errors.md").read_text(encoding="utf-8")


def leaves(group, name="batchwright"):
    for own, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, f"{name} {own}")
        else:
            yield f"{name} {own}", command


def sections(text):
    return dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE))


COMMANDS = dict(leaves(commands))
ERROR_CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, errors.BatchwrightError)
]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_documented_with_every_option_and_no_other(name):
    section = sections(CLI)[name]
    written = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", section))
    options = [each for each in COMMANDS[name].params if isinstance(each, click.Option)]
    for option in options:
        assert max(option.opts, key=len) in written
    assert written <= {way for option in options for way in option.opts}
    for argument in COMMANDS[name].params:
        if isinstance(argument, click.Argument):
            assert argument.metavar in section


def test_no_command_is_documented_that_does_not_exist():
    assert set(sections(CLI)) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_its_options_say_what_they_do(name):
    assert COMMANDS[name].get_short_help_str(limit=100).endswith(".")
    for option in COMMANDS[name].params:
        if isinstance(option, click.Option):
            assert option.help


def test_every_environment_variable_of_shared_options_is_documented():
    named = {
        option.envvar
        for command in COMMANDS.values()
        for option in command.params
        if option.envvar is not None
    }
    assert named <= set(re.findall(r"`(BATCHWRIGHT_\w+)`", CLI))


@pytest.mark.parametrize("error", ERROR_CLASSES, ids=lambda error: error.code)
def test_an_error_has_a_section_of_its_own(error):
    assert sections(ERRORS).get(f"{error.code} {error.__name__}", "").strip()


def test_error_codes_are_distinct_and_none_is_documented_that_does_not_exist():
    codes = [f"{error.code} {error.__name__}" for error in ERROR_CLASSES]
    assert len({error.code for error in ERROR_CLASSES}) == len(codes)
    assert set(sections(ERRORS)) == set(codes)
