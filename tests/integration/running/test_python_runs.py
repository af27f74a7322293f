"""The Python road from contracts to values: contracts, failures, lost values."""

from __future__ import annotations

import itertools
import os

import pytest

import batchwright
from batchwright import Cache, Contract, grid, step

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


def source(parts):
    called("source")
    return dict(parts)


def double(x):
    called("double")
    return x * 2


def add(x, y=10, *, z=0):
    called("add")
    return x + y + z


def length(items):
    called("length")
    return len(items)


def fails(x):
    called("fails")
    raise ValueError(x)


# --- failures -------------------------------------------------------------------------------------


def test_a_failed_value_raises_the_original_exception(run):
    error = KeyError("mine")

    def raises():
        raise error

    result = run({"c": step(raises)(), "d": step(double)(1)})
    assert result.failed == ["c"]
    with pytest.raises(KeyError) as raised:
        _ = result["c"].value
    assert raised.value is error
    assert result["d"].value == 2


def test_only_what_failed_before_runs_again(run):
    fleet = {"c": step(fails)(step(double)(1)), "d": step(add)(1)}
    run(fleet)
    assert run.plan(fleet) == {"double": "known", "fails": "failed before", "add": "known"}
    run(fleet)
    assert CALLS == ["fails"]


def test_what_reads_a_failed_result_is_skipped_and_says_why(run):
    result = run({"c": step(double)(step(fails)(1)), "d": step(add)(1)})
    assert CALLS == ["fails", "add"]
    assert (result["c"].status, result["d"].status) == ("failed", "ok")
    with pytest.raises(ValueError, match="1"):
        _ = result["c"].value
    assert "double: skipped; needs fails, which failed (ValueError: 1)" in result.explain("c")


tries = itertools.count()


def works_the_third_time():
    called("try")
    if next(tries) % 3 < 2:
        raise OSError("not yet")
    return "done"


@pytest.mark.parametrize(("retry", "status", "calls"), [(2, "ok", 3), (1, "failed", 2)])
def test_a_failed_call_is_tried_again_as_often_as_is_said(run, monkeypatch, retry, status, calls):
    monkeypatch.setitem(globals(), "tries", itertools.count())
    result = run({"c": step(works_the_third_time, retry=retry, version=str(retry))()})
    assert (result["c"].status, len(CALLS)) == (status, calls)


def test_a_run_stops_at_the_first_failure_when_asked(run):
    result = run({"a": step(double)(1), "b": step(fails)(1), "c": step(add)(1)}, stop_at_first=True)
    assert CALLS == ["double", "fails"]
    assert result.figures["not_ended"] == 1


def test_a_run_stops_at_a_failure_that_no_output_shows_and_tells_it(run):
    behind = step(double)(step(fails)(1))
    result = run({"b": behind, "c": step(add)(1)}, stop_at_first=True)
    assert CALLS == ["fails"]
    assert result.figures["not_ended"] == 1
    assert [cause["step"] for cause in result.figures["causes"]] == ["fails"]


# --- values that are lost -------------------------------------------------------------------------


class Losing:
    """Deletes an entry between look-up and use."""

    def __init__(self, run, method):
        self.run, self.method = run, method

    def planned(self, prepared):
        for entry in list(prepared.cache.entries(self.method)):
            prepared.cache.delete(entry.key)

    def step_started(self, unique): ...
    def step_ended(self, record): ...
    def contract_ended(self, outcome): ...
    def run_ended(self, run): ...


def test_a_result_that_is_lost_before_it_is_read_is_computed_again(run):
    fleet = {"c": step(double)(3)}
    run(fleet)
    result = run(fleet, observer=Losing(run, "double"))
    assert result["c"].value == 6
    assert CALLS == ["double"]


class Model:
    """What has no content that a digest could be made of."""

    def __init__(self, weights):
        self.weights = weights


def fitted():
    return Model(os.urandom(8))


def weights_of(model):
    return model.weights


