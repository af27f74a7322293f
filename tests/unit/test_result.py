"""What a run gives back: results by contract, errors that say what is wrong, the run as JSON."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from batchwright.contracts.graph import (
    Address,
    Argument,
    ContractNode,
    Phase,
    Reference,
    Step,
    StepGraph,
    Target,
)
from batchwright.contracts.veto import FiredVeto, VetoOutcome, parse_veto
from batchwright.errors import NoResult, StepFailed, UnknownContract
from batchwright.execution.result import Result
from batchwright.fleet.outcome import ContractOutcome, Outcome
from batchwright.records.model import RunRecord, StepFailure, StepRecord

DONE = Outcome("computed", "k", "d")


def failed(error=None):
    return Outcome("failed", "k", failure=StepFailure("ValueError", "bad"), error=error)


def skipped():
    return Outcome("skipped", failure=StepFailure("Skipped", "needs x"))


def result_of(contracts, *, values=(), outcomes=None, ended=None, reads=None, finished=True):
    """The result of contracts whose steps gave these values, each its own unique step."""
    size = max([len(values), *(max(c.steps, default=-1) + 1 for c in contracts)])
    owners = {step: c for c in reversed(contracts) for step in c.steps}
    steps = tuple(
        Step(i, Address(owners[i].id if i in owners else "", _phase(owners.get(i), i), f"p{i}"),
             function=Target("m", f"f{i}"), confidence=0.5)
        for i in range(size)
    )  # fmt: skip
    outcomes = dict.fromkeys(range(size), DONE) if outcomes is None else outcomes
    if ended is None:
        ended = {c.id: ContractOutcome(c.id, "ok") for c in contracts}
    uniques = [SimpleNamespace(step=s, reads=(reads or {}).get(s.id, ())) for s in steps]
    prepared = SimpleNamespace(
        graph=StepGraph(steps, tuple(contracts)),
        keyed=SimpleNamespace(of=tuple(range(size)), uniques=uniques),
        close=lambda: None,
    )
    records = {i: StepRecord(i, f"f{i}", outcome.status, "why") for i, outcome in outcomes.items()}
    summary = {"ok": 1, "partial": 0, "contracts_failed": 0}
    run = RunRecord(7, 1.0, "fleet", 2.0, "done", summary)
    return Result(prepared, run, records, outcomes, ended, lambda step: values[step])


def _phase(contract, step):
    found = [p.name for p in contract.phases if step in p.steps] if contract else []
    return found[0] if found else ""


def outputs(id_, **named):
    """A Python contract of outputs by name; `value=` is a single unnamed one."""
    given = [(None if n == "value" else n, Argument.of(t)) for n, t in named.items()]
    steps = tuple(dict.fromkeys(s for _, argument in given for s in argument.steps))
    return ContractNode(id_, steps, outputs=tuple(given))


def phased(id_="j", *sizes):
    phases, start = [], 0
    for place, size in enumerate(sizes):
        phases.append(
            Phase(f"phase{place}", "N1", f"target{place}", tuple(range(start, start + size)))
        )
        start += size
    return ContractNode(id_, tuple(range(start)), tuple(phases))


# --- Python contracts ---------------------------------------------------------------------------


def test_a_single_output_is_the_value():
    assert result_of([outputs("c", value=Reference(0))], values=[5])["c"].value == 5
    assert result_of([outputs("c", named=Reference(0))], values=[5])["c"].value == 5


def test_outputs_go_by_name_as_items_and_as_attributes():
    found = result_of([outputs("c", a=Reference(0), b=Reference(1))], values=[1, 2])["c"]
    assert (found.a, found["b"], dict(found), len(found)) == (1, 2, {"a": 1, "b": 2}, 2)
    assert list(found) == ["a", "b"]
    assert "c" not in found


def test_an_output_may_hold_results_and_parts_of_them_anywhere():
    template = {"x": [Reference(0, ("k", 1)), 9], "y": (Reference(1),)}
    found = result_of([outputs("c", value=template)], values=[{"k": [3, 4]}, 5])["c"].value
    assert found == {"x": [4, 9], "y": (5,)}


def test_several_outputs_are_not_a_single_value():
    found = result_of([outputs("c", a=Reference(0), b=Reference(1))], values=[1, 2])["c"]
    with pytest.raises(NoResult, match=r"contract 'c' has 2 outputs, not a single one"):
        _ = found.value


def test_a_name_that_there_is_not_is_told_with_the_nearest():
    found = result_of([outputs("c", total=Reference(0))], values=[1])["c"]
    with pytest.raises(AttributeError, match=r"no result 'totl'; did you mean 'total'\?; it has"):
        _ = found.totl
    with pytest.raises(KeyError):
        _ = found["totl"]
    assert not hasattr(found, "__len_hint__")


# --- JSON contracts -----------------------------------------------------------------------------


def test_results_stand_under_their_target_sorted_failures_among_them():
    made = phased("j", 2, 1)
    outcomes = {0: DONE, 1: failed(), 2: DONE}
    found = result_of([made], values=[1, None, 3], outcomes=outcomes)["j"]
    assert found["target0"] == {"_error_p1": {"type": "ValueError", "message": "bad"}, "p0": 1}
    assert found.target1 == {"p2": 3}
    assert list(found) == ["target0", "target1"]


def test_what_was_not_reached_is_left_out():
    ended = {"j": ContractOutcome("j", "failed", unreached=(1,))}
    found = result_of([phased("j", 3)], values=[1, 2, 3], outcomes={0: DONE, 1: DONE}, ended=ended)
    assert found["j"]["target0"] == {"p0": 1}


def test_what_a_veto_voids_is_left_out_and_what_it_lowers_has_less_confidence():
    veto = parse_veto("low", "score < 1", "reduce_confidence", None, 0.5)
    vetoes = VetoOutcome(
        {0: 0.5, 1: 0.25}, voided=(0,), fired=(FiredVeto(1, veto, (1,)),), unread=()
    )
    ended = {"j": ContractOutcome("j", "partial", vetoes=vetoes)}
    found = result_of([phased("j", 2)], values=[1, 2], ended=ended)["j"]
    assert found["target0"] == {"p1": 2}
    assert found.confidence == {"target0": {"p0": 0.5, "p1": 0.25}}
    assert found.vetoes == ["low"]


# --- failures -----------------------------------------------------------------------------------


def test_reading_a_failed_value_raises_what_the_step_raised():
    error = KeyError("mine")
    made = result_of([outputs("c", value=Reference(0))], outcomes={0: failed(error)})
    with pytest.raises(KeyError) as raised:
        _ = made["c"].value
    assert raised.value is error


def test_reading_a_skipped_value_raises_what_the_step_raised_that_it_lacked():
    error = KeyError("mine")
    made = result_of(
        [outputs("c", value=Reference(2))],
        outcomes={0: failed(error), 1: skipped(), 2: skipped()},
        reads={1: (0,), 2: (1,)},
    )
    with pytest.raises(KeyError) as raised:
        _ = made["c"].value
    assert raised.value is error


def test_an_exception_that_is_not_at_hand_any_more_is_told():
    made = result_of([outputs("c", value=Reference(0))], outcomes={0: failed()})
    with pytest.raises(StepFailed, match=r"c/p0 \(f0\): ValueError: bad"):
        _ = made["c"].value


def test_a_value_that_was_not_run_is_said():
    made = result_of([outputs("c", value=Reference(0))], outcomes={})
    with pytest.raises(NoResult, match=r"c/p0 \(f0\) was not run"):
        _ = made["c"].value


def test_a_closed_result_gives_no_values_and_says_so():
    with result_of([outputs("c", value=Reference(0))], values=[1]) as made:
        assert made["c"].value == 1
    with pytest.raises(NoResult, match="closed"):
        _ = made["c"].value


# --- the whole ----------------------------------------------------------------------------------


def several():
    contracts = [outputs(name, value=Reference(i)) for i, name in enumerate("abcd")]
    ended = {
        "a": ContractOutcome("a", "ok"),
        "b": ContractOutcome("b", "partial"),
        "c": ContractOutcome("c", "failed"),
    }
    return result_of(contracts, values=list(range(4)), ended=ended)


def test_contracts_are_told_by_how_they_ended():
    made = several()
    assert (list(made), len(made), made.failed, made.partial) == (["a", "b", "c"], 3, ["c"], ["b"])
    assert ("a" in made, "d" in made, 5 in made) == (True, False, False)


def test_a_contract_that_there_is_not_is_told_with_the_nearest():
    contracts = [outputs("alpha", value=Reference(0))]
    made = result_of(contracts, values=[1])
    with pytest.raises(UnknownContract, match="did you mean 'alpha'"):
        _ = made["alpa"]
    with pytest.raises(UnknownContract, match="did you mean 'alpha'"):
        made.explain("alpa")


def test_a_contract_that_did_not_finish_has_no_result_and_says_why_its_steps_ran():
    made = several()
    with pytest.raises(UnknownContract):
        _ = made["d"]
    assert made.explain("d").splitlines() == ["d: not finished", "  d/p3  f3: computed; why"]


def test_a_contract_is_explained_step_by_step():
    made = result_of([phased("j", 2)], outcomes={0: DONE})
    assert made.explain("j").splitlines() == [
        "j: ok",
        "  j/phase0/p0  f0: computed; why",
        "  j/phase0/p1  f1: not run",
    ]


def test_the_run_and_its_contracts_are_shown_in_a_line():
    made = several()
    assert repr(made) == "<run 7 done: 1 ok, 0 partial, 0 failed>"
    assert repr(made["a"]) == "<contract 'a': ok; value>"


# --- as JSON ------------------------------------------------------------------------------------


def value_as_json(value):
    made = result_of([outputs("c", value=Reference(0))], values=[value])
    return json.loads(made.json())["steps"]["0"]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, None),
        ({"a": [1, 2.5, True]}, {"a": [1, 2.5, True]}),
        (np.arange(3), [0, 1, 2]),
        (np.float64(1.5), 1.5),
        ({"x": np.zeros((1, 2))}, {"x": [[0.0, 0.0]]}),
    ],
)
def test_a_value_that_json_can_hold_is_in_it(value, told):
    assert value_as_json(value)["value"] == told


@pytest.mark.parametrize("value", [object(), {"a": lambda: 1}, "x" * 200_000, {(1, 2): iter(())}])
def test_a_value_that_it_cannot_hold_is_left_out_and_that_is_said(value):
    step = value_as_json(value)
    assert "value" not in step
    assert step["value_omitted"]


def test_a_run_as_json_tells_its_contracts_and_steps():
    made = result_of([phased("j", 2)], values=[1, 2], outcomes={0: DONE, 1: failed()})
    told = json.loads(made.json())
    assert (told["run"], told["fleet"], told["status"]) == (7, "fleet", "done")
    assert told["contracts"]["j"]["steps"] == [
        {"address": "j/phase0/p0", "step": 0},
        {"address": "j/phase0/p1", "step": 1},
    ]
    assert told["steps"]["0"]["value"] == 1
    assert "value" not in told["steps"]["1"]
    assert "value" not in json.loads(made.json(values=False))["steps"]["0"]


def test_a_run_is_written_to_a_file(tmp_path):
    made = result_of([outputs("c", value=Reference(0))], values=[math.pi])
    made.to_json(tmp_path / "run.json")
    assert json.loads((tmp_path / "run.json").read_text())["steps"]["0"]["value"] == math.pi
