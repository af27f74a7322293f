"""A part that a result turns out not to have fails the step that reads it, and nothing else."""

from __future__ import annotations

import pytest

import batchwright
from batchwright import step


def made():
    return {"a": [1, 2], "b": [{}]}


def doubled(x):
    return 2 * x


class Holder:
    def __init__(self, held):
        self.held = held

    def tell(self):
        return self.held


@pytest.fixture
def run(tmp_path):
    ran: list[batchwright.Result] = []

    def run(contracts):
        ran.append(batchwright.run(contracts, state=tmp_path / "state"))
        return ran[-1]

    yield run
    for each in ran:
        each.close()


def missing():
    result = step(made)()
    return {
        "key": (step(doubled)(result["zz"]), KeyError),
        "index": (step(doubled)(result["a"][9]), IndexError),
        "unhashable": (step(doubled)({result["b"][0]}), TypeError),
        "constructor": (step(Holder)(result["zz"]).tell(), KeyError),
    }


@pytest.mark.parametrize("name", missing())
def test_a_missing_part_is_the_failure_of_who_reads_it(run, name):
    built, error = missing()[name]
    for _ in range(2):
        result = run({"bad": built, "good": step(doubled)(step(made)()["a"])})
        assert result["good"].value == [1, 2, 1, 2]
        assert result["bad"].status == "failed"
        with pytest.raises(error):
            _ = result["bad"].value
