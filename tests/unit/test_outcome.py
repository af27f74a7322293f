"""How contracts end, compared with the rules said plainly, for random failures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright.caching.code import CodeFacts
from batchwright.contracts.graph import (
    Address,
    Argument,
    Bound,
    ContractNode,
    Outputs,
    Phase,
    Reference,
    Step,
    StepGraph,
    Target,
)
from batchwright.contracts.veto import parse_veto
from batchwright.fleet.facts import FactBook, MethodFacts
from batchwright.fleet.keys import key_graph
from batchwright.fleet.outcome import (
    ContractOutcome,
    Outcome,
    confidence_of,
    contract_outcome,
    obstacle,
    shown_steps,
)
from batchwright.records.model import StepFailure

FAILURE = StepFailure("ValueError", "bad")
DONE = Outcome("computed", "k", "d")
FAILED = Outcome("failed", "k", failure=FAILURE)
SKIPPED = Outcome("skipped", failure=StepFailure("Skipped", "needs x"))


def step(number, *bound, vetoes=(), confidence=0.5):
    return Step(
        number,
        Address("c", "", f"s{number}"),
        tuple(bound),
        function=Target("m", f"f{number}"),
        vetoes=vetoes,
        confidence=confidence,
    )


def keyed(steps, contract=None):
    contract = contract or ContractNode("c", tuple(range(len(steps))))
    book = FactBook(remembered={f"m:f{s.id}": MethodFacts(CodeFacts(f"{s.id}", {})) for s in steps})
    return key_graph(StepGraph(tuple(steps), (contract,)), book)


def phased(*sizes, on_failure="continue", depends_on=()):
    """A contract of phases with so many steps each, and the phases by target."""
    phases, start = [], 0
    for place, size in enumerate(sizes):
        steps = tuple(range(start, start + size))
        phases.append(Phase(f"p{place}", f"N{place + 1}", f"t{place}", steps))
        start += size
    return ContractNode(
        "c", tuple(range(start)), tuple(phases), on_failure=on_failure, depends_on=depends_on
    )


def ended(contract, statuses, made=None, before=None, value=lambda step: {}):
    made = made or keyed([step(i) for i in contract.steps], contract)
    outcomes = {made.of[i]: outcome for i, outcome in statuses.items()}
    return contract_outcome(contract, made, outcomes, before or {}, value)


# --- contracts ----------------------------------------------------------------------------------


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.sampled_from(["continue", "raise"]),
    st.data(),
)
def test_a_contract_in_phases_ends_as_the_rules_say(sizes, on_failure, draw):
    contract = phased(*sizes, on_failure=on_failure)
    every = list(contract.steps)
    drawn = draw.draw(
        st.lists(
            st.sampled_from([DONE, DONE, FAILED, SKIPPED]),
            min_size=len(every),
            max_size=len(every),
        )
    )
    reached = draw.draw(st.integers(0, len(every)))
    statuses = dict(zip(every, drawn[:reached], strict=False))

    outcome = ended(contract, statuses)

    bad = [i for i in every if i in statuses and statuses[i] is not DONE]
    if on_failure == "raise" and bad:
        assert outcome.status == "failed"
        assert [i for i, _ in outcome.failures] == bad[:1]
        assert set(outcome.unreached) == {i for i in every if i > bad[0]}
    else:
        assert [i for i, _ in outcome.failures] == bad
        assert set(outcome.unreached) == set(every) - set(statuses)
        wanted = "partial" if bad else "ok" if reached == len(every) else "failed"
        assert outcome.status == wanted


@given(st.lists(st.sampled_from([DONE, FAILED, SKIPPED]), min_size=1, max_size=4))
def test_a_contract_of_outputs_has_failed_only_when_all_of_them_have(statuses):
    outputs = tuple((f"o{i}", Argument.of(Reference(i))) for i in range(len(statuses)))
    contract = ContractNode("c", tuple(range(len(statuses))), outputs=outputs)
    outcome = ended(contract, dict(enumerate(statuses)))
    good = statuses.count(DONE)
    assert outcome.status == (
        "ok" if good == len(statuses) else "failed" if good == 0 else "partial"
    )


def test_what_an_output_came_from_is_not_judged():
    contract = ContractNode("c", (0, 1), outputs=((None, Argument.of(Reference(1))),))
    assert shown_steps(contract) == (1,)
    assert ended(contract, {0: FAILED, 1: DONE}).status == "ok"


def test_a_step_shown_by_two_outputs_is_judged_once():
    twice = (("a", Argument.of(Reference(0))), ("b", Argument.of([Reference(0), Reference(0)])))
    contract = ContractNode("c", (0,), outputs=twice)
    assert shown_steps(contract) == (0,)
    assert len(ended(contract, {0: FAILED}).failures) == 1


def test_a_failed_predecessor_leaves_a_contract_not_run():
    contract = phased(2, depends_on=("a", "b"))
    before = {"a": ContractOutcome("a", "ok"), "b": ContractOutcome("b", "failed")}
    outcome = ended(contract, {0: DONE, 1: DONE}, before=before)
    assert (outcome.status, outcome.unreached) == ("failed", (0, 1))
    assert outcome.problems == ("not run: b, on which it depends, failed",)


@pytest.mark.parametrize("status", ["ok", "partial"])
def test_a_predecessor_that_did_not_fail_lets_a_contract_run(status):
    contract = phased(1, depends_on=("a",))
    before = {"a": ContractOutcome("a", status)}
    assert ended(contract, {0: DONE}, before=before).status == "ok"


def test_a_predecessor_that_is_not_in_the_run_lets_a_contract_run():
    assert ended(phased(1, depends_on=("elsewhere",)), {0: DONE}).status == "ok"


# --- vetoes -------------------------------------------------------------------------------------


def veto(action):
    return parse_veto("low", "score < 0.5", action, "t0", 0.5)


def test_a_veto_that_voids_makes_a_contract_partial():
    contract = phased(1, 1)
    made = keyed([step(0), step(1, vetoes=(veto("invalidate_graph"),))], contract)
    outcome = ended(contract, {0: DONE, 1: DONE}, made, value=lambda i: {"score": 0.1})
    assert (outcome.status, tuple(outcome.vetoes.voided)) == ("partial", (0,))


def test_a_veto_that_reduces_confidence_leaves_a_contract_ok():
    contract = phased(1, 1)
    steps = [step(0, confidence=0.8), step(1, vetoes=(veto("reduce_confidence"),))]
    outcome = ended(contract, {0: DONE, 1: DONE}, keyed(steps, contract),
                    value=lambda i: {"score": 0.1})  # fmt: skip
    assert outcome.status == "ok"
    assert confidence_of(steps[0], outcome) == pytest.approx(0.4)


def test_values_are_looked_at_only_for_vetoes():
    asked = []

    def value(number):
        asked.append(number)
        return {"score": 0.9}

    contract = phased(3, 1)
    ended(contract, dict.fromkeys(range(4), DONE), value=value)
    assert asked == []
    made = keyed([step(0), step(1), step(2), step(3, vetoes=(veto("invalidate_graph"),))], contract)
    ended(contract, dict.fromkeys(range(4), DONE), made, value=value)
    assert asked == [3]


def test_a_failed_step_fires_no_veto():
    contract = phased(1, 1)
    made = keyed([step(0), step(1, vetoes=(veto("invalidate_graph"),))], contract)
    outcome = ended(contract, {0: DONE, 1: FAILED}, made, value=lambda i: 1 / 0)
    assert (outcome.status, tuple(outcome.vetoes.voided)) == ("partial", ())


def test_the_confidence_without_vetoes_is_the_methods_own():
    assert confidence_of(step(0, confidence=0.7), ContractOutcome("c", "ok")) == 0.7


# --- what a step cannot run without -------------------------------------------------------------


def named(number):
    return Bound("x", Argument.of(Reference(number)))


def mapping(*numbers):
    return Bound("facts", Argument.of(Outputs(tuple((f"r{i}", i) for i in numbers))))


def obstacle_of(bound, outcomes, count=2):
    made = keyed([*(step(i) for i in range(count)), step(count, bound)])
    return obstacle(made.uniques[-1], made, dict(enumerate(outcomes)))


@given(st.lists(st.sampled_from([DONE, FAILED, SKIPPED]), min_size=1, max_size=4))
def test_a_mapping_is_an_obstacle_only_when_it_has_nothing_but_errors(outcomes):
    found = obstacle_of(mapping(*range(len(outcomes))), outcomes, len(outcomes))
    wanted = None if DONE in outcomes else "needs 'facts', all of whose results failed"
    assert found == wanted


def test_a_phase_without_steps_is_no_obstacle():
    assert (
        obstacle_of(Bound("facts", Argument.of([Outputs(()), Reference(0)])), [DONE, DONE]) is None
    )


def test_a_named_result_that_failed_is_an_obstacle_that_says_why():
    assert obstacle_of(named(1), [DONE, FAILED]) == "needs f1, which failed (ValueError: bad)"
    assert obstacle_of(named(1), [DONE, SKIPPED]) == "needs f1, which was skipped"
    assert obstacle_of(named(1), [FAILED, DONE]) is None


def test_a_result_deep_in_an_argument_is_an_obstacle():
    deep = Bound("x", Argument.of({"a": [Reference(0), (Reference(1, ("k",)), 3)]}))
    assert obstacle_of(deep, [DONE, FAILED]) == "needs f1, which failed (ValueError: bad)"
