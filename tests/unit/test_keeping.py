"""Keeping results: what is stored, what only lasts for the run, and what is noted of its origin."""

from __future__ import annotations

import threading

import pytest

from batchwright import Cache, step
from batchwright.caching.digest import digest
from batchwright.contracts.python_graph import build_graph
from batchwright.execution.calling import Called
from batchwright.execution.context import Context
from batchwright.execution.keeping import Keeper
from batchwright.execution.values import Values
from batchwright.fleet.facts import FactBook
from batchwright.fleet.keys import key_graph, opaque_digest
from batchwright.fleet.lookup import Standing, derivation_entry, part_name
from batchwright.fleet.outcome import Outcome
from batchwright.records.model import StepFailure


def first(x=0, y=0):
    return x


def second(x, y=0):
    return x


class Opaque:
    def __init__(self, inside):
        self.inside = inside

    def __getitem__(self, place):
        return [1, Opaque(place)][place]


class Kept:
    """A fleet whose steps are given their values by hand, at a time told by `now`."""

    def __init__(self, *built, **context):
        self.now = 100.0
        self.keyed = key_graph(build_graph({str(i): b for i, b in enumerate(built)}), FactBook())
        self.cache = Cache(_clock=lambda: self.now)
        self.values = Values(self.keyed, self.cache)
        self.context = Context(
            self.keyed, self.cache, self.values, {}, bool, lambda: self.now, **context
        )
        self.keeper = Keeper(self.context)

    def give(self, number, value, *, bypass="", started=None):
        unique = self.keyed.uniques[number]
        key, _, why = self.context.content_key(unique)
        called = Called(value, started=self.now if started is None else started, time_ms=500.0)
        outcome, size = self.keeper.computed(unique, key, bypass or why, called)
        self.context.outcomes[number] = outcome
        return outcome, size

    def derivation(self, number):
        self.keeper.remember_derivation(self.keyed.uniques[number])
        name = derivation_entry(self.keyed.uniques[number].uid)
        return self.cache.find([name]).get(name)


def test_a_result_is_stored_under_its_key_with_all_that_is_known_of_it():
    kept = Kept(step(first)(1))
    outcome, size = kept.give(0, {"a": [1]})
    (info,) = kept.cache.find([outcome.key]).values()
    assert (info.digest, info.method, info.seconds, info.expires) == (
        digest({"a": [1]}), "first", 0.5, None,
    )  # fmt: skip
    assert info.size == size > 0
    assert outcome == Outcome("computed", outcome.key, info.digest)
    assert kept.cache.load(outcome.key) == {"a": [1]}


def test_what_is_done_to_a_value_after_it_was_given_is_not_kept():
    kept = Kept(step(first)(1))
    value = [1]
    outcome, _ = kept.give(0, value)
    value.append(2)
    assert kept.cache.load(outcome.key) == [1]


def test_the_parts_that_are_asked_for_are_digested_at_once():
    made = step(first)(1)
    kept = Kept(step(second)(made["a"]))
    outcome, _ = kept.give(0, {"a": [1], "b": 2})
    assert outcome.parts == {part_name(("a",)): digest([1])}
    assert kept.cache.find([outcome.key])[outcome.key].parts == outcome.parts


def test_a_result_lasts_from_the_beginning_of_its_computation():
    kept = Kept(step(first, ttl=60)(1))
    outcome, _ = kept.give(0, 1, started=90.0)
    assert outcome.expires == 150.0
    assert kept.cache.find([outcome.key])[outcome.key].expires == 150.0


def test_a_result_is_known_to_expire_with_its_input_but_its_own_entry_lasts():
    kept = Kept(step(second)(step(first, ttl=60)(1)))
    kept.give(0, 1)
    outcome, _ = kept.give(1, 2)
    assert outcome.expires == 160.0
    assert kept.cache.find([outcome.key])[outcome.key].expires is None
    assert kept.derivation(1).expires == 160.0


@pytest.mark.parametrize("built", [step(first, cache=False)(1), step(first)(threading.Lock())])
def test_a_bypassed_result_lasts_for_the_run_alone(built):
    kept = Kept(built)
    outcome, _ = kept.give(0, [1])
    assert outcome.bypass
    assert list(kept.cache.entries()) == []
    assert kept.values.result(0, outcome) == [1]


def test_a_handle_lives_for_the_run_and_has_no_digest():
    kept = Kept(step(first)(1))
    lock = threading.Lock()
    outcome, size = kept.give(0, lock)
    assert (outcome.digest, size) == (None, 0)
    assert outcome.bypass.startswith("its result cannot be kept")
    assert kept.values.result(0, outcome) is lock


