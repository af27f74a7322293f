"""Vetoes on the finished results of a contract."""

import itertools

import pytest

from batchwright.contracts.graph import Address, ContractNode, Phase, Step
from batchwright.contracts.veto import apply_vetoes, level_rank, parse_veto, steps_in_scope
from batchwright.errors import InvalidVeto


def contract(*methods):
    """A contract of (phase, provides, level, confidence, vetoes)."""
    steps = [
        Step(id=n, address=Address("Q", phase, provides), level=level, confidence=confidence,
             vetoes=tuple(vetoes))
        for n, (phase, provides, level, confidence, vetoes) in enumerate(methods)
    ]  # fmt: skip
    phases = [
        Phase(name, "", f"{name}_target", tuple(step.id for step in group))
        for name, group in itertools.groupby(steps, key=lambda step: step.address.phase)
    ]
    node = ContractNode("Q", tuple(range(len(steps))), phases=tuple(phases))
    return node, steps


def reduce(scope, by=0.5, trigger="score < 0.5"):
    return parse_veto("low", trigger, "reduce_confidence", scope, by)


def void(scope, trigger="score < 0.5"):
    return parse_veto("bad", trigger, "invalidate_graph", scope)


LOW = {"score": 0.1}


def test_every_finished_step_begins_with_its_own_confidence():
    node, steps = contract(("a", "x", "N1", 0.5, []), ("b", "y", "N2", 0.8, []))
    assert apply_vetoes(node, steps, {0: 1, 1: 2}).confidences == {0: 0.5, 1: 0.8}
    assert apply_vetoes(node, steps, {1: 2}).confidences == {1: 0.8}


def test_reduce_confidence_multiplies_within_its_scope_only():
    node, steps = contract(
        ("a", "x", "N1", 0.5, []), ("a", "y", "N1", 0.6, []), ("b", "z", "N2", 0.8, []),
        ("c", "audit", "N3", 1.0, [reduce("a_target")]),
    )  # fmt: skip
    outcome = apply_vetoes(node, steps, dict.fromkeys(range(4), LOW))
    assert outcome.confidences == {0: 0.25, 1: 0.3, 2: 0.8, 3: 1.0}
    assert [(f.step, f.veto.name, f.acted_on) for f in outcome.fired] == [(3, "low", (0, 1))]


def test_invalidate_graph_voids_its_scope_and_leaves_confidence():
    node, steps = contract(("a", "x", "N1", 0.5, []), ("c", "audit", "N3", 1.0, [void("x")]))
    outcome = apply_vetoes(node, steps, {0: LOW, 1: LOW})
    assert outcome.voided == (0,)
    assert outcome.confidences == {0: 0.5, 1: 1.0}


def test_invalidate_graph_has_no_use_for_a_multiplier():
    veto = parse_veto("bad", "score < 0.5", "invalidate_graph", "x", 0.0)
    node, steps = contract(("a", "x", "N1", 0.5, [veto]))
    assert apply_vetoes(node, steps, {0: LOW}).confidences == {0: 0.5}


def test_a_trigger_that_does_not_fire_changes_nothing():
    node, steps = contract(("a", "x", "N1", 0.5, [void("x"), reduce("x")]))
    outcome = apply_vetoes(node, steps, {0: {"score": 0.9}})
    assert (outcome.confidences, outcome.voided, outcome.fired) == ({0: 0.5}, (), ())


def test_a_missing_name_is_told_and_does_not_fire():
    node, steps = contract(("a", "x", "N1", 0.5, [void("x")]))
    outcome = apply_vetoes(node, steps, {0: {"other": 1}})
    assert outcome.voided == ()
    assert [tuple(u) for u in outcome.unread] == [(0, "bad", "score")]


