"""Errors of a fleet are told together, once each, in file order."""

import pytest

from batchwright.contracts.problems import Problems
from batchwright.errors import InvalidFleet, MissingArgument, UnknownClass


def test_nothing_wrong_raises_nothing():
    problems = Problems()
    assert not problems
    problems.raise_if_any()


def test_errors_come_in_file_order_and_in_the_order_found_within_a_file():
    problems = Problems()
    problems.add(UnknownClass("third"), "c", order=2)
    problems.add(UnknownClass("first"), "a", order=0)
    problems.add(MissingArgument("second"), "a", order=0)
    problems.add(UnknownClass("settings"))
    assert [e.message for e in problems.errors()] == [
        "settings", "a: first", "a: second", "c: third"
    ]  # fmt: skip


def test_one_mistake_in_many_places_is_told_at_the_first_of_them():
    problems = Problems()
    for order in (2, 0, 1):
        problems.add(UnknownClass("no class 'X'"), f"file {order}", order=order)
    problems.add(MissingArgument("no class 'X'"), "file 0", order=0)
    same, other = problems.errors()
    assert same.message == "file 0: no class 'X' (and at 2 more places)"
    assert type(other) is MissingArgument


def test_the_fleet_error_shows_them_all_with_codes():
    problems = Problems()
    problems.add(UnknownClass("one"), "a")
    problems.add(MissingArgument("two"), "b")
    with pytest.raises(InvalidFleet) as caught:
        problems.raise_if_any()
    assert str(caught.value).splitlines() == [
        "BW101 the fleet has 2 errors; nothing was run",
        "  BW119 a: one",
        "  BW126 b: two",
    ]