def test_an_opaque_result_is_kept_and_told_by_its_key():
    kept = Kept(step(first)(1))
    outcome, _ = kept.give(0, Opaque(1))
    assert outcome.digest == opaque_digest(outcome.key)
    assert kept.cache.load(outcome.key).inside == 1


def test_an_opaque_result_of_what_does_not_repeat_is_told_apart_by_the_run():
    built = step(first)(1)
    code = FactBook().of(build_graph(built).steps[0]).code.digest
    digests = {
        Kept(built, unrepeatable=frozenset({code}), nonce=nonce).give(0, Opaque(1))[0].digest
        for nonce in ("run 1", "run 2")
    }
    assert len(digests) == 2


def test_a_result_that_the_cache_has_no_room_for_lasts_for_the_run():
    kept = Kept(step(first)(1))
    kept.cache = kept.context.cache = Cache(max_bytes=10)
    kept.values._cache = kept.cache
    outcome, _ = kept.give(0, "x" * 1000)
    assert not outcome.bypass
    assert kept.values.result(0, outcome) == "x" * 1000


def test_a_file_that_changed_while_the_step_ran_keeps_its_result_from_being_stored(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one")
    kept = Kept(step(first)(path))
    path.write_text("other")
    outcome, _ = kept.give(0, "read")
    assert outcome.bypass == "the file of argument 'x' changed while the step ran"
    assert list(kept.cache.entries()) == []


def test_a_file_that_is_gone_after_the_step_counts_as_changed(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one")
    kept = Kept(step(first)([path]))
    path.unlink()
    assert "changed while the step ran" in kept.give(0, "read")[0].bypass


def test_a_failure_is_never_stored():
    kept = Kept(step(first)(1))
    error = ValueError("bad")
    failure = StepFailure("ValueError", "bad")
    outcome = kept.keeper.failed("key", "", Called(error=error, failure=failure))
    assert (outcome.status, outcome.error, outcome.failure) == ("failed", error, failure)
    assert list(kept.cache.entries()) == []


# --- known results ------------------------------------------------------------------------------


def test_a_known_result_is_as_it_stood_and_expires_with_its_inputs():
    kept = Kept(step(second)(step(first, ttl=60)(1)))
    kept.give(0, 1)
    standing = Standing("known", "k", "d", {"p": "q"}, expires=500.0)
    outcome = kept.keeper.known(kept.keyed.uniques[1], standing)
    assert outcome == Outcome("known", "k", "d", {"p": "q"}, expires=160.0)


def test_parts_that_an_entry_lacks_are_added_to_it():
    plain, parted = Kept(step(first)(1)), Kept(step(second)(step(first)(1)["a"]))
    outcome, _ = plain.give(0, {"a": 5})
    parted.cache = parted.context.cache = plain.cache
    standing = Standing("known", outcome.key, outcome.digest)
    found = parted.keeper.known(parted.keyed.uniques[0], standing)
    assert found.parts == {part_name(("a",)): digest(5)}
    assert plain.cache.find([outcome.key])[outcome.key].parts == found.parts


def test_parts_of_an_entry_that_is_gone_are_left_out():
    kept = Kept(step(second)(step(first)(1)["a"]))
    found = kept.keeper.known(kept.keyed.uniques[0], Standing("known", "gone", "d"))
    assert found.parts == {}


# --- derivations --------------------------------------------------------------------------------


def test_how_a_result_came_about_is_noted_with_its_inputs():
    kept = Kept(step(second)(step(first)(1), step(first)(2)))
    outcomes = [kept.give(i, i)[0] for i in range(3)]
    noted = kept.derivation(2)
    assert noted.digest == outcomes[2].digest
    assert noted.parts["key"] == outcomes[2].key
    for place in range(2):
        assert noted.parts[f"input {place}"] == outcomes[place].digest
        assert noted.parts[f"input key {place}"] == outcomes[place].key


@pytest.mark.parametrize(
    "built",
    [
        step(second)(step(first, cache=False)(1)),
        step(second)(step(first, repeats=False)(1)),
        step(second)(step(second)(step(first, cache=False)(1))),
        step(first, cache=False)(1),
    ],
)
def test_of_what_need_not_come_about_alike_nothing_is_noted(built):
    kept = Kept(built)
    for unique in kept.keyed.uniques:
        kept.give(unique.number, 1)
    assert kept.derivation(len(kept.keyed.uniques) - 1) is None


def test_of_what_came_from_a_result_without_digest_nothing_is_noted():
    kept = Kept(step(second)(step(first)(1)))
    kept.give(0, threading.Lock())
    outcome, _ = kept.give(1, 1)
    assert outcome.bypass == "the result of first that it reads has no stable content"
    assert kept.derivation(1) is None
