"""Where lines and JSON go, and what they look like."""

import json

import pytest

from batchwright.errors import UnwritableOutput
from batchwright.reporting.screen import Screen, as_table, coloured


def test_lines_go_to_standard_output_unless_json_stands_there(capsys):
    Screen().say(["a line"])
    assert capsys.readouterr().out == "a line\n"
    screen = Screen(json="-")
    screen.say(["a line"])
    screen.write_json('{"a": 1}')
    told = capsys.readouterr()
    assert (json.loads(told.out), told.err) == ({"a": 1}, "a line\n")


def test_quiet_leaves_out_lines_but_not_json(capsys):
    screen = Screen(json="-", quiet=True)
    screen.say(["a line"])
    screen.progress("a line")
    screen.write_json("[]")
    assert capsys.readouterr() == ("[]\n", "")


def test_json_that_nobody_asked_for_is_not_written(capsys):
    Screen().write_json("[]")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("place", ["", "no/folder/out.json"])
def test_a_place_that_cannot_be_written_is_refused_at_once(place, tmp_path):
    with pytest.raises(UnwritableOutput, match="cannot be written"):
        Screen(json=str(tmp_path / place))


def test_only_counts_above_zero_are_coloured():
    line = coloured("done in 1.0 s: 1,288 ok, 12 partial, 0 failed")
    assert "\x1b[32m1,288 ok" in line
    assert "\x1b[33m12 partial" in line
    assert line.endswith(" 0 failed")
    assert "\x1b[31m10 failed" in coloured("10 failed")


def test_a_table_aligns_its_columns():
    assert as_table([("name", "count"), ("a", "10"), ("long name", "9")], right=(1,)) == [
        "name       count",
        "a             10",
        "long name      9",
    ]
    assert as_table([]) == []
