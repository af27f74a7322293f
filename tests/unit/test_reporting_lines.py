"""What summaries, plans, history and figures of the cache say."""

from pathlib import Path

import pytest

from batchwright.caching.entry import EntryInfo
from batchwright.caching.statistics import CheckReport
from batchwright.errors import InvalidDuration, InvalidSample
from batchwright.execution.reproduce import Reproduced, sample_of
from batchwright.records.model import RunRecord, StepFailure, StepRecord
from batchwright.reporting import cached, history, planned, reproduced, summary
from batchwright.reporting.request import Request

FIGURES = {
    "contracts": 3, "calls": 9, "distinct_steps": 5, "known": 1, "computed": 3, "failed": 1,
    "ok": 1, "partial": 1, "contracts_failed": 1, "not_ended": 0, "objects_built": 2,
    "seconds": 1.5, "work_ms": 1200.0, "saved_ms": 0.0, "slowest": [("Index.build", 900.0)],
    "causes": [
        {"step": "T.parse", "problem": "ValueError: no", "status": "partial", "contracts": ["P"]},
        {"step": "", "problem": "not run: X failed", "status": "failed", "contracts": ["F 1"]},
    ],
    "bypasses": [], "undeclared": [], "notes": [], "cache_rejected": 0,
}  # fmt: skip


def figures(**changes):
    return FIGURES | changes


# --- the end of a run ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "flags", "code"),
    [
        ({"contracts_failed": 0, "partial": 0, "failed": 0}, {}, 0),
        ({"contracts_failed": 0}, {}, 0),
        ({"contracts_failed": 0}, {"strict": True}, 1),
        ({"contracts_failed": 0, "partial": 0, "failed": 0}, {"strict": True}, 0),
        ({}, {}, 1),
        ({"contracts_failed": 0, "failed": 1}, {"stop_at_first": True}, 1),
        ({"contracts_failed": 0, "partial": 0, "failed": 0}, {"stop_at_first": True}, 0),
    ],
)
def test_the_exit_code_follows_the_contracts(changes, flags, code):
    flags = {"strict": False, "stop_at_first": False} | flags
    assert summary.exit_code(figures(**changes), **flags) == code


def test_the_worst_contract_is_a_failed_one_and_its_name_is_fit_for_a_shell():
    last = summary.ended_lines(Request(fleet="my fleet"), FIGURES)[-1]
    assert last == "why: batchwright explain 'my fleet' 'F 1'"
    assert summary.worst_contract(figures(causes=FIGURES["causes"][:1])) == "P"


def test_the_command_that_explains_looks_at_the_state_of_this_run():
    request = Request(
        fleet="fleet", inputs={"text": "@my text"}, cache="c", state=Path("s"), only="F*"
    )
    assert summary.ended_lines(request, FIGURES)[-1] == (
        "why: batchwright explain fleet 'F 1' '--input=text=@my text' --cache=c --state=s"
    )


def test_nothing_is_to_be_explained_when_all_is_well_or_the_fleet_was_piped():
    assert not summary.ended_lines(Request(fleet="fleet"), figures(causes=[]))[-1].startswith("why")
    assert not summary.ended_lines(Request(fleet="-"), FIGURES)[-1].startswith("why")


def test_an_interrupted_run_says_how_to_go_on():
    lines = summary.interrupted_lines(figures(not_ended=2))
    assert lines[0].startswith("interrupted: stopped in 1.5 s")
    assert "2 not finished" in lines[0]
    assert "goes on from there" in lines[-1]
    assert summary.interrupted_lines(None, begun=False) == ["interrupted before anything ran"]
    assert "goes on from there" in summary.interrupted_lines(None)[-1]


