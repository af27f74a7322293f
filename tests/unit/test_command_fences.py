"""What goes wrong in a command is told in words, with the right exit code."""

import warnings

import click
import pytest

import batchwright
from batchwright.cli.group import Commands, carry_out, note_verbose
from batchwright.errors import InvalidFleet


def raising(error):
    @click.group(cls=Commands)
    def commands():
        pass

    @commands.command()
    @click.option("-v", "verbose", is_flag=True, callback=note_verbose)
    def act(verbose):
        raise error

    return commands


def test_a_fault_of_our_own_is_short_and_shows_its_place_on_request(capsys):
    commands = raising(KeyError("lost"))
    assert carry_out(commands, ["act"]) == 70
    told = capsys.readouterr().err
    assert "the fault is its own: KeyError: 'lost'" in told
    assert "Traceback" not in told
    assert carry_out(commands, ["act", "-v"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_an_error_of_the_request_is_told_without_traceback(capsys):
    assert carry_out(raising(InvalidFleet("all wrong")), ["act", "-v"]) == 2
    assert capsys.readouterr().err == "BW101 all wrong\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_gives_130(error, capsys):
    assert carry_out(raising(error), ["act"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "near"), [(["atc"], "did you mean 'act'"), (["tests"], "batchwright run tests")]
)
def test_a_name_that_is_no_command_gets_the_nearest_or_the_fleet(
    arguments, near, capsys, tmp_path, monkeypatch
):
    (tmp_path / "tests").mkdir()
    monkeypatch.chdir(tmp_path)
    assert carry_out(raising(ValueError()), arguments) == 2
    assert near in capsys.readouterr().err


def test_the_value_of_a_command_is_the_exit_code():
    @click.group(cls=Commands)
    def commands():
        pass

    commands.command("one")(lambda: 1)
    commands.command("none")(lambda: None)
    assert carry_out(commands, ["one"]) == 1
    assert carry_out(commands, ["none"]) == 0
    assert carry_out(commands, ["--help"]) == 0


def test_our_own_warnings_are_sentences_and_others_stay_as_they_are(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr(warnings, "showwarning", lambda *told: shown.append(told))

    @click.group(cls=Commands)
    def commands():
        pass

    @commands.command()
    def act():
        for place in (batchwright.__file__, __file__):
            warnings.showwarning(RuntimeWarning("careful"), RuntimeWarning, place, 7)

    assert carry_out(commands, ["act"]) == 0
    assert capsys.readouterr().err == "warning: careful\n"
    assert [told[2] for told in shown] == [__file__]
    before = warnings.showwarning
    carry_out(commands, ["act"])
    assert warnings.showwarning is before
