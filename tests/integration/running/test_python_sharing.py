"""The Python road: which calls are one, and results that have no content."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest

import batchwright
from batchwright import step

CALLS: list[str] = []


def called(name):
    CALLS.append(name)


@pytest.fixture
def run(python_runs):
    """Runs, and in CALLS the calls that the last one made."""

    def run(what, **options):
        CALLS.clear()
        return python_runs(what, **options)

    run.plan, run.clear, run.runs = python_runs.plan, python_runs.clear, python_runs
    return run


def double(x):
    called("double")
    return x * 2


def add(x, y=10, *, z=0):
    called("add")
    return x + y + z


def length(items):
    called("length")
    return len(items)


counter = itertools.count()


def counts():
    called("counts")
    return next(counter)


# --- which calls are one --------------------------------------------------------------------------


def test_equal_calls_are_made_once(run):
    result = run({"a": step(counts)(), "b": step(counts)()})
    assert CALLS == ["counts"]
    assert result["a"].value == result["b"].value


def test_samples_keep_equal_calls_apart(run):
    fleet = {f"s{i}": step(counts, sample=i)() for i in range(3)}
    values = [run(fleet)[id_].value for id_ in fleet]
    assert len(set(values)) == 3
    assert [run(fleet)[id_].value for id_ in fleet] == values
    assert CALLS == []


def test_default_arguments_make_no_difference(run):
    run({"c": step(add)(1)})
    for alike in (step(add)(1, 10), step(add)(x=1, z=0), step(add)(1, y=10, z=0)):
        assert run({"c": alike})["c"].value == 11
        assert CALLS == []
    assert run({"c": step(add)(1, 11)})["c"].value == 12


def test_what_is_not_cached_is_neither_kept_nor_shared(run):
    off = step(counts, cache=False)
    fleet = {"a": off(), "b": off()}
    first, second = run(fleet), run(fleet)
    values = {result[id_].value for result in (first, second) for id_ in "ab"}
    assert len(values) == 4
    assert second.figures["bypassed"] == 2


def test_consumers_of_what_is_not_cached_are_known_by_what_it_gives(run):
    fleet = {"c": step(double)(step(add)(step(length, cache=False)([1, 2])))}
    run(fleet)
    assert run.plan(fleet) == {"length": "will run", "add": "may run", "double": "may run"}
    assert run(fleet)["c"].value == 24
    assert CALLS == ["length"]


def test_what_is_meant_not_to_repeat_is_kept_and_served(run):
    fleet = {"c": step(double)(step(counts, repeats=False)())}
    first = run(fleet)["c"].value
    assert run(fleet)["c"].value == first
    assert CALLS == []
    run.clear("counts")
    assert run.plan(fleet)["double"] == "may run"
    assert run(fleet)["c"].value != first


def test_an_array_that_many_steps_share_counts_once_and_stays_as_it_is(run, monkeypatch):
    digested = []
    real = batchwright.digest
    monkeypatch.setattr(
        "batchwright.fleet.keys.digest",
        lambda value: digested.append(type(value)) or real(value),
    )
    array = np.arange(1e4)

    def grow(values, by):
        values += by
        return float(values.sum())

    result = run({f"c{i}": step(grow)(array, i) for i in range(5)})
    whole = float(np.arange(1e4).sum())
    assert [result[f"c{i}"].value for i in range(5)] == [whole + 1e4 * i for i in range(5)]
    assert digested.count(np.ndarray) == 1
    assert any("changes its argument 'values'" in note for note in result.figures["notes"])
    assert array[0] == 0.0


# --- results that have no content -----------------------------------------------------------------


class Model:
    def __init__(self, weights):
        self.weights = weights
        self.parts = {"first": Part(weights), "second": Part(weights)}

    def __getitem__(self, name):
        return self.parts[name]

    def __reduce__(self):
        return Model, (self.weights,)


class Part:
    def __init__(self, weights):
        self.weights = weights


def fit(weights, other=0):
    called("fit")
    return Model(weights)


def score(model):
    called("score")
    return sum(model.weights)


def test_an_opaque_result_is_kept_and_told_by_how_it_came_about(run):
    def fleet(other=0):
        return {"c": step(score)(step(fit)([1, 2], other))}

    assert run(fleet())["c"].value == 3
    assert run(fleet())["c"].value == 3
    assert CALLS == []
    run(fleet(other=1))
    assert CALLS == ["fit", "score"]


def test_a_part_of_an_opaque_result_is_told_by_its_place(run):
    def fleet():
        model = step(fit)([1, 2])
        return {id_: step(score)(model[id_]) for id_ in ("first", "second")}

    assert run(fleet())["second"].value == 3
    assert CALLS == ["fit", "score", "score"]
    run(fleet())
    assert CALLS == []


def hold():
    called("hold")
    return threading.Lock()


def is_held(lock, x=0):
    called("is_held")
    return lock.locked()


def test_a_handle_lives_for_the_run_and_nothing_of_it_is_kept(run):
    def fleet():
        lock = step(hold)()
        return {"c": step(is_held)(lock), "d": step(is_held)(lock, 1)}

    for _ in range(2):
        result = run(fleet())
        assert (result["c"].value, result["d"].value) == (False, False)
        assert sorted(CALLS) == ["hold", "is_held", "is_held"]
        assert result.figures["bypassed"] == 3
