"""A run in words."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright.execution.telling import counted, ending_lines, opening_lines, seconds
from batchwright.fleet.lookup import Standing


def summary(**changes):
    return {
        "ok": 0,
        "partial": 0,
        "contracts_failed": 0,
        "not_ended": 0,
        "computed": 0,
        "failed": 0,
        "seconds": 1.0,
        "work_ms": 0.0,
        "saved_ms": 0.0,
        "objects_built": 0,
        "slowest": [],
        "causes": [],
        "bypasses": [],
        "undeclared": [],
        "cache_rejected": 0,
        "notes": [],
    } | changes


def cause(step="T.parse", problem="ValueError: no table", status="partial", contracts=("a",)):
    return {"step": step, "problem": problem, "status": status, "contracts": list(contracts)}


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0.0, "0 us"),
        (0.4321, "432 us"),
        (1.0, "1 ms"),
        (999.4, "999 ms"),
        (1000.0, "1.0 s"),
        (119_940.0, "119.9 s"),
        (120_000.0, "2 min 0 s"),
        (3_599_400.0, "59 min 59 s"),
        (3_600_000.0, "1 h 0 min"),
        (90_000_000.0, "25 h 0 min"),
    ],
)
def test_times_are_told_as_a_person_reads_them(ms, text):
    assert seconds(ms) == text


@given(st.floats(0, 1e9))
def test_no_time_is_told_in_more_of_a_unit_than_the_next_one_has(ms):
    value, unit = seconds(ms).split()[:2]
    assert float(value) <= {"us": 1000, "ms": 1000, "s": 120, "min": 60, "h": 1e9}[unit]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 steps"), (1, "1 step"), (2, "2 steps"), (4200, "4,200 steps")]
)
def test_counts_have_their_noun(count, text):
    assert counted(count, "step") == text


def test_an_irregular_plural_is_given():
    assert counted(2, "entry", "entries") == "2 entries"
    assert counted(1, "entry", "entries") == "1 entry"


def prepared(*statuses):
    contracts = [SimpleNamespace(steps=(0, 1, 2)), SimpleNamespace(steps=(0,))]
    return SimpleNamespace(
        graph=SimpleNamespace(contracts=contracts),
        keyed=SimpleNamespace(uniques=list(statuses)),
        standings=[Standing(status) for status in statuses],
    )


def test_a_fleet_is_told_by_its_sizes_and_what_of_it_is_known():
    made = prepared("known", "known", "failed before", "will run", "may run", "not needed")
    (line,) = opening_lines(made, 2)
    assert line == (
        "2 contracts, 4 calls, 6 distinct steps: "
        "2 known, 1 failed before, 1 will run, 1 may run, 1 not needed; 2 workers"
    )


def test_only_what_there_is_of_is_told_except_for_what_is_known():
    assert opening_lines(prepared("will run")) == [
        "2 contracts, 4 calls, 1 distinct step: 0 known, 1 will run; 1 worker"
    ]


def test_a_run_from_the_cache_is_one_line():
    lines = ending_lines(summary(ok=300, saved_ms=16_000.0, seconds=0.4))
    assert lines == ["done in 400 ms: 300 ok, 0 partial, 0 failed; 16.0 s saved"]


def test_a_run_that_worked_tells_its_work():
    lines = ending_lines(
        summary(ok=1, computed=2, work_ms=3100.0, objects_built=1, slowest=[("I.build", 3000.0)])
    )
    assert lines[1:] == [
        "  work      3.1 s in 2 steps; 1 object built",
        "  slowest   I.build 3.0 s",
    ]


def test_a_stopped_run_tells_what_is_not_finished():
    (line,) = ending_lines(summary(ok=1, not_ended=1200))
    assert line == "stopped in 1.0 s: 1 ok, 0 partial, 0 failed, 1,200 not finished"


def test_all_else_has_a_line_of_its_own():
    lines = ending_lines(
        summary(
            bypasses=[("C.fit", "no content", 2)],
            undeclared=[("C.read", "/data/x")],
            cache_rejected=2,
            notes=["a word"],
        )
    )
    assert lines[1:] == [
        "  not kept  C.fit (2 steps): no content",
        "  undeclared C.read read /data/x, which no argument names: a change there is not seen",
        "  cache     2 altered entries found and not used",
        "  note      a word",
    ]


def test_causes_that_differ_only_in_the_message_are_told_together():
    lines = ending_lines(
        summary(
            causes=[
                cause(problem="ValueError: no table on page 3", contracts=["a", "b"]),
                cause(problem="ValueError: no table on page 4", contracts=["b", "c", "d"]),
                cause(problem="KeyError: 'x'", contracts=["a"]),
            ]
        )
    )
    assert lines[1:] == [
        "  partial   4: T.parse: ValueError: no table on page 3, and 1 like it (a, b, c, ...)",
        "  partial   1: T.parse: KeyError: 'x' (a)",
    ]


def test_the_cause_that_most_contracts_share_comes_first_and_the_rest_are_counted():
    causes = [cause(f"m{i}", contracts=[str(j) for j in range(i)]) for i in range(1, 8)]
    lines = ending_lines(summary(causes=causes))[1:]
    assert [line.split(":")[0].split()[1] for line in lines[:-1]] == ["7", "6", "5", "4", "3"]
    assert lines[-1] == "  and 2 more causes"


def test_a_problem_of_a_contract_itself_is_told_whole():
    problem = "not run: a, on which it depends, failed"
    lines = ending_lines(summary(causes=[cause("", problem, "failed")]))
    assert lines[1:] == [f"  failed    1: {problem} (a)"]
