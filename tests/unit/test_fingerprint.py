"""Fingerprints: every change of an object is seen, and nothing else is."""

from __future__ import annotations

import array
import collections
import copy
import dataclasses
import datetime as dt
import functools
import itertools
import logging
import random
import re
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright.execution.fingerprint import changed, fingerprint


def change_by(value, do):
    """The attribute seen to change when `do` is done to a value."""
    before = fingerprint(value)
    assert changed(before, fingerprint(value)) is None
    do(value)
    return changed(before, fingerprint(value))


class Plain:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Slotted:
    __slots__ = ("__hidden", "left", "right")

    def __init__(self, left, right=None):
        self.left = left
        self.__hidden = right

    def hide(self, value):
        self.__hidden = value


class SlottedWithDict(Slotted):
    pass


@dataclasses.dataclass
class Point:
    x: float
    tags: list


class Tally(dict):
    def __init__(self):
        super().__init__()
        self.count = 0


class Refuses:
    __slots__ = ()

    def __reduce__(self):
        raise RuntimeError("no")


# --- random data, a random change -------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=4)
    | st.binary(max_size=4)
)


def containers(inner):
    return (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.frozensets(scalars, max_size=3).map(set)
        | st.frozensets(scalars, max_size=3)
        | st.lists(st.integers(-9, 9), min_size=1, max_size=4).map(np.array)
        | st.lists(inner, min_size=1, max_size=3).map(object_array)
        | st.builds(Plain, a=inner, b=inner)
        | st.builds(Slotted, inner, inner)
        | st.builds(SlottedWithDict, inner, inner)
        | st.builds(Point, st.floats(allow_nan=False), st.lists(inner, max_size=2))
        | st.lists(inner, max_size=3).map(collections.deque)
        | st.binary(max_size=4).map(bytearray)
    )


def object_array(items):
    made = np.empty(len(items), dtype=object)
    for place, item in enumerate(items):
        made[place] = item
    return made


data = st.recursive(scalars, containers, max_leaves=12)


def mutable_places(value, seen=None):
    """Every way to change a value in place, at any depth, as functions of nothing."""
    ways = []
    match value:
        case list() | collections.deque():
            ways.append(lambda: value.append("new"))
            ways += [lambda i=i: value.__setitem__(i, Fresh()) for i in range(len(value))]
            inner = list(value)
        case dict():
            ways.append(lambda: value.__setitem__("a new key", 0))
            ways += [lambda k=k: value.__setitem__(k, Fresh()) for k in value]
            inner = list(value.values())
        case set():
            ways.append(lambda: value.add("a new item"))
            ways += [lambda i=i: value.discard(i) for i in value]
            inner = []
        case bytearray():
            ways.append(lambda: value.append(1))
            inner = []
        case np.ndarray() if value.dtype != object:
            ways += [lambda i=i: value.__setitem__(i, value[i] + 1) for i in range(len(value))]
            inner = []
        case np.ndarray():
            ways += [lambda i=i: value.__setitem__(i, Fresh()) for i in range(len(value))]
            inner = list(value)
        case Slotted():
            ways.append(lambda: setattr(value, "left", Fresh()))
            ways.append(lambda: value.hide(Fresh()))
            ways.append(lambda: setattr(value, "right", 1))
            inner = [value.left]
        case Plain() | Point():
            ways += [lambda n=n: setattr(value, n, Fresh()) for n in vars(value)]
            ways.append(lambda: setattr(value, "new", 1))
            inner = list(vars(value).values())
        case tuple():
            inner = list(value)
        case _:
            inner = []
    if isinstance(value, SlottedWithDict):
        ways.append(lambda: setattr(value, "new", 1))
    for item in inner:
        ways += mutable_places(item)
    return ways


class Fresh:
    """A value that nothing else equals."""

    made = 0

    def __init__(self):
        Fresh.made += 1
        self.number = Fresh.made


@given(data, st.data())
def test_any_change_at_any_depth_is_seen(value, draw):
    holder = Plain(held=value)
    ways = mutable_places(value)
    if ways:
        assert change_by(holder, lambda _: draw.draw(st.sampled_from(ways))()) == "held"


@given(data)
def test_without_a_change_none_is_reported(value):
    holder = Plain(held=value)
    assert changed(fingerprint(holder), fingerprint(holder)) is None


@given(data)
def test_a_copy_has_the_marks_of_its_original(value):
    assert fingerprint(value) == fingerprint(copy.deepcopy(value))


# --- what is a change, and what is not --------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "do"),
    [
        (Plain(f=pd.DataFrame({"a": [1, 2]})), lambda p: p.f.__setitem__("b", 3)),
        (Plain(f=pd.DataFrame({"a": [1, 2]})), lambda p: p.f.iloc.__setitem__((0, 0), 9)),
        (Plain(d=collections.defaultdict(list)), lambda p: p.d["key"]),
        (Plain(c=collections.Counter("ab")), lambda p: p.c.update("a")),
        (Plain(r=random.Random(1)), lambda p: p.r.random()),
        (Plain(r=np.random.default_rng(1)), lambda p: p.r.random()),
        (Plain(n=SimpleNamespace(a=1)), lambda p: setattr(p.n, "a", 2)),
        (Plain(a=np.zeros(3)), lambda p: setattr(p, "a", p.a.astype(np.float32))),
        (Plain(a=1), lambda p: setattr(p, "a", True)),
        (Plain(a=1), lambda p: setattr(p, "a", 1.0)),
        (Plain(a=0.0), lambda p: setattr(p, "a", -0.0)),
        (Plain(a="x"), lambda p: delattr(p, "a")),
        (Plain(a={"x": 1, "y": 2}), lambda p: p.a.update(x=p.a.pop("x"))),
        (Plain(f=len), lambda p: setattr(p, "f", max)),
        (Plain(i=iter([1, 2, 3])), lambda p: next(p.i)),
    ],
)
def test_a_change_is_seen_in(made, do):
    assert change_by(made, do) is not None


