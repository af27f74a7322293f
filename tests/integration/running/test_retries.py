"""Trying a failed call again: each attempt begins as the first did, save for its luck."""

from __future__ import annotations

import random

import batchwright
from batchwright import step

attempts: list[int] = []


def run(tmp_path, built):
    attempts.clear()
    with batchwright.run({"c": built}, state=tmp_path / "state") as result:
        return result["c"].value


def appends_and_fails_twice(numbers):
    numbers.append(len(numbers))
    attempts.append(0)
    if len(attempts) < 3:
        raise ValueError("not yet")
    return numbers


def lucky():
    drawn = random.random()
    if drawn < 0.5:
        raise ValueError(drawn)
    return drawn


def test_a_retry_has_the_arguments_of_the_first_attempt(tmp_path):
    assert run(tmp_path, step(appends_and_fails_twice, retry=3)([7])) == [7, 1]
    assert len(attempts) == 3


def test_a_retry_draws_other_random_numbers_that_repeat_all_the_same(tmp_path):
    drawn = [run(tmp_path / str(i), step(lucky, retry=200)()) for i in range(2)]
    assert drawn[0] == drawn[1] >= 0.5
