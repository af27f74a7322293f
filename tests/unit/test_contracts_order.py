"""Orders by need, and the cycles that keep them from being."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from batchwright.contracts.order import closure, in_order

NAMES = list("abcdefgh")
graphs = st.dictionaries(
    st.sampled_from(NAMES), st.lists(st.sampled_from([*NAMES, "not there"]), max_size=4)
)


def reaches(needs, start):
    found, before = set(needs.get(start, ())), None
    while found != before:
        before = set(found)
        for name in before:
            found |= set(needs.get(name, ()))
    return found


def test_written_order_is_kept_where_nothing_asks_for_another():
    assert in_order({"c": [], "a": ["b"], "b": [], "d": []}) == (("c", "b", "a", "d"), ())


def test_a_cycle_is_named_whole():
    assert in_order({"x": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]})[1] == (("a", "b", "c", "a"),)
    assert in_order({"a": ["a"]})[1] == (("a", "a"),)


def test_a_chain_as_long_as_a_fleet():
    needs = {str(n): [str(n + 1)] for n in range(100_000)}
    order, cycles = in_order(needs)
    assert (order[0], order[-1], cycles) == ("99999", "0", ())


@given(graphs)
def test_each_name_comes_once_and_after_what_it_needs_unless_in_a_cycle(needs):
    order, cycles = in_order(needs)
    assert sorted(order) == sorted(needs)
    in_cycle = any(name in reaches(needs, name) for name in needs)
    assert bool(cycles) == in_cycle
    for cycle in cycles:
        assert cycle[0] == cycle[-1]
        assert all(b in needs[a] for a, b in itertools.pairwise(cycle))
    if not cycles:
        at = {name: n for n, name in enumerate(order)}
        assert all(at[other] < at[name] for name in needs for other in needs[name] if other in at)


@given(graphs, st.sampled_from(NAMES))
def test_the_closure_is_all_that_can_be_reached(needs, start):
    assert closure(needs, start) == reaches(needs, start)
