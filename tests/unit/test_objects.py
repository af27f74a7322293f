"""Objects of a run: built once, brought into the state that a call needs, looked at."""

from __future__ import annotations

import operator
import random

import pytest

from batchwright import Cache, step
from batchwright.caching.codec import encode
from batchwright.caching.digest import digest
from batchwright.contracts.python_graph import build_graph
from batchwright.execution.context import Context
from batchwright.execution.objects import ObjectFailed, Objects
from batchwright.execution.values import LostValue, Values
from batchwright.execution.watching import StateFound
from batchwright.fleet.facts import FactBook
from batchwright.fleet.keys import key_graph
from batchwright.fleet.outcome import Outcome
from batchwright.records.model import StepFailure

BUILT: list[object] = []


class Shelf:
    def __init__(self, label="", chance=False):
        BUILT.append(label)
        if label == "broken":
            raise ValueError(label)
        self.label = label
        self.items = []
        self.seen = []
        self.drawn = random.random() if chance else None

    def put(self, item):
        if item == "unbearable":
            raise OSError(item)
        self.items = [*self.items, item]

    def count(self):
        return len(self.items)

    def hidden(self):
        operator.iadd(self.seen, [1])  # a store that bytecode does not show
        return 1


def named(n):
    return f"shelf {n}"


class Run:
    """A keyed fleet with outcomes as they would be once all before a step has run."""

    def __init__(self, *built):
        BUILT.clear()
        self.keyed = key_graph(build_graph({str(i): b for i, b in enumerate(built)}), FactBook())
        self.cache = Cache()
        values = Values(self.keyed, self.cache)
        self.context = Context(self.keyed, self.cache, values, {}, lambda: False, lambda: 0.0)
        self.objects = Objects(self.context)

    def unique(self, method, place=0):
        return [u for u in self.keyed.uniques if u.step.method == method][place]

    def settle(self, unique, value=None, failure=None):
        key, _, _ = self.context.content_key(unique)
        if failure is None:
            self.cache.store(key, encode(value), digest=digest(value))
            outcome = Outcome("computed", key, digest(value))
        else:
            outcome = Outcome("failed", key, failure=failure)
        self.context.outcomes[unique.number] = outcome


def filled(*items, label=""):
    shelf = step(Shelf)(label)
    for item in items:
        shelf.put(item)
    return shelf.count()


def settled(*built):
    run = Run(*built)
    for unique in run.keyed.uniques:
        run.settle(unique)
    return run


# --- building -----------------------------------------------------------------------------------


def test_an_object_is_built_once_for_all_calls_that_are_made_alike():
    run = Run(step(Shelf)("a").count(), step(Shelf)("a").hidden(), step(Shelf)("b").count())
    first = run.objects.ready_for(run.unique("count"))
    assert run.objects.ready_for(run.unique("hidden")) is first
    assert run.objects.ready_for(run.unique("count", 1)).object.label == "b"
    assert (BUILT, run.objects.built) == (["a", "b"], 2)


def test_an_object_made_from_a_result_waits_for_its_value():
    run = Run(step(Shelf)(step(named)(1)).count())
    run.settle(run.keyed.uniques[0], "shelf 1")
    assert run.objects.ready_for(run.unique("count")).object.label == "shelf 1"
    other = Run(step(Shelf)(step(named)(1)).count())
    other.settle(other.keyed.uniques[0], "shelf 1")
    other.cache.clear()
    with pytest.raises(LostValue):
        other.objects.ready_for(other.unique("count"))


def test_a_constructor_that_fails_is_not_tried_again():
    run = Run(step(Shelf)("broken").count(), step(Shelf)("broken").hidden())
    for method in ("count", "hidden"):
        with pytest.raises(ObjectFailed) as raised:
            run.objects.ready_for(run.unique(method))
        assert raised.value.called.failure.type == "ValueError"
    assert BUILT == ["broken"]


def test_a_constructor_draws_the_same_random_numbers_each_time():
    drawn = set()
    for _ in range(2):
        run = Run(step(Shelf)("a", chance=True).count())
        drawn.add(run.objects.ready_for(run.unique("count")).object.drawn)
    assert len(drawn) == 1


# --- state --------------------------------------------------------------------------------------