def test_the_attribute_that_changed_is_named():
    made = Plain(same=[1], other={"deep": [np.zeros(2)]})
    assert change_by(made, lambda m: m.other["deep"][0].__setitem__(1, 5)) == "other"


def test_an_attribute_in_a_private_slot_is_named_as_it_is_written():
    assert change_by(Slotted(1, [2]), lambda s: s.hide(3)) == "__hidden"


def test_a_builtin_container_is_told_as_a_whole():
    assert change_by([1, 2], lambda items: items.append(3)) == "its content"


def test_a_container_with_attributes_is_looked_at_for_both():
    assert change_by(Tally(), lambda t: t.__setitem__("a", 1)) == "its content"
    assert change_by(Tally(), lambda t: setattr(t, "count", 1)) == "count"


def test_a_cycle_has_a_mark_and_changes_in_it_are_seen():
    items = [1]
    items.append(items)
    assert change_by(Plain(items=items), lambda p: p.items.insert(0, 2)) == "items"


class Queue(collections.deque):
    pass


class Matrix(np.ndarray):
    pass


class Buffer(bytearray):
    pass


class Pair(tuple):
    pass


class Numbered(itertools.count):
    pass


@pytest.mark.parametrize(
    ("made", "do"),
    [
        (Queue([1]), lambda q: q.append(2)),
        (np.zeros(2).view(Matrix), lambda m: m.__setitem__(0, 1)),
        (Buffer(b"a"), lambda b: b.append(1)),
        (Pair([[1], 2]), lambda p: p[0].append(2)),
        (collections.OrderedDict(a=1), lambda d: d.__setitem__("a", 2)),
        (Numbered(), next),
        (array.array("i", [1]), lambda a: a.append(2)),
    ],
    ids=lambda made: type(made).__name__,
)
def test_what_an_object_holds_beside_its_attributes_is_looked_at(made, do):
    assert change_by(Plain(held=copy.copy(made)), lambda p: do(p.held)) == "held"
    assert change_by(copy.copy(made), do) == "its content"


def test_a_partial_that_is_replaced_is_a_change():
    made = Plain(f=functools.partial(max, 1))
    assert change_by(made, lambda m: setattr(m, "f", functools.partial(max, 2))) == "f"


def test_each_of_several_containers_with_attributes_is_told():
    made = Plain(each=[Tally() for _ in range(20)])
    for tally in made.each:
        tally["array"] = np.zeros(2)
    for tally in made.each:
        assert change_by(made, lambda _, t=tally: t["array"].__setitem__(0, 1)) == "each"


def test_deep_nesting_counts_as_changing_rather_than_failing():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    marks = fingerprint(Plain(deep=deep, flat=1))
    assert marks["deep"] is None
    assert changed(marks, marks) == "deep"


def test_what_cannot_be_fingerprinted_counts_as_changing():
    made = Plain(fine=1, odd=Refuses())
    assert changed(fingerprint(made), fingerprint(made)) == "odd"


@pytest.mark.parametrize(
    "held",
    [
        threading.Lock(),
        logging.getLogger("x"),
        len,
        Plain,
        Path("a"),
        dt.date(2020, 1, 1),
        np.float64(2),
        range(3),
        re.compile("a"),
        float("nan"),
        np.array([1.0, np.nan]),
        pd.Series(["a", None]),
    ],
    ids=lambda held: type(held).__name__,
)
def test_no_change_is_reported_of(held):
    made = Plain(held=held)
    assert changed(fingerprint(made), fingerprint(made)) is None


def test_using_a_path_does_not_change_it():
    assert change_by(Plain(path=Path("a") / "b"), lambda p: (p.path.parts, hash(p.path))) is None


def test_a_lock_that_is_taken_is_no_change():
    assert change_by(Plain(lock=threading.Lock()), lambda p: p.lock.acquire()) is None


def test_the_order_in_which_a_set_holds_its_items_does_not_matter():
    assert fingerprint({1, 9}) == fingerprint({9, 1})
    one, other = {0, 8, 16}, {16, 8, 0}
    assert fingerprint(Plain(s=one)) == fingerprint(Plain(s=other))


def test_state_in_what_a_function_closes_over_is_seen():
    class Keeper:
        def __init__(self):
            box = []
            self.add = box.append
            self.size = lambda: len(box)

    keeper = Keeper()
    before = fingerprint(keeper)
    assert changed(before, fingerprint(keeper)) is None
    keeper.add(1)
    assert changed(before, fingerprint(keeper)) in ("add", "size")


def test_a_function_that_closes_over_its_own_object_ends():
    class Knot:
        def __init__(self):
            self.me = lambda: self

    knot = Knot()
    assert changed(fingerprint(knot), fingerprint(knot)) is None
