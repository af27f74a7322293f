"""What is known before a run: one rule a test."""

from __future__ import annotations

import pytest

from batchwright.caching.code import CodeFacts
from batchwright.caching.digest import digest
from batchwright.caching.entry import EntryInfo
from batchwright.contracts.graph import (
    Address,
    ContractNode,
    Phase,
    Step,
    StepGraph,
    StepOptions,
    Target,
)
from batchwright.fleet.facts import FactBook, MethodFacts
from batchwright.fleet.keys import key_graph
from batchwright.fleet.lookup import (
    Lookup,
    earliest,
    part_name,
    result_digest,
)
from batchwright.records.model import StepFailure


def test_nothing_is_known_at_first_and_all_of_it_after_a_run(Fleet):
    fleet = Fleet([[], [0], [1]], [2])
    assert fleet.statuses() == ["will run", "may run", "may run"]
    fleet.compute()
    assert fleet.statuses() == ["known"] * 3


def test_a_known_step_carries_what_its_entry_says(Fleet):
    fleet = Fleet([[]])
    (key,) = fleet.compute().values()
    fleet.entries[key] = EntryInfo(key, "d", {"p": "q"}, expires=9.0, seconds=2.0)
    (standing,) = fleet.standings()
    assert (standing.key, standing.digest, standing.parts) == (key, "d", {"p": "q"})
    assert (standing.expires, standing.seconds) == (9.0, 2.0)
    assert standing.recipe.label == "f0"


def test_a_known_result_expires_with_the_earliest_of_what_it_came_from(Fleet):
    fleet = Fleet([[], [0], [1]])
    keys = fleet.compute()
    for i, expires in enumerate([50.0, None, 70.0]):
        fleet.entries[keys[i]] = EntryInfo(keys[i], digest(f"v{i}"), expires=expires)
    assert [standing.expires for standing in fleet.standings()] == [50.0, 50.0, 50.0]


def test_a_derivation_whose_result_is_gone_or_came_out_otherwise_tells_nothing(Fleet):
    for left in (None, "another digest"):
        fleet = Fleet([[], [0]], [1])
        keys = fleet.compute()
        fleet.derive(1)
        del fleet.entries[keys[0]]
        assert fleet.statuses()[1] == "known"
        del fleet.entries[keys[1]]
        if left:
            fleet.entries[keys[1]] = EntryInfo(keys[1], left)
        assert fleet.statuses() == ["will run", "may run"]


def test_what_failed_before_is_told_with_its_failure(Fleet):
    fleet = Fleet([[], [0]])
    fleet.compute(fails={0})
    first, second = fleet.standings()
    assert (first.status, first.failure) == ("failed before", StepFailure("ValueError", "f0"))
    assert second.status == "may run"


def test_what_took_a_mapping_with_a_failure_in_it_is_known_provided_that_it_fails_again(Fleet):
    fleet = Fleet([[], [], [0, 1]], mapping={2})
    fleet.compute(fails={0})
    first, second, third = fleet.standings()
    assert (first.status, second.status) == ("failed before", "known")
    assert (third.status, third.provided) == ("known", True)


def test_a_step_without_a_key_will_run_when_it_is_needed(Fleet):
    off = {0: StepOptions(cache=False)}
    fleet = Fleet([[], [0]], [1], options=off)
    fleet.compute()
    assert fleet.statuses() == ["will run", "may run"]


def test_a_step_without_a_key_is_not_run_for_what_is_known_otherwise(Fleet):
    fleet = Fleet([[], [0]], [1], options={0: StepOptions(cache=False)})
    assert Fleet([[], []], [1], options={0: StepOptions(cache=False)}).statuses()[0] == "not needed"
    assert fleet.statuses()[0] == "will run"


def test_a_consumer_of_a_part_is_known_by_that_part_alone(Fleet):
    fleet = Fleet([[], [0]], parts={0: "a"})
    keys = fleet.compute(part_of=lambda i: {"a": "same"})
    fleet.entries[keys[0]] = EntryInfo(
        keys[0], digest("another whole"), {part_name(("a",)): digest("same")}
    )
    assert fleet.statuses() == ["known", "known"]
    fleet.entries[keys[0]] = EntryInfo(
        keys[0], digest("another whole"), {part_name(("a",)): digest("another part")}
    )
    assert fleet.statuses() == ["known", "will run"]


def test_the_digest_of_a_part_that_an_entry_lacks_is_asked_for(Fleet):
    fleet = Fleet([[], [0]], parts={0: "a"})
    keys = fleet.compute(part_of=lambda i: {"a": "same"})
    fleet.entries[keys[0]] = EntryInfo(keys[0], digest("v0"))
    asked = []

    def part(key, items):
        asked.append((key, items))
        return digest("same")

    assert [s.status for s in fleet.standings(part)] == ["known", "known"]
    assert asked == [(keys[0], ("a",))]
    assert [s.status for s in fleet.standings()] == ["known", "may run"]


def test_the_cache_is_asked_once_for_each_level_of_the_graph(Fleet):
    fleet = Fleet([[], [], [0, 1], [2], [2]])
    fleet.compute()
    asked = []

    def find(keys):
        keys = list(keys)
        asked.append(len(keys))
        return fleet.find(keys)

    Lookup(fleet.keyed, find, {}, lambda *_: None).run()
    assert [count for count in asked if count] == [2, 1, 2]


def test_a_contract_in_phases_shows_all_its_steps():
    step = Step(0, Address("c", "p", "a"), function=Target("m", "f"))
    phase = Phase("p", "N1", "facts", (0,))
    graph = StepGraph((step,), (ContractNode("c", (0,), (phase,)),))
    book = FactBook(remembered={"m:f": MethodFacts(CodeFacts("c", {}))})
    keyed = key_graph(graph, book)
    assert [s.status for s in Lookup(keyed, lambda _: {}, {}, None).run()] == ["will run"]


@pytest.mark.parametrize(
    ("times", "least"), [([], None), ([None], None), ([3.0, None, 2.0], 2.0), ([0.0, 1.0], 0.0)]
)
def test_the_earliest_of_times(times, least):
    assert earliest(times) == least


def test_an_opaque_result_is_told_by_the_key_of_its_step():
    opaque = iter([1])
    assert result_digest([1], None) == digest([1])
    assert result_digest(opaque, None) is None
    assert result_digest(opaque, "k") == result_digest(iter([2]), "k")
    assert len({result_digest(opaque, *told) for told in [("k",), ("l",), ("k", "n")]}) == 3