def test_causes_that_differ_only_in_their_message_are_told_together():
    def cause(message, *contracts, step="T.parse"):
        problem = f"ValueError: {message}"
        return {"step": step, "problem": problem, "status": "partial", "contracts": contracts}

    other = cause("x", "A", "B", "C", step="U.v")
    causes = [other, cause("page 3", "A", "B"), cause("page 4", "C", "D")]
    lines = summary.ended_lines(Request(fleet="fleet"), figures(causes=causes))
    assert lines[3:5] == [
        "  partial   4: T.parse: ValueError: page 3, and 1 like it (A, B, C, ...)",
        "  partial   3: U.v: ValueError: x (A, B, C)",
    ]


def test_the_problems_of_a_contract_are_its_causes():
    assert summary.problems_of("P", FIGURES) == ("T.parse: ValueError: no",)
    assert summary.problems_of("F 1", FIGURES) == ("not run: X failed",)
    assert summary.problems_of("P", {}) == ()


# --- plans -----------------------------------------------------------------------------------


def planned_step(method, status, reason="never run before"):
    return planned.PlannedStep(f"A/observe/{method}", method, status, reason, 1)


def test_groups_come_surest_first_then_largest_and_hold_only_what_runs():
    steps = [
        planned_step("a", "known"), planned_step("b", "may run"), planned_step("c", "will run"),
        planned_step("d", "will run"), planned_step("d", "will run"),
        planned_step("e", "failed before"), planned_step("d", "will run", "another reason"),
    ]  # fmt: skip
    told = [(group.method, group.status, group.count) for group in planned.grouped(steps)]
    assert told == [
        ("e", "failed before", 1), ("d", "will run", 2), ("c", "will run", 1),
        ("d", "will run", 1), ("b", "may run", 1),
    ]  # fmt: skip


def report(**changes):
    plain = {
        "fleet": "f", "contracts": 1, "calls": 1, "distinct_steps": 1, "statuses": {},
        "groups": (planned.Group("will run", "m", "why", 1),), "objects": (1, 1),
        "work_ms": (0.0, 0.0), "without_history": (), "steps": (), "opening": ("opening",),
        "warnings": (),
    }  # fmt: skip
    return planned.PlanReport(**(plain | changes))


@pytest.mark.parametrize(
    ("work_ms", "without", "told"),
    [
        ((1500.0, 1500.0), (), "about 1.5 s, as earlier runs took"),
        ((1500.0, 3000.0), (), "about 1.5 s to 3.0 s, as earlier runs took"),
        ((5.0, 5.0), ("m",), "about 5 ms, as earlier runs took; without 1 method never measured"),
        ((0.0, 0.0), ("m",), "no estimate: none of these methods was measured before"),
    ],
)
def test_expected_work_says_what_it_rests_on(work_ms, without, told):
    lines = planned.plan_lines(report(work_ms=work_ms, without_history=without))
    assert lines[-1] == f"  work          {told}"


def test_many_groups_are_cut_short():
    groups = tuple(planned.Group("will run", f"m{n}", "why", 1) for n in range(25))
    lines = planned.plan_lines(report(groups=groups))
    assert "  and 5 more groups; -v lists every step" in lines


# --- history ---------------------------------------------------------------------------------


def ran(number, label, ms, outcome="computed", failure=None):
    return StepRecord(number, label, outcome, time_ms=ms, memory_mb=ms, failure=failure)


def test_methods_are_summed_over_what_ran():
    steps = [ran(0, "a", 10.0), ran(1, "b", 100.0), ran(2, "a", 30.0), ran(3, "a", 1e9, "known")]
    first, second = history.figures_by_method(steps)
    assert (first.method, first.total_ms) == ("b", 100.0)
    assert (second.steps, second.total_ms, second.mean_ms) == (2, 40.0, 20.0)
    assert (second.longest_ms, second.memory_mb) == (30.0, 30.0)


