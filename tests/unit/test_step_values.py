"""A step's result before it exists: projections, and errors that name the cure."""

from __future__ import annotations

import copy
import enum
import math
import operator
import os
import pickle

import numpy as np
import pytest

from batchwright import step
from batchwright.contracts.graph import Reference
from batchwright.contracts.python_graph import build_graph
from batchwright.errors import StepHasNoAttribute, StepUsedAsValue, WrongCall


def make(n=0):
    return n


S = step(make)()


def reference(pending):
    (node,) = build_graph(pending).contracts
    ((_, argument),) = node.outputs
    return argument.template


@pytest.mark.parametrize(
    "use",
    [
        bool,
        len,
        float,
        int,
        complex,
        str,
        bytes,
        list,
        tuple,
        iter,
        next,
        reversed,
        round,
        abs,
        math.floor,
        math.ceil,
        math.trunc,
        operator.index,
        operator.neg,
        operator.invert,
        os.fspath,
        pickle.dumps,
        np.asarray,
        np.mean,
        lambda s: f"{s}",
        lambda s: f"{s:>5}",
        lambda s: "%s" % s,  # noqa: UP031
        lambda s: s + 1,
        lambda s: 1 + s,
        lambda s: 2**s,
        lambda s: s @ s,
        lambda s: s < 1,
        lambda s: s >= s,
        lambda s: 1 in s,
        lambda s: s(),
        lambda s: np.arange(3) + s,
        lambda s: np.add(1.5, s),
        lambda s: np.array([s, s]),
        lambda s: s.__batchwright_digest__(),
        lambda s: not s,
        lambda s: s and 1,
        lambda s: [1, 2][s],
        lambda s: operator.setitem(s, 0, 1),
        lambda s: operator.delitem(s, 0),
        lambda s: setattr(s, "x", 1),
        lambda s: operator.iadd(s, 1),
        lambda s: "a".join([*s]),
    ],
)
def test_using_a_step_as_its_value_is_an_error(use):
    with pytest.raises(TypeError) as caught:
        use(S)
    assert isinstance(caught.value, StepUsedAsValue)
    assert "make" in str(caught.value)


@pytest.mark.parametrize(
    ("use", "cure"),
    [
        (len, "step(len)(s)"),
        (list, "outputs=N"),
        (lambda s: s + 1, "step(operator.add)"),
        (lambda s: s.fit(1), "step(TheClass.fit)(s, ...)"),
        (pickle.dumps, "Hand it to the step as an argument"),
        (lambda s: s + 1, "f.call(...)"),
    ],
)
def test_the_error_names_the_cure(use, cure):
    with pytest.raises(StepUsedAsValue) as caught:
        use(S)
    assert cure in str(caught.value)


def test_an_unknown_attribute_is_an_attribute_error_too():
    with pytest.raises(StepHasNoAttribute):
        _ = S.shape
    assert not hasattr(S, "shape")
    assert not hasattr(S, "__array_interface__")


def test_a_step_shows_itself_shortly():
    assert repr(S) == "<step make>"
    assert repr(S["a"][1]) == "<step make['a'][1]>"


def test_a_step_is_equal_to_itself_alone():
    same = S
    assert same == S
    assert step(make)() != S
    assert len({S, S, step(make)()}) == 2


def test_copying_a_step_keeps_it():
    assert copy.copy(S) is S
    assert copy.deepcopy({"a": [S]})["a"][0] is S


def test_a_projection_is_a_reference_with_items():
    assert reference(S["rows"][0][1:3]) == Reference(0, ("rows", 0, slice(1, 3, None)))


class Colour(enum.Enum):
    RED = 1


@pytest.mark.parametrize(
    "item",
    [3, -1, "a", b"a", 1.5, None, True, ..., (1, "a"), Colour.RED, (slice(None), ...)],
)
def test_plain_items_are_kept_as_they_are(item):
    (kept,) = reference(S[item]).items
    assert kept == item
    assert type(kept) is type(item)


def test_a_numpy_integer_is_a_number():
    assert [type(i) for i in reference(S[np.int64(2)]).items] == [int]


@pytest.mark.parametrize("item", [[1], {"a": 1}, np.arange(2), object(), S, (1, [2])])
def test_an_item_that_has_no_plain_form_is_refused(item):
    with pytest.raises(WrongCall, match=r"step\(operator.getitem\)"):
        S[item]


def test_several_outputs_unpack():
    a, b, c = step(make, outputs=3)()
    graph = build_graph([a, b, c])
    assert len(graph.steps) == 1
    assert [node.outputs[0][1].template for node in graph.contracts] == [
        Reference(0, (0,)),
        Reference(0, (1,)),
        Reference(0, (2,)),
    ]


def test_a_wrong_number_of_names_is_pythons_own_error():
    with pytest.raises(ValueError, match="too many values to unpack"):
        _, _ = step(make, outputs=3)()


def test_with_outputs_the_length_is_known():
    assert len(step(make, outputs=3)()) == 3


def test_with_outputs_an_index_is_checked_and_counted_from_the_front():
    s = step(make, outputs=3)()
    assert reference(s[-1]).items == (2,)
    with pytest.raises(IndexError, match="has 3 results"):
        s[3]


def test_only_the_whole_result_has_outputs():
    s = step(make, outputs=3)()
    with pytest.raises(StepUsedAsValue):
        iter(s[0])
    assert reference(s[0][7]).items == (0, 7)
