"""The state database: what is written is what is read, and its errors are in plain words."""

from __future__ import annotations

import os
import sqlite3
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright.errors import DamagedRecords, RecordsUnavailable, UnknownRun
from batchwright.records.model import (
    ContractRecord,
    Recipe,
    RunRecord,
    StepFailure,
    StepRecord,
    Watched,
)
from batchwright.records.store import Records


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def records(clock):
    with Records(None, clock=clock) as records:
        yield records


def finish(records, run, *, steps=(), contracts=(), codes=None, status="done", summary=None):
    return records.finish(
        run,
        status=status,
        summary=summary or {},
        steps=steps,
        contracts=contracts,
        codes=codes or {},
    )


def a_run(records, *steps, contracts=()):
    return finish(records, records.begin("fleet"), steps=steps, contracts=contracts)


# --- runs ---------------------------------------------------------------------------------------


def test_a_run_begins_running_and_ends_as_it_is_said(records, clock):
    begun = records.begin("fleet/")
    assert records.find_run() == begun == RunRecord(1, 1000.0, "fleet/")
    clock.now = 1009.0
    ended = finish(records, begun, status="interrupted", summary={"ok": 3, "causes": [["a", 1]]})
    assert ended == records.find_run()
    assert (ended.ended, ended.status) == (1009.0, "interrupted")
    assert ended.summary == {"ok": 3, "causes": [["a", 1]]}


def test_runs_are_told_newest_first_and_no_more_than_asked(records):
    for _ in range(5):
        records.begin("fleet")
    assert [run.id for run in records.runs(3)] == [5, 4, 3]


@pytest.mark.parametrize(
    ("name", "number"), [("last", 3), ("last~0", 3), ("last~2", 1), ("2", 2), ("3", 3)]
)
def test_a_run_is_found_by_its_place_or_number(records, name, number):
    for _ in range(3):
        records.begin("fleet")
    assert records.find_run(name).id == number


@pytest.mark.parametrize(
    "name",
    [
        "last~3",
        "4",
        "0",
        "first",
        "",
        "last~",
        "last~x",
        "last2",
        "-1",
        "~1",
        "\u00b2",
        "last~\u00b2",
    ],
)
def test_a_run_that_is_not_there_is_told_with_those_that_are(records, name):
    for _ in range(3):
        records.begin("fleet")
    with pytest.raises(UnknownRun, match=r"there are runs 1 to 3, and `last`"):
        records.find_run(name)


def test_before_the_first_run_that_is_said(records):
    with pytest.raises(UnknownRun, match="nothing has been run here yet"):
        records.find_run()


texts = st.text(st.characters(codec="utf-8"), max_size=6)
failures = st.builds(StepFailure, texts, texts, texts)
step_records = st.builds(
    StepRecord,
    number=st.integers(0, 9),
    label=texts,
    outcome=st.sampled_from(["computed", "known", "failed", "skipped"]),
    reason=texts,
    key=st.none() | texts,
    recipe=st.none()
    | st.builds(Recipe, texts, texts, arguments=st.lists(st.tuples(texts, texts)).map(tuple)),
    started=st.floats(0, 1e10),
    time_ms=st.floats(0, 1e9),
    failure=st.none() | failures,
    undeclared=st.lists(texts, max_size=2).map(tuple),
)


@given(st.lists(step_records, max_size=4, unique_by=lambda record: record.number))
def test_step_records_come_back_as_they_were_in_plan_order(made):
    with Records(None) as records:
        run = a_run(records, *made)
        assert records.steps(run.id) == sorted(made, key=lambda record: record.number)
        assert records.steps(run.id + 1) == []


def test_contract_records_come_back_as_they_were_sorted_by_id(records):
    made = [
        ContractRecord("b", "ok", (("b", "p", "x", 0),), {"problems": ["p"]}),
        ContractRecord("a", "failed"),
    ]
    run = a_run(records, contracts=made)
    assert records.contracts(run.id) == [made[1], made[0]]


# --- what earlier runs know ---------------------------------------------------------------------


def step_record(number, label="f", outcome="computed", time_ms=1.0):
    return StepRecord(number, label, outcome, time_ms=time_ms)


def test_the_latest_record_of_an_address_is_that_of_the_newest_run_that_reached_it(records):
    address, other = ("c", "p", "x"), ("c", "p", "y")
    both = ContractRecord("c", "ok", ((*address, 0), (*other, 1)))
    a_run(records, step_record(0), step_record(1), contracts=[both])
    newer = step_record(0, "g")
    a_run(records, newer, contracts=[ContractRecord("c", "ok", ((*address, 0),))])
    assert records.latest() == {address: newer, other: step_record(1)}


