"""Warm instances: found by what they were made from and by their state, and looked at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from batchwright.execution.instances import InstancePool, Warm


class Thing:
    def __init__(self):
        self.items = []
        self.size = 1


def warm(made="made", state=(), instance=None):
    return Warm(made, state, instance or Thing(), "class")


def pool_of(*warms):
    pool = InstancePool()
    for each in warms:
        pool.add(each)
    return pool


def test_an_instance_is_found_in_exactly_its_state():
    fresh, loaded = warm(), warm(state=("a",))
    pool = pool_of(fresh, loaded)
    assert pool.find("made", ()) is fresh
    assert pool.find("made", ("a",)) is loaded
    assert pool.find("made", ("b",)) is None
    assert pool.find("otherwise", ()) is None


states = st.lists(st.sampled_from("ab"), max_size=4).map(tuple)


@given(st.lists(states, max_size=6, unique=True), states)
def test_the_nearest_is_the_one_with_the_longest_part_of_the_way_behind_it(warm_states, wanted):
    pool = pool_of(*(warm(state=state) for state in warm_states), warm("otherwise", wanted))
    found = pool.longest_prefix("made", wanted)
    on_the_way = [state for state in warm_states if wanted[: len(state)] == state]
    assert (found and found.state) == (max(on_the_way, key=len) if on_the_way else None)


def test_a_call_that_changes_an_instance_moves_it_on():
    thing = warm()
    pool = pool_of(thing)
    thing.mark()
    pool.moved(thing, "a")
    pool.moved(thing, "b")
    assert thing.state == ("a", "b")
    assert thing.marks is None
    assert pool.find("made", ()) is None
    assert pool.find("made", ("a",)) is None
    assert pool.find("made", ("a", "b")) is thing
    assert pool.built == 1


def test_an_instance_that_is_let_go_is_not_found():
    thing = warm()
    pool = pool_of(thing)
    pool.discard(thing)
    assert pool.find("made", ()) is None
    assert list(pool) == []


def test_letting_go_of_one_leaves_another_that_took_its_place():
    old, new = warm(), warm()
    pool = pool_of(old, new)
    pool.discard(old)
    assert pool.find("made", ()) is new


def test_the_pool_can_be_changed_while_it_is_gone_through():
    pool = pool_of(*(warm(i) for i in range(3)))
    for each in pool:
        pool.discard(each)
    assert list(pool) == []


def test_all_that_were_built_are_counted():
    pool = pool_of(warm(), warm("other"))
    pool.discard(pool.find("made", ()))
    pool.add(warm())
    assert pool.built == 3


def test_a_look_at_an_unchanged_instance_verifies_what_was_computed_on_it():
    thing = warm()
    thing.mark()
    thing.unverified += [1, 2]
    assert thing.look() is None
    assert thing.unverified == []


def test_a_look_names_what_changed_and_keeps_the_suspects():
    thing = warm()
    thing.mark()
    thing.unverified += [1, 2]
    thing.object.items.append(1)
    assert thing.look() == "items"
    assert thing.unverified == [1, 2]


def test_a_change_is_told_once():
    thing = warm()
    thing.mark()
    thing.object.size = 2
    assert thing.look() == "size"
    assert thing.look() is None


def test_marking_anew_forgets_the_suspects():
    thing = warm()
    thing.mark()
    thing.unverified.append(1)
    thing.object.size = 2
    thing.mark()
    assert thing.unverified == []
    assert thing.look() is None
