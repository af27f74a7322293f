"""Unique steps of a graph: named alike in any fleet, ordered, chained by state, or without key."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright import Contract, stateful, step
from batchwright.contracts.python_graph import build_graph
from batchwright.errors import MissingPath
from batchwright.fleet.facts import FactBook
from batchwright.fleet.keys import (
    key_graph,
)


def first(x, y=2, *more, z=None, **named):
    return x


def second(x):
    return x


class Reader:
    def __init__(self, text="", *, strict=False):
        self.text = text

    def words(self, limit=10):
        return self.text.split()

    @stateful
    def load(self, text):
        self.text = text


class Handle:
    def __init__(self):
        self.stream = io.StringIO()


BOOK = FactBook()


def keyed(what, unrepeatable=()):
    return key_graph(build_graph(what), BOOK, unrepeatable)


def uids(what):
    """The name of the unique step of each contract's output."""
    made = keyed(what)
    return {
        contract.id: made.uniques[made.of[contract.outputs[0][1].steps[0]]].uid
        for contract in made.graph.contracts
    }


def same(one, other):
    return len(set(uids({"one": one, "other": other}).values())) == 1


def calls_of(choices):
    """Steps grown from numbers: each takes a number, or results of earlier ones."""
    made = []
    for way, left, right in choices:
        earlier = made or [0]
        one, other = earlier[left % len(earlier)], earlier[right % len(earlier)]
        made.append(
            [
                lambda one=one: step(second)(left if one == 0 else one),
                lambda one=one, other=other: step(first)(one, [other, right]),
                lambda one=one: step(second)(0 if one == 0 else one[right]),
                lambda one=one: step(Reader)("t").words(left if one == 0 else one),
            ][way]()
        )
    return made


choices = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=7
)


@given(choices, st.data())
def test_a_call_is_named_alike_whatever_other_contracts_there_are(choices, draw):
    named = {f"c{i}": made for i, made in enumerate(calls_of(choices))}
    whole = uids(named)
    chosen = draw.draw(
        st.permutations(sorted(named)).flatmap(
            lambda order: st.integers(1, len(order)).map(lambda n: order[:n])
        )
    )
    assert uids({id_: named[id_] for id_ in chosen}) == {id_: whole[id_] for id_ in chosen}


@given(choices, choices)
def test_unique_steps_come_after_those_they_read(one, other):
    made = keyed([*calls_of(one), *calls_of(other)])
    for unique in made.uniques:
        assert all(read < unique.number for read in (*unique.reads, *unique.before))
        assert all(made.of[number] == unique.number for number in unique.steps)
    assert sorted(i for unique in made.uniques for i in unique.steps) == list(range(len(made.of)))


# --- state --------------------------------------------------------------------------------------


def reading(text, *, first_load=None):
    reader = step(Reader)()
    if first_load is not None:
        reader.load(first_load)
    reader.load(text)
    return reader.words()


def test_a_call_counts_the_calls_before_it_that_changed_its_object():
    assert same(reading("a"), reading("a"))
    assert not same(reading("a"), reading("b"))
    assert not same(reading("a"), reading("a", first_load="b"))
    assert not same(reading("a"), step(Reader)().words())


def test_what_is_before_a_call_is_told_by_its_key_not_by_its_result():
    made = keyed({"c": reading("a")})
    load, words = made.uniques
    assert (words.before, words.reads, load.storing, words.storing) == ((0,), (), True, False)


def test_calls_on_one_object_in_two_contracts_do_not_see_each_other():
    reader = step(Reader)()
    fleet = [Contract("a", [reader.load("a"), reader.words()]), Contract("b", reader.load("b"))]
    made = keyed(fleet)
    assert [unique.before for unique in made.uniques] == [(), (0,), ()]


# --- what has no key ----------------------------------------------------------------------------


def test_a_call_with_an_argument_without_content_is_not_shared_and_says_why():
    handle = Handle()
    made = keyed({"a": step(second)(handle), "b": step(second)(handle)})
    assert len(made.uniques) == 2
    for unique in made.uniques:
        assert unique.bypass.startswith("cannot key argument 'x' of second(): ")
        assert "Handle has no stable content" in unique.bypass


def test_an_uncached_call_is_not_shared():
    off = step(second, cache=False)
    made = keyed({"a": off(1), "b": off(1)})
    assert [unique.bypass for unique in made.uniques] == ["cache is off for it"] * 2


def test_consumers_of_one_result_are_one_even_downstream_of_what_is_not_cached():
    loaded = step(second, cache=False)(1)
    made = keyed({"a": step(first)(loaded), "b": step(first)(loaded)})
    assert len(made.uniques) == 2


def derivable(built, unrepeatable=()):
    return [unique.derivable for unique in keyed({"c": built}, unrepeatable).uniques]


def test_downstream_of_what_does_not_repeat_nothing_is_known_by_its_derivation():
    assert derivable(step(second)(step(first)(1))) == [True, True]
    assert derivable(step(second)(step(first, cache=False)(1))) == [False, False]
    assert derivable(step(second)(step(second)(step(first, repeats=False)(1)))) == [
        True,
        False,
        False,
    ]
    code = BOOK.of(build_graph(step(first)(1)).steps[0]).code.digest
    assert derivable(step(second)(step(first)(1)), {code}) == [True, False]


def test_a_missing_file_is_an_error_not_a_bypass(tmp_path):
    with pytest.raises(MissingPath):
        keyed({"a": step(second)(tmp_path / "none.txt")})