def test_vetoes_of_steps_without_results_do_not_fire_and_their_scope_is_passed_over():
    node, steps = contract(
        ("a", "x", "N1", 0.5, [reduce("x")]), ("c", "audit", "N3", 1.0, [reduce("x")])
    )
    assert apply_vetoes(node, steps, {1: LOW}).confidences == {1: 1.0}


def test_the_order_of_vetoes_does_not_matter():
    vetoes = [reduce("x", 0.5), reduce("contract", 0.25), void("x")]
    outcomes = []
    for order in itertools.permutations(vetoes):
        node, steps = contract(("a", "x", "N1", 1.0, []), ("c", "audit", "N3", 1.0, order))
        outcome = apply_vetoes(node, steps, {0: LOW, 1: LOW})
        outcomes.append((outcome.confidences, outcome.voided))
    assert all(outcome == ({0: 0.125, 1: 0.25}, (0,)) for outcome in outcomes)


def test_only_values_of_steps_with_vetoes_are_looked_at():
    class Loading(dict):
        def __missing__(self, key):
            raise AssertionError("loaded")

        def __getitem__(self, key):
            assert key == 1
            return LOW

    node, steps = contract(("a", "x", "N1", 0.5, []), ("c", "audit", "N3", 1.0, [reduce("x")]))
    assert apply_vetoes(node, steps, Loading({0: None, 1: None})).confidences[0] == 0.25


def test_scopes():
    node, steps = contract(
        ("a", "x", "N1", 0.5, []), ("b", "x", "N2", 0.5, []), ("b", "b_target", "N2", 0.5, []),
        ("c", "audit", "N3", 0.5, []),
    )  # fmt: skip

    def scope(name, owner):
        return steps_in_scope(void(name), steps[owner], node.phases, steps)

    assert scope("a_target", 3) == (0,)
    assert scope("b_target", 3) == (1, 2)  # a target's name goes before a result's
    assert scope("x", 3) == (0, 1)
    assert scope("b_target.x", 3) == (1,)
    assert scope("contract", 3) == scope(None, 3) == scope("all", 3) == (0, 1, 2, 3)
    assert scope("contract", 1) == (0, 1, 2)
    assert scope("contract", 0) == (0,)


@pytest.mark.parametrize(("owner", "allowed"), [("N1-EMP", 1), ("N2-INF", 2), ("N3-AUD", 3)])
def test_a_method_may_veto_its_own_level_and_below(owner, allowed):
    for rank, level in enumerate(["N1-EMP", "N2-INF", "N3-AUD"], start=1):
        node, steps = contract(("a", "x", level, 0.5, []), ("b", "y", owner, 0.5, []))
        if rank <= allowed:
            assert steps_in_scope(void("x"), steps[1], node.phases, steps) == (0,)
        else:
            with pytest.raises(InvalidVeto, match=f"{owner} may not veto 'x'.*{level}"):
                steps_in_scope(void("x"), steps[1], node.phases, steps)


def test_an_unknown_scope_names_the_targets():
    node, steps = contract(("raw", "x", "N1", 0.5, []))
    with pytest.raises(InvalidVeto, match=r"'raw_targe'; did you mean 'raw_target'\?"):
        steps_in_scope(void("raw_targe"), steps[0], node.phases, steps)


@pytest.mark.parametrize(
    ("level", "rank"), [("N1-EMP", 1), ("N2", 2), ("n3-aud", 3), ("", 0), ("level 1", 0)]
)
def test_ranks(level, rank):
    assert level_rank(level) == rank


def test_an_unknown_action_and_a_missing_multiplier():
    with pytest.raises(
        InvalidVeto, match=r"'invalidate' is not known; did you mean 'invalidate_graph'\?"
    ):
        parse_veto("v", "x < 1", "invalidate")
    with pytest.raises(InvalidVeto, match="confidence_multiplier"):
        parse_veto("v", "x < 1", "reduce_confidence", "x")
    assert parse_veto("v", "x < 1", "reduce_confidence", "x", 0.0).multiplier == 0.0
