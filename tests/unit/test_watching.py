"""Which calls are watched, and what is learned from them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright.caching.code import CodeFacts
from batchwright.contracts.graph import Address, Instance, Step, Target
from batchwright.execution.watching import StateFound, Watcher
from batchwright.fleet.facts import MethodFacts, StepFacts
from batchwright.fleet.keys import Unique
from batchwright.records.model import Watched


def unique(method="look", class_digest="class", code="code"):
    instance = Instance(Target("m", "C")) if method else None
    function = None if method else Target("m", "f")
    step = Step(0, Address("c", "", "x"), (), function, instance, method)
    facts = StepFacts(MethodFacts(CodeFacts(code, {}), class_digest=class_digest if method else ""))
    return Unique(0, "uid", step, (0,), facts, True)


def watched_calls(watcher, called, calls, *, clean=True):
    """The places of the calls, of so many, that were watched."""
    places = []
    for place in range(calls):
        if watcher.wants(called):
            places.append(place)
            if clean:
                watcher.was_clean(called)
    return places


def test_the_first_calls_are_watched_and_later_ones_now_and_then():
    assert watched_calls(Watcher({}), unique(), 50) == [0, 1, 2, 16, 32, 48]


def test_a_method_is_watched_until_it_was_clean_often_enough():
    assert watched_calls(Watcher({}), unique(), 20, clean=False) == list(range(20))


@given(st.integers(3, 9))
def test_what_earlier_runs_saw_clean_is_watched_now_and_then_from_the_first_call(clean):
    learned = {("class", "look"): Watched(clean=clean)}
    assert watched_calls(Watcher(learned), unique(), 20) == [0, 16]


def test_what_earlier_runs_saw_counts_only_for_that_code():
    learned = {("older class", "look"): Watched(clean=9)}
    assert watched_calls(Watcher(learned), unique(), 4) == [0, 1, 2]


def test_methods_are_watched_each_for_itself():
    watcher = Watcher({})
    watched_calls(watcher, unique("look"), 10)
    assert watcher.wants(unique("other"))
    assert watcher.wants(unique("look", class_digest="another class"))
    assert not watcher.wants(unique("look"))


def test_a_plain_function_is_watched_under_its_own_code():
    watcher = Watcher({})
    watcher.was_clean(unique("", code="f1"))
    assert watcher.learned == {("f1", ""): Watched(clean=1)}


def test_only_what_is_new_is_learned():
    watcher = Watcher({("class", "look"): Watched(clean=2), ("class", "other"): Watched(clean=7)})
    assert watcher.learned == {}
    watcher.was_clean(unique())
    assert watcher.learned == {("class", "look"): Watched(clean=3)}


def test_a_changed_argument_is_news_once():
    watcher = Watcher({})
    watcher.was_clean(unique())
    assert watcher.changes_argument(unique(), "x")
    assert not watcher.changes_argument(unique(), "x")
    assert watcher.changes_argument(unique(), "y")
    assert watcher.learned == {("class", "look"): Watched(1, "", "y")}


def test_a_changed_argument_known_from_earlier_runs_is_no_news():
    watcher = Watcher({("class", "look"): Watched(changes_argument="x")})
    assert not watcher.changes_argument(unique(), "x")


@pytest.mark.parametrize("methods", [["look"], ["look", "other"]])
def test_each_method_that_may_have_changed_an_object_is_learned_to_store(methods):
    watcher = Watcher({("class", "look"): Watched(clean=5)})
    watcher.stores(StateFound("class", methods, "C", "items", [3, 4]))
    assert {method for (_, method) in watcher.learned} == set(methods)
    assert all(found.stores == "items" for found in watcher.learned.values())
    assert watcher.learned["class", "look"].clean == 5


def test_what_was_found_tells_who_and_what():
    found = StateFound("class", ["look"], "C", "items", [3])
    assert (found.methods, found.owner, found.attribute, found.suspect) == (
        ("look",),
        "C",
        "items",
        (3,),
    )