@pytest.mark.parametrize("repeats", [True, False])
def test_a_model_that_is_not_meant_to_repeat_is_another_one_when_it_is_fitted_again(run, repeats):
    model = step(fitted, repeats=repeats)()
    first = run({"m": model, "w": step(weights_of)(model)})
    assert first["w"].value == first["m"].value.weights
    run.clear("fitted")
    again = run({"m": model, "w": step(weights_of)(model)})
    assert again["m"].value.weights != first["m"].value.weights
    served_as_before = again["w"].value == first["w"].value
    # Of one that is to repeat, another fit counts as the same model.
    assert served_as_before is repeats
    assert (again["w"].value == again["m"].value.weights) is not repeats


def test_an_input_that_is_lost_before_it_is_read_is_computed_again_with_a_note(run):
    def fleet(y):
        return {"c": step(add)(step(double)(3), y)}

    run(fleet(1))
    result = run(fleet(2), observer=Losing(run, "double"))
    assert result["c"].value == 8
    assert CALLS == ["double", "add"]
    assert any("double was gone from the cache" in note for note in result.figures["notes"])
    run(fleet(3))
    assert CALLS == ["add"]


# --- contracts ------------------------------------------------------------------------------------


def test_a_contract_of_two_outputs_gives_each_by_name(run):
    contract = Contract("c", total=step(add)(1), twice=[step(double)(2), step(double)(3)])
    result = run(contract)["c"]
    assert result.total == result["total"] == 11
    assert result.twice == [4, 6]
    assert dict(result) == {"total": 11, "twice": [4, 6]}
    with pytest.raises(batchwright.errors.NoResult):
        _ = result.value
    with pytest.raises(AttributeError, match="did you mean 'total'"):
        _ = result.totl


def test_a_contract_waits_for_those_it_depends_on_and_is_not_run_when_they_fail(run):
    fleet = [
        Contract("last", step(add)(1), depends_on=["bad", "good"]),
        Contract("after", step(double)(1), depends_on="good"),
        Contract("bad", step(fails)(1)),
        Contract("good", step(length)([])),
    ]
    result = run(fleet)
    assert CALLS.index("length") < CALLS.index("double")
    assert "add" not in CALLS
    assert {id_: result[id_].status for id_ in result} == {
        "bad": "failed",
        "good": "ok",
        "last": "failed",
        "after": "ok",
    }


def test_a_dependency_is_in_no_key(run):
    run([Contract("a", step(double)(1)), Contract("b", step(add)(1), depends_on="a")])
    run([Contract("a", step(double)(1)), Contract("b", step(add)(1))])
    assert CALLS == []


def test_a_step_over_all_the_others_takes_them_by_id(run):
    def best(scores):
        called("best")
        return max(scores, key=scores.get)

    scores = {id_: step(double)(**p) for id_, p in grid(x=range(4)).items()}
    result = run({**scores, "best": step(best)(scores)})
    assert result["best"].value == "x=3"
    assert CALLS == ["double"] * 4 + ["best"]
    more = {id_: step(double)(**p) for id_, p in grid(x=range(5)).items()}
    assert run({**more, "best": step(best)(more)})["best"].value == "x=4"
    assert CALLS == ["double", "best"]


def test_values_handed_out_are_ones_own(run):
    result = run({"c": step(source)({"a": [1]})})
    result["c"].value["a"].append(2)
    assert result["c"].value == {"a": [1]}
    assert run({"c": step(source)({"a": [1]})})["c"].value == {"a": [1]}


def test_only_some_contracts_are_run_when_asked(run):
    result = run({"a1": step(double)(1), "a2": step(add)(1), "b": step(length)([])}, only="a*")
    assert list(result) == ["a1", "a2"]
    assert CALLS == ["double", "add"]


def test_a_given_cache_is_used_and_left_open(run):
    with Cache() as cache:
        run({"c": step(double)(1)}, cache=cache).close()
        run({"c": step(double)(1)}, cache=cache).close()
        assert CALLS == []
        assert any(cache.entries("double"))
