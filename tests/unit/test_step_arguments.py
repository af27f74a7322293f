"""Arguments are taken as they are at the call, and steps in them found or refused."""

from __future__ import annotations

import functools
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from batchwright import step
from batchwright.contracts.capture import DEEPEST, LARGE_ARRAY
from batchwright.contracts.graph import Reference
from batchwright.contracts.python_graph import build_graph
from batchwright.errors import MisplacedStep, WrongCall


def consume(value, other=None):
    return value


def make():
    return 1


S = step(make)()


class Pair(NamedTuple):
    left: Any
    right: Any


@dataclass
class Settings:
    rate: Any
    tags: list[Any] = field(default_factory=list)
    derived: Any = field(init=False, default=None)

    def __post_init__(self):
        self.derived = "kept"
        self.undeclared = ["kept"]


@dataclass(frozen=True, slots=True)
class Fixed:
    value: Any
    __hidden: int = 3


@dataclass(slots=True)
class Slotted:
    value: Any


@dataclass
class Rows(dict):
    title: Any = None


def template(pending):
    return build_graph(pending).steps[-1].arguments[0].argument.template


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ([1, [S]], [1, [Reference(0)]]),
        ((S, (S["a"],)), (Reference(0), (Reference(0, ("a",)),))),
        ({"a": {"b": S}}, {"a": {"b": Reference(0)}}),
        ({S: 1}, {Reference(0): 1}),
        ({S, 1}, {Reference(0), 1}),
        (frozenset({S}), frozenset({Reference(0)})),
        (Pair(S, 1), Pair(Reference(0), 1)),
        (namedtuple("Loose", "a")(S), (Reference(0),)),
        (Fixed(S), Fixed(Reference(0))),
        (Slotted([S]), Slotted([Reference(0)])),
    ],
)
def test_steps_are_found_in_containers(container, expected):
    found = template(step(consume)(container))
    assert found == expected
    assert type(found) is type(container)


def test_steps_are_found_in_a_dataclass():
    found = template(step(consume)(Settings(S, ["a", S])))
    assert (found.rate, found.tags) == (Reference(0), ["a", Reference(0)])


def change_list(x):
    x.append(9)


@pytest.mark.parametrize(
    ("value", "change"),
    [
        ([1, 2], change_list),
        ([1, object()], change_list),
        ([[1], [2]], lambda x: x[0].append(9)),
        ({"a": [1]}, lambda x: x["a"].append(9)),
        ({"a": 1}, lambda x: x.update(b=2)),
        ({1, 2}, lambda x: x.add(3)),
        (([1],), lambda x: x[0].append(9)),
        (Pair([1], 2), lambda x: x.left.append(9)),
        (Settings(1, ["a"]), lambda x: setattr(x, "rate", 2)),
        (Settings(1, ["a"]), lambda x: x.tags.append("b")),
        (Slotted(1), lambda x: setattr(x, "value", 2)),
        (Fixed([1]), lambda x: x.value.append(2)),
        (OrderedDict(a=[1]), lambda x: x["a"].append(2)),
        (defaultdict(list, a=[1]), lambda x: x["b"]),
        (Counter("aab"), lambda x: x.update("c")),
        (deque([[1]], 3), lambda x: x[0].append(2)),
        (bytearray(b"a"), lambda x: x.extend(b"b")),
    ],
)
def test_a_change_after_the_call_does_not_reach_the_step(value, change):
    pending = step(consume)(value)
    before = repr(value)
    change(value)
    assert repr(value) != before
    found = template(pending)
    assert repr(found) == before
    assert type(found) is type(value)


def test_a_change_between_two_calls_is_seen_by_the_second():
    rows = [1, 2]
    one = step(consume)(rows)
    rows.append(3)
    two = step(consume)(rows)
    assert (template(one), template(two)) == ([1, 2], [1, 2, 3])


def test_a_renamed_key_between_two_calls_is_seen():
    table = {"a": 1}
    one = step(consume)(table)
    table["b"] = table.pop("a")
    assert template(step(consume)(table)) == {"b": 1}
    assert template(one) == {"a": 1}


def test_small_arrays_are_copied():
    data = np.arange(6.0).reshape(2, 3).T
    one = step(consume)(data)
    data[0, 0] = 9
    two = step(consume)(data)
    assert template(one)[0, 0] == 0
    assert template(two)[0, 0] == 9
    assert template(one).flags.f_contiguous


def test_large_arrays_and_other_objects_are_not_copied():
    large, frame, other = np.zeros(LARGE_ARRAY), pd.DataFrame({"a": [1]}), SimpleNamespace(a=1)
    for value in (large, frame, other):
        assert template(step(consume)(value)) is value


