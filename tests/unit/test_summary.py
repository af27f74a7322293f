"""The figures of a run."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec

from batchwright.contracts.graph import Address, ContractNode, Step, StepGraph, Target
from batchwright.contracts.veto import FiredVeto, VetoOutcome, parse_veto
from batchwright.execution.summary import summarise
from batchwright.fleet.lookup import Standing
from batchwright.fleet.outcome import ContractOutcome
from batchwright.records.model import StepFailure, StepRecord

FAILURE = StepFailure("ValueError", "no table")


def record(number, outcome="computed", label=None, **more):
    return StepRecord(number, label or f"f{number}", outcome, **more)


def figures(records=(), ended=(), standings=(), *, steps_of=None, contracts=None, notes=()):
    """The figures of a run of contracts `c0`, `c1`, ...; they share all steps unless it is said."""
    count = len(contracts or ended)
    size = max([r.number + 1 for r in records], default=0)
    steps = tuple(
        Step(i, Address("c0", "", f"p{i}"), function=Target("m", f"f{i}")) for i in range(size)
    )
    every = tuple(range(size))
    nodes = tuple(ContractNode(f"c{i}", (steps_of or {}).get(i, every)) for i in range(count))
    keyed = SimpleNamespace(
        graph=StepGraph(steps, nodes), uniques=list(range(size)), of=tuple(range(size))
    )
    return summarise(
        keyed,
        {r.number: r for r in records},
        {outcome.id: outcome for outcome in ended},
        standings,
        built=3,
        build_ms=2.0,
        seconds=1.5,
        notes=notes,
        cache=SimpleNamespace(stats=lambda: SimpleNamespace(rejected=4)),
    )


def ok(number=0):
    return ContractOutcome(f"c{number}", "ok")


def test_contracts_calls_and_steps_are_counted():
    found = figures(
        [record(0), record(1, "known"), record(2, "failed"), record(3, "skipped")],
        [ok(0), ContractOutcome("c1", "partial"), ContractOutcome("c2", "failed")],
        [Standing("known"), Standing("known"), Standing("failed before"), Standing("will run")],
    )
    assert {name: found[name] for name in ("contracts", "calls", "distinct_steps")} == {
        "contracts": 3, "calls": 12, "distinct_steps": 4,
    }  # fmt: skip
    assert [found[name] for name in ("computed", "known", "failed", "skipped")] == [1, 1, 1, 1]
    assert [found[name] for name in ("ok", "partial", "contracts_failed")] == [1, 1, 1]
    assert [found[name] for name in ("known_before", "failed_before", "not_ended")] == [2, 1, 0]
    assert [found[name] for name in ("objects_built", "seconds", "cache_rejected")] == [3, 1.5, 4]


def test_contracts_that_did_not_end_are_counted():
    assert figures([record(0)], [ok(0)], contracts=["c0", "c1", "c2"])["not_ended"] == 2


def test_work_is_what_computed_and_failed_steps_and_their_objects_took():
    found = figures(
        [
            record(0, time_ms=10.0),
            record(1, "failed", time_ms=5.0),
            record(2, "known", time_ms=99.0, saved_ms=40.0),
        ],
        [ok()],
    )
    assert (found["work_ms"], found["build_ms"], found["saved_ms"]) == (17.0, 2.0, 40.0)


def test_the_slowest_methods_are_told_by_all_their_steps_together():
    records = [record(i, label="a", time_ms=3.0) for i in range(3)]
    records += [record(3 + i, label=f"m{i}", time_ms=float(i)) for i in range(7)]
    records += [record(10, "known", "k", time_ms=99.0)]
    assert figures(records, [ok()])["slowest"] == [
        ("a", 9.0), ("m6", 6.0), ("m5", 5.0), ("m4", 4.0), ("m3", 3.0),
    ]  # fmt: skip


def test_a_cause_is_told_once_with_all_contracts_that_have_it():
    ended = [ContractOutcome(f"c{i}", "partial", ((0, FAILURE),)) for i in range(3)]
    ended.append(ContractOutcome("c3", "failed", ((1, StepFailure("KeyError", "'x'")),)))
    records = [
        record(0, "failed", failure=FAILURE),
        record(1, "failed", failure=ended[3].failures[0][1]),
    ]
    found = figures(records, ended, steps_of={0: (0,), 1: (0,), 2: (0,), 3: (1,)})
    assert found["causes"] == [
        {"step": "f0", "problem": "ValueError: no table", "status": "partial",
         "contracts": ["c0", "c1", "c2"]},
        {"step": "f1", "problem": "KeyError: 'x'", "status": "failed", "contracts": ["c3"]},
    ]  # fmt: skip


def test_a_skipped_step_is_no_cause_what_it_lacked_is_even_if_that_is_not_shown():
    skipped = StepFailure("Skipped", "needs f0")
    found = figures(
        [record(0, "failed", failure=FAILURE), record(1, "skipped", failure=skipped)],
        [ContractOutcome("c0", "failed", ((1, skipped),))],
    )
    assert [cause["step"] for cause in found["causes"]] == ["f0"]


def test_a_step_that_a_contract_did_not_reach_is_no_cause_of_its_end():
    records = [record(i, "failed", failure=FAILURE) for i in range(2)]
    ended = [ContractOutcome("c0", "failed", ((0, FAILURE),), unreached=(1,))]
    assert [cause["step"] for cause in figures(records, ended)["causes"]] == ["f0"]


def test_a_problem_of_the_contract_and_a_veto_that_voids_are_causes():
    voids = FiredVeto(0, parse_veto("low", "score < 1", "invalidate_graph"), (0,))
    lowers = FiredVeto(0, parse_veto("weak", "score < 2", "reduce_confidence", None, 0.5), (0,))
    vetoes = VetoOutcome({0: 0.5}, (0,), (voids, lowers), ())
    ended = [
        ContractOutcome("c0", "partial", vetoes=vetoes),
        ContractOutcome("c1", "failed", problems=("not run: c9, on which it depends, failed",)),
    ]
    causes = figures([record(0)], ended)["causes"]
    assert [(cause["step"], cause["problem"]) for cause in causes] == [
        ("f0", "veto low: score < 1"),
        ("", "not run: c9, on which it depends, failed"),
    ]


def test_results_that_were_not_kept_are_counted_by_method_and_reason():
    records = [
        record(0, label="a", bypass="x"),
        record(1, label="a", bypass="x"),
        record(2, label="a", bypass="y"),
        record(3),
    ]
    found = figures(records, [ok()])
    assert found["bypassed"] == 3
    assert found["bypasses"] == [("a", "x", 2), ("a", "y", 1)]


def test_undeclared_files_and_notes_are_told_once():
    records = [record(i, label="a", undeclared=("/x", "/y")) for i in range(2)]
    found = figures(records, [ok()], notes=["n", "m", "n"])
    assert found["undeclared"] == [("a", "/x"), ("a", "/y")]
    assert found["notes"] == ["n", "m"]


def test_the_figures_can_be_kept_and_told_as_json():
    records = [record(0, "failed", failure=FAILURE)]
    found = figures(records, [ContractOutcome("c0", "failed", ((0, FAILURE),))])
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found))["failed"] == 1
    assert msgspec.json.decode(msgspec.json.encode(found))["causes"][0]["contracts"] == ["c0"]