def test_failures_beyond_the_first_are_shown_on_request():
    failure = StepFailure("ValueError", "no", "Traceback\n  ...\n")
    steps = [ran(number, f"m{number}", 1.0, "failed", failure) for number in range(12)]
    run = RunRecord(1, 0.0, "fleet", 1.0, "done", FIGURES)
    lines = history.show_lines(run, steps, [])
    assert "  and 2 more failures; -v shows all" in lines
    assert "  m11: ValueError: no" in history.show_lines(run, steps, [], everything=True)


def test_a_run_that_never_ended_is_told_as_such():
    run = RunRecord(3, 0.0, "fleet")
    assert "not ended" in history.runs_lines([run])[1]
    assert "goes on, or was killed" in history.show_lines(run, [], [])[0]
    assert history.runs_lines([]) == ["nothing has been run here yet"]


# --- the cache -------------------------------------------------------------------------------


def test_entries_are_summed_by_method_without_their_derivations():
    held = cached.held_by_method(
        [
            EntryInfo("k1", method="a", created=10.0, size=5, seconds=2.0),
            EntryInfo("derivation:u1", method="a", created=20.0, size=1),
            EntryInfo("k2", method="b", created=5.0, size=100),
        ]
    )
    assert [each.method for each in held] == ["b", "a"]
    assert held[1] == cached.MethodHeld("a", 1, 1, 6, 2.0, 10.0, 20.0)
    assert cached.stats_lines(held)[-1] == "2 results of 2 methods, 106 bytes, 2.0 s of work"


def test_soundness_is_told_with_what_was_wrong():
    assert cached.soundness_lines(CheckReport(2, 10)) == [
        "2 entries read, 10 bytes",
        "the cache is sound",
    ]
    lines = cached.soundness_lines(CheckReport(2, 10, altered=1, expired=3))
    assert lines[1:] == ["  1 altered, dropped", "  3 expired", "the rest is sound"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("12h", 43200), ("7d", 604800), ("1.5d", 129600)],
)
def test_durations_are_a_number_and_a_unit(text, seconds):
    assert cached.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "7 years", "-1d", "1d 2h"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(InvalidDuration, match="7d, 12h"):
        cached.duration(text)


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (2_500_000, "2.5 MB"),
        (3e12, "3,000.0 GB"),
    ],
)
def test_sizes_are_told_in_the_unit_that_fits(count, told):
    assert cached.size(count) == told


# --- reproduction ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "size"), [("5%", 0.05), ("100%", 1.0), ("0.5%", 0.005), ("20", 20)]
)
def test_a_sample_is_a_share_or_a_number(text, size):
    assert reproduced.sample_size(text) == size
    assert type(reproduced.sample_size(text)) is type(size)


@pytest.mark.parametrize("text", ["", "0", "-3", "0%", "101%", "half", "1.5", "%"])
def test_what_is_no_sample_is_refused(text):
    with pytest.raises(InvalidSample, match="5%"):
        reproduced.sample_size(text)


def test_a_sample_is_the_same_for_the_same_seed_and_never_empty():
    numbers = range(100)
    assert sample_of(numbers, 0.1, 1) == sample_of(numbers, 0.1, 1)
    assert sample_of(numbers, 0.1, 1) != sample_of(numbers, 0.1, 2)
    assert len(sample_of(numbers, 0.1, 1)) == 10
    assert len(sample_of(numbers, 0.001, 1)) == 1
    assert sample_of(numbers, 1.0, 1) == list(numbers)
    assert sample_of(numbers, 500, 1) == list(numbers)
    assert sample_of([], 0.5, 1) == []


def test_verdicts_are_counted_and_the_cure_is_named():
    lines = reproduced.reproduced_lines(
        [Reproduced("A/x", "Odd.name", "differs", time_ms=5.0), Reproduced("A/y", "m", "same")], 3
    )
    assert lines[0] == "2 steps run afresh in 5 ms (seed 3): 1 other than before, 1 the same"
    assert lines[1].startswith("Odd.name: noted as not repeating")
    assert len(reproduced.reproduced_lines([Reproduced("A/y", "m", "same")], 3)) == 1