def test_a_copied_dataclass_keeps_what_its_fields_do_not_show():
    settings = Settings(1)
    copied = template(step(consume)(settings))
    assert (copied.derived, copied.undeclared) == ("kept", ["kept"])
    assert template(step(consume)(Fixed([1])))._Fixed__hidden == 3


def test_what_cannot_change_is_not_copied():
    for value in ((1, ("a",)), frozenset({1}), Fixed(1), "text", Pair(1, 2)):
        assert template(step(consume)(value)) is value


def test_one_value_in_many_calls_is_one_argument():
    rows, large = [[1], {"a": 2}], np.zeros(LARGE_ARRAY)
    small = np.arange(3)
    calls = [step(consume)(value, n) for n in range(5) for value in (rows, large, small)]
    graph = build_graph(calls)
    assert len({id(s.arguments[0].argument) for s in graph.steps}) == 3


def test_one_result_in_many_calls_is_one_argument():
    graph = build_graph([step(consume)(S["a"], n) for n in range(5)])
    assert len({id(s.arguments[0].argument) for s in graph.steps if s.arguments}) == 1


def test_items_equal_in_value_but_not_in_type_are_kept_apart():
    graph = build_graph([step(consume)(S[1]), step(consume)(S[True]), step(consume)(S[1.0])])
    assert [type(s.arguments[0].argument.template.items[0]) for s in graph.steps[1:]] == [
        int,
        bool,
        float,
    ]


def test_equal_values_of_other_types_are_not_taken_for_each_other():
    rows = [1, 2]
    one = step(consume)(rows)
    rows[0] = True
    assert template(step(consume)(rows))[0] is True
    assert template(one)[0] is not True


def test_a_path_is_seen():
    from pathlib import Path

    (made,) = build_graph(step(consume)({"a": [Path("x")]})).steps
    assert made.arguments[0].argument.files


def closure():
    return lambda: S


def in_closure(held):
    return lambda: held


class Holder:
    def __init__(self, **held):
        self.__dict__.update(held)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (Holder(client=S), "attribute 'client' of a Holder"),
        (Holder(clients=[1, S]), "attribute 'clients' of a Holder"),
        (Holder(clients={"a": S}), "attribute 'clients' of a Holder"),
        ([{"a": Holder(client=S)}], "attribute 'client' of a Holder"),
        (in_closure(S), "the closure (held) of a function"),
        (lambda x=S: x, "a default of a function"),
        (functools.partial(consume, S), "the arguments of a partial"),
        (functools.partial(consume, value=S), "the arguments of a partial"),
        (OrderedDict(a=S), "['a'] of a OrderedDict"),
        (deque([S]), "the items of a deque"),
        (Rows(title=S), "attribute 'title' of a Rows"),
        (pd.Series([1, S]), "the elements of a Series"),
        (pd.DataFrame({"a": [1], "b": [S]}), "the elements of a DataFrame"),
    ],
)
def test_a_step_elsewhere_is_refused_and_its_place_named(value, place):
    with pytest.raises(MisplacedStep) as caught:
        step(consume)(value)
    message = str(caught.value)
    assert "argument 'value' of consume() holds <step make>" in message
    assert place in message
    assert "lists, tuples, dicts, sets, named tuples and dataclasses" in message


def test_a_step_in_an_array_of_objects_is_refused():
    array = np.empty(2, dtype=object)
    array[1] = S
    with pytest.raises(MisplacedStep, match="the elements of a ndarray"):
        step(consume)(array)


@pytest.mark.parametrize("value", [step(consume), [step(consume)], step(Counter)().most_common])
def test_a_step_function_is_no_argument(value):
    with pytest.raises(MisplacedStep, match="which makes steps"):
        step(consume)(value)


def test_a_container_that_holds_itself_is_refused():
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(WrongCall, match="holds itself"):
        step(consume)(loop)


def test_deep_nesting_is_carried_up_to_its_limit():
    def nested(depth):
        value: list[Any] = [S]
        for _ in range(depth):
            value = [value]
        return value

    assert len(build_graph(step(consume)(nested(DEEPEST - 1))).steps) == 2
    with pytest.raises(WrongCall, match="nested more than"):
        step(consume)(nested(DEEPEST + 1))


def test_later_changes_of_a_container_make_no_circle():
    items: list[Any] = []
    first = step(consume)(items)
    items.append(first)
    second = step(consume)(items)
    assert [s.reads for s in build_graph(second).steps] == [(), (0,)]
