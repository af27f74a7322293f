"""What is known of random graphs before a run, compared with the rules said plainly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from batchwright.caching.digest import digest
from batchwright.fleet.lookup import (
    derivation_entry,
)


@st.composite
def graphs(draw, largest=9):
    size = draw(st.integers(1, largest))
    reads = [
        sorted(draw(st.sets(st.integers(0, i - 1), max_size=3))) if i else [] for i in range(size)
    ]
    outputs = draw(st.sets(st.integers(0, size - 1), min_size=1))
    return reads, outputs


def needed_by(reads, outputs, known):
    """The steps somebody asks for: the outputs, and the inputs of what is not known."""
    needed, waiting = set(), list(outputs)
    while waiting:
        i = waiting.pop()
        if i not in needed:
            needed.add(i)
            waiting += [] if i in known else reads[i]
    return needed


def after(reads, steps):
    """All that come from some steps, directly or through others."""
    found = set()
    for i, inputs in enumerate(reads):
        if (steps | found).intersection(inputs):
            found.add(i)
    return found


@given(graphs(), st.data())
def test_each_step_stands_as_the_rules_say(Fleet, graph, draw):
    reads, outputs = graph
    fleet = Fleet(reads, outputs)
    keys = fleet.compute()
    cached = draw.draw(st.sets(st.sampled_from(range(len(reads)))))
    for i in set(range(len(reads))) - cached:
        del fleet.entries[keys[i]]

    known = set()
    for i in sorted(cached):
        if known.issuperset(reads[i]):
            known.add(i)
    needed = needed_by(reads, outputs, known)

    def status(i):
        if i in known:
            return "known"
        if i not in needed:
            return "not needed"
        return "will run" if known.issuperset(reads[i]) else "may run"

    assert fleet.statuses() == [status(i) for i in range(len(reads))]


@given(graphs(), st.data())
def test_a_kept_result_is_known_by_how_it_comes_about_while_that_is_sure(Fleet, graph, draw):
    """It waits only for what has to run for another's sake."""
    reads, outputs = graph
    fleet = Fleet(reads, outputs)
    keys = fleet.compute()
    every = range(len(reads))
    for i in every:
        fleet.derive(i)
    lost = draw.draw(st.sets(st.sampled_from(every)))
    for i in lost:
        del fleet.entries[keys[i]]
        del fleet.entries[derivation_entry(fleet.keyed.uniques[i].uid)]

    kept, sure = set(), set()
    for i in every:
        if kept.issuperset(reads[i]):
            sure.add(i)
        if i not in lost and sure.union(kept).issuperset(reads[i]):
            kept.add(i)
    waiting, needed = None, needed_by(reads, outputs, kept)
    while waiting != (waiting := after(reads, needed - kept) & kept):
        needed = needed_by(reads, outputs, kept - waiting)

    def status(i):
        if i in kept:
            return "may run" if i in waiting & needed else "known"
        if i not in needed:
            return "not needed"
        return "will run" if i in sure else "may run"

    standings = fleet.standings()
    assert [standing.status for standing in standings] == [status(i) for i in every]
    assert all(standings[i].digest == digest(f"v{i}") for i in kept)


@given(graphs(), st.data())
def test_a_derivation_is_void_once_an_input_is_known_with_another_value(Fleet, graph, draw):
    reads, _ = graph
    fleet = Fleet(reads)
    fleet.compute()
    for i in range(len(reads)):
        fleet.derive(i)
    derived = {k: v for k, v in fleet.entries.items() if k.startswith("derivation:")}
    changed = draw.draw(st.sampled_from(range(len(reads))))
    keys = fleet.compute(lambda i: "other" if i == changed else f"v{i}")
    upstream = {keys[i] for i in range(changed + 1)}
    fleet.entries = derived | {k: v for k, v in fleet.entries.items() if k in upstream}

    standings = fleet.standings()

    for i in after(reads, {changed}):
        assert standings[i].status != "known"
