"""Parts of results: which are asked for, and what tells them."""

from __future__ import annotations

from pathlib import Path

from batchwright import step
from batchwright.caching.digest import digest
from batchwright.contracts.graph import Argument, Bound, FileInput
from batchwright.contracts.python_graph import build_graph
from batchwright.execution.projections import digests_of_parts, parts_asked_for, paths_in
from batchwright.fleet.facts import FactBook
from batchwright.fleet.keys import key_graph, opaque_digest
from batchwright.fleet.lookup import part_name


def source(n):
    return {"a": n, "b": [n, {"c": n}]}


def taking(x, y=None):
    return x


class Taker:
    def __init__(self, x):
        self.x = x

    def give(self):
        return self.x


def asked(what):
    made = key_graph(build_graph(what), FactBook())
    return {made.uniques[n].label: parts for n, parts in parts_asked_for(made).items()}


def test_each_part_that_some_step_reads_is_asked_for_once():
    made = step(source)(1)
    other = step(source)(1)
    found = asked(
        [
            step(taking)(made["a"], [made["b"][0]]),
            step(taking)(other["a"]),
            step(Taker)(made["b"][1]["c"]).give(),
            step(taking)(made),
        ]
    )
    assert found == {"source": [("a",), ("b", 0), ("b", 1, "c")]}


def test_parts_that_only_look_equal_are_told_apart():
    made = step(source)(1)
    found = asked([step(taking)(made[1]), step(taking)(made[True]), step(taking)(made[1.0])])
    assert len(found["source"]) == 3


def test_a_part_that_only_an_output_shows_needs_no_digest():
    assert asked({"c": step(source)(1)["a"]}) == {}


def test_a_part_is_told_by_its_content():
    value = source(5)
    found = digests_of_parts(value, [("a",), ("b", 1, "c")], "key")
    assert found == {part_name(("a",)): digest(5), part_name(("b", 1, "c")): digest(5)}


def test_a_part_that_is_not_there_has_no_digest():
    assert digests_of_parts({"a": 1}, [("z",), ("a", 0), ("a",)], "key").keys() == {
        part_name(("a",))
    }


def test_an_opaque_part_is_told_by_the_key_of_its_whole_and_its_place():
    value = [iter(()), iter(())]
    found = digests_of_parts(value, [(0,), (1,)], "key")
    assert found[part_name((0,))] == opaque_digest("key", (0,))
    assert len(set(found.values())) == 2
    assert digests_of_parts(value, [(0,)], "key", "nonce") != digests_of_parts(value, [(0,)], "key")
    assert digests_of_parts(value, [(0,)], None) == {}


def test_the_paths_of_an_argument_are_found_wherever_they_stand():
    template = {"a": [Path("x"), (FileInput(Path("y"), "str"), 1)], "b": "z"}
    assert paths_in(Bound("x", Argument.of(template))) == [Path("x"), Path("y")]