def test_a_run_that_did_not_finish_leaves_the_latest_as_they_were(records):
    a_run(records, step_record(0), contracts=[ContractRecord("c", "ok", (("c", "", "x", 0),))])
    records.begin("fleet")
    assert list(records.latest()) == [("c", "", "x")]


def test_what_a_code_digest_covered_is_kept_once(records):
    run = records.begin("fleet")
    finish(records, run, codes={"d": {"m:f": "1"}})
    finish(records, run, codes={"d": {"m:f": "1"}, "e": {"m:g": "2"}})
    assert records.code_parts("d") == {"m:f": "1"}
    assert records.code_parts("e") == {"m:g": "2"}
    assert records.code_parts("unknown") == {}


def test_the_typical_time_of_a_method_is_the_mean_of_its_computed_steps(records):
    a_run(records, step_record(0, time_ms=10.0), step_record(1, "g", "known", 99.0))
    a_run(records, step_record(0, time_ms=30.0), step_record(1, "f", "failed", 99.0))
    assert records.typical_ms() == {"f": 20.0}


def test_failures_are_remembered_until_they_are_taken_back(records):
    records.remember_failure("k", StepFailure("E", "one", "trace"))
    records.remember_failure("k", StepFailure("E", "two", "trace"))
    records.remember_failure("l", StepFailure("F", ""))
    records.remember_failure("l", None)
    records.remember_failure("never", None)
    assert records.failures() == {"k": StepFailure("E", "two", "trace")}


def test_what_watching_learned_is_kept_by_class_and_method(records):
    records.remember_watched({("d", "f"): Watched(1), ("d", "g"): Watched(stores="a")})
    records.remember_watched({("d", "f"): Watched(2, changes_argument="x")})
    records.remember_watched({})
    assert records.watched() == {
        ("d", "f"): Watched(2, changes_argument="x"),
        ("d", "g"): Watched(stores="a"),
    }


def test_facts_are_kept_until_they_were_long_unused(records, clock):
    records.remember_facts("old", b"1")
    clock.now += 89 * 86_400
    records.remember_facts("new", b"2")
    assert (records.facts("old"), records.facts("new")) == (b"1", b"2")
    clock.now += 2 * 86_400
    records.remember_facts("new", b"3")
    assert (records.facts("old"), records.facts("new")) == (None, b"3")


def test_methods_that_do_not_repeat_are_kept_by_their_code(records):
    records.remember_unrepeatable("c", "f")
    records.remember_unrepeatable("c", "f")
    assert records.unrepeatable() == {"c": "f"}


def test_a_transaction_that_fails_leaves_nothing_of_itself(records):
    run = records.begin("fleet")

    def steps():
        yield step_record(0)
        raise RuntimeError("on the way")

    with pytest.raises(RuntimeError):
        finish(records, run, steps=steps())
    assert records.steps(run.id) == []
    assert records.find_run().status == "running"
    a_run(records, step_record(0))


# --- the database -------------------------------------------------------------------------------


def test_what_is_kept_is_there_when_the_database_is_opened_again(tmp_path):
    path = tmp_path / "state" / "state.db"
    with Records(path) as records:
        run = a_run(records, step_record(0))
    with Records(path) as records:
        assert records.steps(run.id) == [step_record(0)]
        assert records.begin("fleet").id == run.id + 1


@pytest.mark.skipif(os.name == "nt", reason="rights are otherwise on Windows")
def test_the_database_and_its_folder_are_the_users_alone(tmp_path):
    path = tmp_path / "state" / "state.db"
    Records(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_two_may_use_one_database(tmp_path):
    path = tmp_path / "state.db"
    with Records(path) as one, Records(path) as other:
        first, second = one.begin("a"), other.begin("b")
        finish(one, first)
        finish(other, second)
        assert [run.fleet for run in one.runs()] == ["b", "a"]


def test_what_is_no_database_is_said_to_be_damaged(tmp_path):
    path = tmp_path / "state.db"
    path.write_bytes(b"no database at all " * 100)
    with pytest.raises(DamagedRecords, match="move it away to start a new one") as raised:
        Records(path)
    assert str(path) in str(raised.value)


def test_a_database_of_another_format_is_not_touched(tmp_path):
    path = tmp_path / "state.db"
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version=99")
    other.close()
    with pytest.raises(DamagedRecords, match="has format 99"):
        Records(path)


def test_a_folder_in_its_place_is_said(tmp_path):
    (tmp_path / "state.db").mkdir()
    with pytest.raises(RecordsUnavailable, match="cannot be used"):
        Records(tmp_path / "state.db")


def test_a_file_in_the_folders_place_is_said(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(RecordsUnavailable, match="cannot be used"):
        Records(tmp_path / "state" / "state.db")


def test_in_memory_nothing_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Records(None) as records:
        a_run(records, step_record(0))
    assert list(tmp_path.iterdir()) == []