def test_a_call_has_its_object_in_the_state_that_the_calls_before_it_left():
    run = settled(filled("a", "b"))
    warm = run.objects.ready_for(run.unique("count"))
    assert warm.object.items == ["a", "b"]


def test_a_chain_takes_its_object_on_from_where_it_is():
    run = settled(filled("a", "b", "c"))
    first = run.objects.ready_for(run.unique("put", 1))
    assert first.object.items == ["a"]
    assert run.objects.ready_for(run.unique("count")) is first
    assert first.object.items == ["a", "b", "c"]
    assert run.objects.built == 1


def test_chains_that_part_ways_have_objects_of_their_own():
    run = settled(filled("a", "b"), filled("a", "c"))
    states = [run.objects.ready_for(run.unique("count", i)).object.items for i in range(2)]
    assert states == [["a", "b"], ["a", "c"]]


def test_a_call_that_has_moved_its_object_is_not_made_again():
    run = settled(filled("a"))
    put = run.unique("put")
    warm = run.objects.ready_for(put)
    warm.object.put("a")
    run.objects.moved(warm, put)
    assert run.objects.ready_for(run.unique("count")).object.items == ["a"]


def test_an_object_that_was_let_go_is_built_anew():
    run = settled(filled("a"))
    warm = run.objects.ready_for(run.unique("count"))
    run.objects.forget(warm)
    assert run.objects.ready_for(run.unique("count")) is not warm
    assert run.objects.built == 2


def test_a_call_before_that_failed_then_and_fails_again_leaves_its_object_usable():
    run = Run(filled("unbearable", "b"))
    first, second, _ = run.keyed.uniques
    run.settle(first, failure=StepFailure("OSError", "unbearable"))
    run.context.outcomes[second.number] = Outcome("computed")
    assert run.objects.ready_for(run.unique("count")).object.items == ["b"]


def test_a_call_before_that_went_well_then_and_fails_now_fails_the_call():
    run = settled(filled("unbearable"))
    with pytest.raises(ObjectFailed) as raised:
        run.objects.ready_for(run.unique("count"))
    assert raised.value.called.failure.type == "OSError"


# --- looking ------------------------------------------------------------------------------------


def looked_at(*methods):
    """A run, and its object after unseen changes by calls of these methods."""
    shelf = step(Shelf)()
    run = Run(shelf.count(), shelf.hidden())
    warm = run.objects.ready_for(run.unique("count"))
    run.objects.prepare_to_look(warm, watched=True)
    for method in methods:
        getattr(warm.object, method)()
        warm.unverified.append(run.unique(method).number)
    return run, warm


def test_an_object_that_did_not_change_is_left_alone():
    run, warm = looked_at("count")
    run.objects.look(warm, "count")
    run.objects.last_look()
    assert run.objects.ready_for(run.unique("count")) is warm


def test_a_change_seen_at_once_is_told_of_the_method_that_did_it():
    run, warm = looked_at("hidden")
    with pytest.raises(StateFound) as raised:
        run.objects.look(warm, "hidden")
    found = raised.value
    assert (found.methods, found.owner, found.attribute) == (("hidden",), "Shelf", "seen")
    assert found.suspect == (run.unique("hidden").number,)
    assert run.objects.ready_for(run.unique("count")) is not warm


def test_a_change_seen_late_is_told_of_all_methods_called_since():
    run, _ = looked_at("hidden", "count")
    with pytest.raises(StateFound) as raised:
        run.objects.last_look()
    assert raised.value.methods == ("hidden", "count")
    assert len(raised.value.suspect) == 2


def test_before_a_watched_call_unwatched_ones_are_looked_at():
    run, warm = looked_at("hidden")
    with pytest.raises(StateFound):
        run.objects.prepare_to_look(warm, watched=True)


def test_an_object_that_chains_use_is_looked_at_before_it_moves_on():
    shelf = step(Shelf)()
    first = shelf.hidden()
    shelf.put("a")
    run = Run([first, shelf.count()])
    run.settle(run.unique("put"))
    warm = run.objects.ready_for(run.unique("hidden"))
    run.objects.prepare_to_look(warm, watched=False)
    warm.object.hidden()
    warm.unverified.append(run.unique("hidden").number)
    with pytest.raises(StateFound):
        run.objects.ready_for(run.unique("count"))
